"""The comparison in sentences: which variant to use, which diverged and why, which soon will."""

from dataclasses import dataclass

from diagnosis.mcnemar import mcnemar
from diagnosis.records import Metrics
from reporting.summary import Row

SIGNIFICANT = 0.05
NAMED = 5  # of many variants; the rest are counted


@dataclass(frozen=True)
class Diverged:
    """A variant of whose seeds `count` diverged; sentence: of the autopsy of the first."""

    variant: str
    count: int
    seeds: int
    sentence: str


def best(rows: list[Row], metrics: list[Metrics], wrong: dict) -> str:
    """Which survivors have the best test accuracy, and which of the others are not significantly worse."""
    survivors = [row for row in rows if row.test_accuracy is not None]
    if not survivors:
        return "No variant survived: every model ended in a loss that is not finite."
    top = max(row.test_accuracy.mean for row in survivors)
    winners = [row for row in survivors if row.test_accuracy.mean == top]
    names = _names([row.variant for row in winners])
    count = winners[0].test_correct
    share = f"{top:.4f} of the test images right, the mean over its seeds"
    if count is not None:
        share = f"{count:,} of {winners[0].test_n:,} test images right"
    verb = "share the best test accuracy" if len(winners) > 1 else "has the best test accuracy"
    text = f"{names} {verb}, {share}."
    others = [row for row in survivors if row not in winners]
    if not others:
        return text
    first = {entry.variant: _first_alive(entry) for entry in metrics}
    even = [row.variant for row in others if _p_value(winners[0].variant, row.variant, first, wrong) >= SIGNIFICANT]
    if len(even) == len(others):
        return f"{text} But none of the {len(others)} others that finished is significantly worse ({_test()})."
    if even:
        return f"{text} Not significantly worse ({_test()}): {_names(even)}."
    return f"{text} All others that finished are significantly worse ({_test()})."


def diverged(metrics: list[Metrics]) -> list[Diverged]:
    """The variants with a diverged seed."""
    found = []
    for entry in metrics:
        autopsies = [one.autopsy for one in entry.seeds if one.autopsy]
        if autopsies:
            first = min(autopsies, key=lambda one: one.epoch)
            found.append(Diverged(entry.variant, len(autopsies), len(entry.seeds), first.sentence))
    return found


def close(rows: list[Row]) -> list[Row]:
    """The variants of which a surviving seed has a forecast, the soonest first."""
    found = [row for row in rows if row.forecast]
    return sorted(found, key=lambda row: row.forecast.epoch / row.settings["epochs"])


def _first_alive(entry: Metrics) -> str | None:
    return next((str(one.seed) for one in entry.seeds if one.test_accuracy is not None), None)


def _p_value(a: str, b: str, first: dict, wrong: dict) -> float:
    of_a, of_b = (set(wrong[name]["test"][first[name]]) for name in (a, b))
    return mcnemar(len(of_b - of_a), len(of_a - of_b))


def _test() -> str:
    return f"McNemar's exact test on the test images, p ≥ {SIGNIFICANT}"


def _names(names: list[str]) -> str:
    if len(names) > NAMED:
        return f"{', '.join(names[:NAMED])} and {len(names) - NAMED} more"
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
