"""Which variant has the best test accuracy, and which of the others may be just as good."""

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from diagnosis.mcnemar import SIGNIFICANT
from diagnosis.paired import holm, sign_flips
from diagnosis.records import Metrics

NAMED = 5  # of many variants; the rest are counted


@dataclass(frozen=True, kw_only=True)
class Best:
    """The variants, by their test images.

    winners: those with the best mean accuracy over their seeds. equals: not significantly worse. worse: the others of
    those that take part. out: those that do not, because a seed diverged or fails, is no better on the test images than
    always naming the larger class, or has a ŷ that is NaN. p_values: of equals and worse, corrected for their number.
    sentence: the answer; note: what it rests on, '' where nothing was compared.
    """

    winners: list[str]
    equals: list[str]
    worse: list[str]
    out: list[str]
    p_values: dict[str, float]
    sentence: str
    note: str


def best(metrics: list[Metrics], wrong: dict) -> Best:
    """wrong: {variant: {'test': {seed: [image, …]}}}, of every seed that has predictions."""
    taking_part = {entry.variant: entry for entry in metrics if _takes_part(entry)}
    out = [entry.variant for entry in metrics if entry.variant not in taking_part]
    if not taking_part:
        return Best(winners=[], equals=[], worse=[], out=out, p_values={}, sentence=_none(metrics), note="")
    # Whole numbers, so that equal shares are equal: each seed weighs as much as its variant has few of them.
    weight = math.lcm(*(len(entry.seeds) for entry in taking_part.values()))
    errors = {name: _errors(entry, wrong[name]["test"], weight) for name, entry in taking_part.items()}
    fewest = min(int(one.sum()) for one in errors.values())
    winners = [name for name, one in errors.items() if int(one.sum()) == fewest]
    others = [name for name, one in errors.items() if int(one.sum()) > fewest]
    # Worse than the best is what is worse than each of them. Many of a sweep's best are wrong about the same images.
    bests = {errors[name].tobytes(): errors[name] for name in winners}.values()
    p_values = holm({name: max(sign_flips(errors[name] - one) for one in bests) for name in others})
    equals = [name for name in others if p_values[name] >= SIGNIFICANT]
    worse = [name for name in others if p_values[name] < SIGNIFICANT]
    return Best(
        winners=winners,
        equals=equals,
        worse=worse,
        out=out,
        p_values=p_values,
        sentence=_sentence(winners, equals, worse, taking_part),
        note=_note(others, taking_part),
    )


def _takes_part(entry: Metrics) -> bool:
    return all(
        one.verdict != "fails" and one.test_correct is not None and one.test_correct > max(entry.counts.test)
        for one in entry.seeds
    )


def _errors(entry: Metrics, wrong: dict, weight: int) -> np.ndarray:
    """How often each test image is wrong, times weight over the number of seeds; int (m,)."""
    counts = np.zeros(entry.seeds[0].test_n, dtype=np.int64)
    for one in entry.seeds:
        counts[wrong[str(one.seed)]] += weight // len(entry.seeds)
    return counts


def _sentence(winners: list[str], equals: list[str], worse: list[str], entries: dict[str, Metrics]) -> str:
    good = [name for name, entry in entries.items() if all(one.verdict == "good" for one in entry.seeds)]
    called = {name: name if name in good else f"{name} (faulty)" for name in entries}
    verb = "share the best test accuracy" if len(winners) > 1 else "has the best test accuracy"
    text = f"{names([called[name] for name in winners])} {verb}, {_share([entries[name] for name in winners])}."
    if good and not set(good) & set(winners):
        most = max(_right(entries[name]) for name in good)
        soundest = [name for name in good if _right(entries[name]) == most]
        does = "does" if len(soundest) == 1 else "do"
        share = _share([entries[name] for name in soundest])
        text = f"Of those that train well, {names(soundest)} {does} best, {share}. Of all, {text}"
    if equals:
        # Those that can be recommended first.
        equals = sorted(equals, key=lambda name: name not in good)
        many = f"{len(equals):,} others, marked = in the table"
        text += (
            f" Not significantly worse: {many if len(equals) > NAMED else names([called[name] for name in equals])}."
        )
    if worse:
        many = f"{len(worse):,} others"
        text += f" Significantly worse: {many if len(worse) > NAMED else names([called[name] for name in worse])}."
    return text


def _right(entry: Metrics) -> Fraction:
    """The mean over the seeds, exactly, so that equals are equal."""
    return Fraction(sum(one.test_correct for one in entry.seeds), len(entry.seeds))


def _share(winners: list[Metrics]) -> str:
    seeds = winners[0].seeds
    correct, n = sum(one.test_correct for one in seeds), seeds[0].test_n
    if all(len(entry.seeds) == 1 for entry in winners):
        return f"{correct:,} of {n:,} test images right"
    return f"{correct / len(seeds):,.1f} of {n:,} test images right, the mean over its seeds"


def _note(others: list[str], entries: dict[str, Metrics]) -> str:
    if len(entries) == 1:
        return ""
    chosen = f"The best of {len(entries):,} was chosen by these same test images, so on others it may do less well."
    if not others:
        return chosen
    seeds = " and all seeds" if any(len(entry.seeds) > 1 for entry in entries.values()) else ""
    many = f", Holm's correction for {len(others):,} comparisons included" if len(others) > 1 else ""
    return f"Significantly means p < {SIGNIFICANT}, by an exact paired test over all test images{seeds}{many}. {chosen}"


def _none(metrics: list[Metrics]) -> str:
    if all(one.status == "diverged" for entry in metrics for one in entry.seeds):
        return "No variant survived: every model ended in a loss that is not finite."
    return (
        "No variant trains well: each has a model that diverged, whose loss or count of right images is no better than"
        " that of one answer for all images, or whose ŷ is NaN for a test image."
    )


def names(of: list[str]) -> str:
    """Names in a sentence; many of them cut short."""
    if len(of) > NAMED:
        return f"{', '.join(of[:NAMED])} and {len(of) - NAMED:,} more"
    return " and ".join([", ".join(of[:-1]), of[-1]] if len(of) > 1 else of)
