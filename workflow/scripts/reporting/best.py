"""The answer in words: which variant has the best test accuracy, and which of the others may be just as good."""

import math
from dataclasses import dataclass
from fractions import Fraction

from common.english import counted
from comparing.ranking import MOST_COMPARED
from comparing.statistics import SIGNIFICANT
from records.comparison import Ranking
from records.metrics import Metrics

NAMED = 5  # of many variants; the rest are counted
LONGEST = 180  # characters of the answer: two lines of the page, four on a phone
# Ways to make it so: how many are named, and with how many characters.
SHORTER = ((NAMED, 28), (1, 60), (1, 18), (1, 9))


@dataclass(frozen=True, kw_only=True)
class Best:
    """sentence: the answer; note: what it rests on, '' where there is nothing to say; question: what it answers."""

    sentence: str
    note: str
    question: str = "Chosen by these same test images: how sure is that?"


def best(ranking: Ranking, metrics: list[Metrics]) -> Best:
    if not ranking.winners:
        return Best(sentence=_none(metrics), note="")
    out = set(ranking.out)
    entries = {entry.variant: entry for entry in metrics if entry.variant not in out}
    note = [*_notes(ranking, entries), *_left_out(len(out), len(metrics))]
    is_any_good_out = any(entry.word == "good" and entry.variant in out for entry in metrics)
    sentence = _sentence(ranking, entries, " ranked" if is_any_good_out else "")
    if len(entries) == 1:
        return Best(sentence=sentence, note=" ".join(note), question="Why is no other one ranked?")
    return Best(sentence=sentence, note=" ".join(note))


def _sentence(ranking: Ranking, entries: dict[str, Metrics], which: str) -> str:
    """The answer; names give way to numbers where it would be longer than LONGEST. which: of the good ones."""
    texts = [_with_names(ranking, entries, which, *way) for way in SHORTER]
    return next((text for text in texts if len(text) <= LONGEST), texts[-1])


def _with_names(ranking: Ranking, entries: dict[str, Metrics], which: str, most: int, longest: int) -> str:
    winners = ranking.winners
    good = [name for name, entry in entries.items() if entry.word == "good"]
    called = {name: _short(name, longest) + (" (faulty)" if name not in good else "") for name in entries}
    share = _share([entries[name] for name in winners])
    if len(entries) == 1:
        return (
            f"Only {called[winners[0]]} is ranked: {share}." if ranking.out else f"{called[winners[0]]} gets {share}."
        )
    does = "share" if len(winners) > 1 else "has"
    among, ranked = f"Of the {len(entries):,}", " ranked" if ranking.out else ""
    text = f"{among}{ranked} variants{_different(ranking, len(entries))}, "
    text += f"{names([called[name] for name in winners], most)} {does} the best test accuracy,"
    text += f" {share}."
    is_split = bool(good) and not set(good) & set(winners)
    if is_split:
        best_right = max(_right(entries[name]) for name in good)
        soundest = [name for name in good if _right(entries[name]) == best_right]
        share = _share([entries[name] for name in soundest])
        does = "does" if len(soundest) == 1 else "do"
        text = f"Of the {len(good):,} good ones{which}, {names([called[name] for name in soundest], most)} {does} best,"
        if len(good) == 1:
            text = f"The only good one{which}, {called[good[0]]}, gets"
        text += f" {share}. Of all {len(entries):,}{ranked}, {names([called[name] for name in winners], most)}:"
        text += f" {_correct(entries[winners[0]])}."
    if _none_differ(ranking, len(entries)):
        n = entries[winners[0]].seeds[0].test_n
        if is_split:
            return f"{text} No difference can be told."
        return f"{text} On {n:,} test images, no difference between these {len(entries):,} can be told."
    return text + _others(ranking, called, good, most)


def _different(ranking: Ranking, ranked: int) -> str:
    """' (8 different)' of nine, of which two have equal settings."""
    different = (1 + math.isqrt(1 + 8 * ranking.pairs)) // 2  # k (k - 1) / 2 pairs of k
    return f" ({different:,} different)" if different < ranked else ""


