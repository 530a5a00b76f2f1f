"""The answer in words: which variant has the best test accuracy, and which of the others may be just as good."""

from dataclasses import dataclass
from fractions import Fraction

from common.english import counted
from comparing.statistics import SIGNIFICANT
from records.comparison import Ranking
from records.metrics import Metrics

NAMED = 5  # of many variants; the rest are counted
LONGEST = 180  # characters of the answer: two lines of the page, four on a phone
LONGEST_NAMES = {NAMED: 28, 1: 18}  # characters of a variant's name in it, by how many are named


@dataclass(frozen=True, kw_only=True)
class Best:
    """sentence: the answer; note: what it rests on, '' where nothing was compared."""

    sentence: str
    note: str


def best(ranking: Ranking, metrics: list[Metrics]) -> Best:
    if not ranking.winners:
        return Best(sentence=_none(metrics), note="")
    out = set(ranking.out)
    entries = {entry.variant: entry for entry in metrics if entry.variant not in out}
    return Best(sentence=_sentence(ranking, entries), note=_note(len(ranking.p_values), entries))


def _sentence(ranking: Ranking, entries: dict[str, Metrics]) -> str:
    """The answer; names give way to numbers where it would be longer than LONGEST."""
    text = _with_names(ranking, entries, NAMED)
    return text if len(text) <= LONGEST else _with_names(ranking, entries, 1)


def _with_names(ranking: Ranking, entries: dict[str, Metrics], most: int) -> str:
    winners, equals, worse = ranking.winners, ranking.equals, ranking.worse
    good = [name for name, entry in entries.items() if entry.word == "good"]
    called = {name: _short(name, most) + (" (faulty)" if name not in good else "") for name in entries}
    does = "share" if len(winners) > 1 else "has"
    share = _share([entries[name] for name in winners])
    text = f"{names([called[name] for name in winners], most)} {does} the best test accuracy, {share}."
    if good and not set(good) & set(winners):
        best_right = max(_right(entries[name]) for name in good)
        soundest = [name for name in good if _right(entries[name]) == best_right]
        verb = "does" if len(soundest) == 1 else "do"
        share = _share([entries[name] for name in soundest])
        of_good = f"Of the good ones, {names([called[name] for name in soundest], most)} {verb} best, {share}."
        text = f"{of_good} Of all, {names([called[name] for name in winners], most)}: {_correct(entries[winners[0]])}."
    if max(len(equals), len(worse)) > most:
        return text + _counted(len(equals), len(worse))
    # Those that can be recommended first.
    for what, those in (
        ("Not significantly", sorted(equals, key=lambda name: name not in good)),
        ("Significantly", worse),
    ):
        text += f" {what} worse: {names([called[name] for name in those], most)}." if those else ""
    return text


def _counted(equals: int, worse: int) -> str:
    """' 5 others (=) are not significantly worse, 3 are.'"""
    if not equals:
        return f" {counted(worse, 'other')} {'is' if worse == 1 else 'are'} significantly worse."
    verb = "is" if equals == 1 else "are"
    rest = f", {worse:,} {'is' if worse == 1 else 'are'}" if worse else ""
    return f" {counted(equals, 'other')} (=) {verb} not significantly worse{rest}."


def _short(name: str, most: int) -> str:
    longest = LONGEST_NAMES[most]
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


def _note(others: int, entries: dict[str, Metrics]) -> str:
    if len(entries) == 1:
        return ""
    chosen = f"The best of {len(entries):,} was chosen by these same test images, so on others it may do less well."
    if not others:
        return chosen
    seeds = " and all seeds" if any(len(entry.seeds) > 1 for entry in entries.values()) else ""
    many = f", Holm's correction for {others:,} comparisons included" if others > 1 else ""
    return f"Significantly means p < {SIGNIFICANT}, by an exact paired test over all test images{seeds}{many}. {chosen}"


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
