"""The answer in words: which variant to use, which others may be just as good, what the worse ones have in common."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from common.english import amount, clause, counted
from comparing.ranking import MOST_COMPARED
from comparing.statistics import SIGNIFICANT
from records.comparison import Ranking
from records.metrics import Metrics
from reporting.alike import alike

NAMED = 5  # of many variants; the rest are counted
LONGEST = 180  # characters of the answer: two lines of the page, four on a phone
# Ways to make it so: how many names, of how many characters each, and how many descriptions of what is worse.
SHORTER = ((NAMED, 60, 2), (NAMED, 28, 2), (1, 60, 2), (1, 60, 1), (1, 18, 1), (1, 18, 0), (1, 9, 0))


@dataclass(frozen=True, kw_only=True)
class Best:
    """sentence: the answer; note: what it rests on, '' where there is nothing to say."""

    sentence: str
    note: str


@dataclass(frozen=True)
class _Ranked:
    """The variants that are ranked, by their names; settings: of all variants; of: how many there are."""

    ranking: Ranking
    entries: dict[str, Metrics]
    settings: dict[str, dict]
    good: list[str]
    is_any_good_out: bool


def best(ranking: Ranking, metrics: list[Metrics], variants: dict, kinds: dict) -> Best:
    """variants: {name: settings}; kinds: as the page explains them."""
    if len(metrics) == 1:
        return Best(sentence=_single(metrics[0], bool(ranking.winners), kinds), note="")
    if not ranking.winners:
        return Best(sentence=_none(metrics), note="")
    out = set(ranking.out)
    entries = {entry.variant: entry for entry in metrics if entry.variant not in out}
    good = [name for name, entry in entries.items() if entry.word == "good"]
    is_any_good_out = any(entry.word == "good" and entry.variant in out for entry in metrics)
    of = _Ranked(ranking, entries, variants, good, is_any_good_out)
    for way in SHORTER:
        sentence = _sentence(of, *way)
        if len(sentence) <= LONGEST:
            break
    return Best(sentence=sentence, note=" ".join([*_notes(of), *_left_out(len(out), len(metrics))]))


def _single(entry: Metrics, is_ranked: bool, kinds: dict) -> str:
    """What became of the only variant."""
    models = [model for model in entry.seeds if model.word == entry.word]
    in_some = f" in {len(models):,} of {len(entry.seeds):,} models" if len(models) < len(entry.seeds) else ""
    right = f" {_share([entry])}." if all(model.test_correct is not None for model in entry.seeds) else ""
    if entry.word == "good":
        unlucky = f"It learns the training images; on the test images a model does no better than guessing:{right}"
        return f"It trains well:{right}" if is_ranked else unlucky
    if entry.word == "diverged":
        epochs = sorted({model.diverged_epoch for model in models})
        first = "" if len(epochs) == 1 else "first "
        return f"It does not train: its loss is not finite{in_some}, {first}at epoch {epochs[0]:,}."
    does = "It trains, with a fault" if entry.word == "faulty" else "It does not train well"
    found = models[0].findings[0]
    why = clause(kinds[found.kind]["means"]) if found.kind in kinds else found.kind
    return f"{does}{in_some}: {why}.{right}"


def _sentence(of: _Ranked, most: int, longest: int, described: int) -> str:
    """most names, each of at most so many characters; so many descriptions of what is worse."""
    called = {
        name: _short(name, longest) + ("" if name in of.good or not of.good else " (faulty)") for name in of.entries
    }
    parts = [_winners(of, called, most)]
    if _none_differ(of):
        if len(of.good) != 1:
            n = next(iter(of.entries.values())).seeds[0].test_n
            parts.append(f"On {n:,} test images, no difference between these {len(of.entries):,} can be told.")
        return " ".join(parts)
    equals = sorted(of.ranking.equals, key=lambda name: name not in of.good)  # those that can be recommended first
    if equals and len(equals) <= most:
        parts.append(f"Not significantly worse: {names([called[name] for name in equals], most)}.")
    elif equals:
        parts.append(f"{len(equals):,} more cannot be told apart.")
    if of.ranking.worse:
        parts.append(_worse(of, called, most, described))
    return " ".join(parts)


def _winners(of: _Ranked, called: dict[str, str], most: int) -> str:
    winners = of.ranking.winners
    share = _share([of.entries[name] for name in winners])
    which = " ranked" if of.is_any_good_out else ""
    if len(of.entries) == 1 and not of.good:
        return f"{_no_good(of)} Only {called[winners[0]]}, which is faulty, is ranked: {share}."
    if len(of.good) == 1:
        only = "the only good one that is ranked" if of.is_any_good_out else "the only one that trains well"
        return f"Use {called[winners[0]]}: {only}, {share}."
    whole = f"the {len(of.good):,} good ones{which}" if of.good else f"the {len(of.entries):,} faulty ones"
    whole += _different(of) if len(of.good) in (0, len(of.entries)) else ""
    none = "" if of.good else f"{_no_good(of)} "
    if len(winners) == 1:
        return f"{none}Best of {whole}: {called[winners[0]]}, {share}."
    if len(winners) <= most:
        return f"{none}Best of {whole}: {names([called[name] for name in winners], most)}, {share} each."
    return f"{none}No single best: {len(winners):,} of {whole} get {share}."


def _no_good(of: _Ranked) -> str:
    return "No good one is ranked." if of.is_any_good_out else "None is good."


def _worse(of: _Ranked, called: dict[str, str], most: int, described: int) -> str:
    """What is worse, by name where that is short, else by the settings that it has in common."""
    worse = of.ranking.worse
    if len(worse) <= min(most, 2):
        return f"Significantly worse: {names([called[name] for name in worse], most)}."
    found = alike(set(worse), set(of.entries), of.settings, described)
    rest = set(worse).difference(*(one.names for one in found))
    told = [f"{one.words} ({_wrong(of, one.names)})" for one in found]
    if not told:
        if len(worse) <= most:
            return f"Significantly worse: {names([called[name] for name in worse], most)}."
        return f"{counted(len(worse), 'other')} are significantly worse."
    if rest:
        told.append(f"{len(rest):,} more")
    return f"Significantly worse: {'; '.join(told)}."


def _wrong(of: _Ranked, those: Iterable[str]) -> str:
    """'26 to 68 wrong'"""
    counts = sorted(of.entries[name].seeds[0].test_n - _right(of.entries[name]) for name in those)
    low, high = amount(float(counts[0])), amount(float(counts[-1]))
    return f"{low} wrong" if low == high else f"{low} to {high} wrong"


def _different(of: _Ranked) -> str:
    """' (8 different)' of nine, of which two have equal settings."""
    different = (1 + math.isqrt(1 + 8 * of.ranking.pairs)) // 2  # k (k - 1) / 2 pairs of k
    return f" ({different:,} different)" if different < len(of.entries) else ""


def _none_differ(of: _Ranked) -> bool:
    """Whether there is a best one, but no two of all differ significantly. Of very many not every two are tested."""
    return bool(of.ranking.equals) and not of.ranking.apart and len(of.entries) <= MOST_COMPARED


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


def _notes(of: _Ranked) -> list[str]:
    """What the answer rests on, in sentences."""
    ranking, entries = of.ranking, of.entries
    if len(entries) == 1:
        return []
    of_many = f"The best of {len(of.good) or len(entries):,}"
    chosen = f"{of_many} was chosen by these same test images, so on others it may do less well."
    notes = _faulty(of)
    if ranking.p_values:
        if _none_differ(of):
            what = f"No two of the {len(entries):,} differ beyond luck; a difference is told where"
        else:
            what = "Significantly means"
        seeds = " and all seeds" if any(len(entry.seeds) > 1 for entry in entries.values()) else ""
        copies = ", those with equal settings counted once" if ranking.pairs < math.comb(len(entries), 2) else ""
        many = f", Holm's correction for all {ranking.pairs:,} pairs included{copies}" if ranking.pairs > 1 else ""
        notes.append(f"{what} p < {SIGNIFICANT}, by an exact paired test over all test images{seeds}{many}.")
    return notes if len(of.good) == 1 else [*notes, chosen]


def _faulty(of: _Ranked) -> list[str]:
    """Faulty ones that get as many right as the best of the good."""
    if not of.good:
        return []
    least = _right(of.entries[of.ranking.winners[0]])
    ahead = [name for name, entry in of.entries.items() if name not in of.good and _right(entry) >= least]
    if not ahead:
        return []
    ahead.sort(key=lambda name: -_right(of.entries[name]))
    if len(ahead) > 2:
        most = _correct(of.entries[ahead[0]])
        return [f"{len(ahead):,} faulty ones get as many right or more, up to {most}."]
    told = [f"{name} gets {_correct(of.entries[name])} right" for name in ahead]
    return [f"{names(told)}, but {'is' if len(ahead) == 1 else 'both are'} faulty."]


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