def _none_differ(ranking: Ranking, ranked: int) -> bool:
    """Whether there is a best one, but no two of all differ significantly. Of very many not every two are tested."""
    return bool(ranking.equals) and not ranking.apart and ranked <= MOST_COMPARED


def _others(ranking: Ranking, called: dict[str, str], good: list[str], most: int) -> str:
    """What is said of those that are not the best."""
    equals, worse = ranking.equals, ranking.worse
    if max(len(equals), len(worse)) > most:
        return _counted(len(equals), len(worse))
    text = ""
    # Those that can be recommended first.
    for what, those in (
        ("Not significantly", sorted(equals, key=lambda name: name not in good)),
        ("Significantly", worse),
    ):
        text += f" {what} worse: {names([called[name] for name in those], most)}." if those else ""
    return text


def _counted(equals: int, worse: int) -> str:
    """' 5 (=) are not significantly worse, 3 are.'"""
    if not equals:
        return f" {counted(worse, 'other')} {'is' if worse == 1 else 'are'} significantly worse."
    verb = "is" if equals == 1 else "are"
    rest = f", {worse:,} {'is' if worse == 1 else 'are'}" if worse else ""
    return f" {equals:,} (=) {verb} not significantly worse{rest}."


def _short(name: str, longest: int) -> str:
    return name if len(name) <= longest else f"{name[: longest - 1]}…"


def _right(entry: Metrics) -> Fraction:
    """The mean over the seeds, exactly, so that equals are equal."""
    return Fraction(sum(model.test_correct for model in entry.seeds), len(entry.seeds))


def _correct(entry: Metrics) -> str:
    return f"{float(_right(entry)):,.{0 if len(entry.seeds) == 1 else 1}f}"


def _share(winners: list[Metrics]) -> str:
    n = winners[0].seeds[0].test_n
    if all(len(entry.seeds) == 1 for entry in winners):
        return f"{_correct(winners[0])} of {n:,} test images right"
    return f"{float(_right(winners[0])):,.1f} of {n:,} test images right on average"


def _notes(ranking: Ranking, entries: dict[str, Metrics]) -> list[str]:
    """What the answer rests on, in sentences."""
    if len(entries) == 1:
        return []
    chosen = f"The best of {len(entries):,} was chosen by these same test images, so on others it may do less well."
    if not ranking.p_values:
        return [chosen]
    what = "A difference is told where" if _none_differ(ranking, len(entries)) else "Significantly means"
    seeds = " and all seeds" if any(len(entry.seeds) > 1 for entry in entries.values()) else ""
    copies = ", those with equal settings counted once" if ranking.pairs < math.comb(len(entries), 2) else ""
    many = f", Holm's correction for all {ranking.pairs:,} pairs included{copies}" if ranking.pairs > 1 else ""
    return [f"{what} p < {SIGNIFICANT}, by an exact paired test over all test images{seeds}{many}.", chosen]


def _left_out(out: int, of: int) -> list[str]:
    """Why some variants are not ranked."""
    if not out:
        return []
    who = f"{out:,} of {of:,} variants {'is' if out == 1 else 'are'} not ranked"
    why = "diverged, failed, has a ŷ that is NaN for a test image, or does no better on the test images than guessing"
    return [f"{who}: a model of {'it' if out == 1 else 'each'} {why}."]


def _none(metrics: list[Metrics]) -> str:
    if all(model.word == "diverged" for entry in metrics for model in entry.seeds):
        return "No variant survived: every model ended in a loss that is not finite."
    return (
        "No variant can be called the best: each has a model that diverged, failed, has a ŷ that is NaN for a test"
        " image, or did no better on the test images than guessing."
    )


def names(of: list[str], most: int = NAMED) -> str:
    """Names in a sentence; many of them cut short."""
    if len(of) > most:
        return f"{', '.join(of[:most])} and {len(of) - most:,} more"
    return " and ".join([", ".join(of[:-1]), of[-1]] if len(of) > 1 else of)
