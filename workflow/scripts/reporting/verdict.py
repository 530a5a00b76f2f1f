"""The comparison in a sentence: which variant to use, and which of the others may be just as good."""

from diagnosis.mcnemar import mcnemar
from diagnosis.records import Metrics
from reporting.summary import Row

SIGNIFICANT = 0.05
NAMED = 5  # of many variants; the rest are counted


def best(rows: list[Row], metrics: list[Metrics], wrong: dict) -> str:
    """Which have the best test accuracy, and which of the others are not significantly worse; of the variants none of
    whose seeds fails."""
    survivors = [row for row in rows if row.test_accuracy is not None and not row.verdicts["fails"]]
    if not survivors:
        if not any(row.survived for row in rows):
            return "No variant survived: every model ended in a loss that is not finite."
        return "No variant trains well: each has a model that diverged or is no better than one answer for all images."
    best_ones, equals = standing(rows, metrics, wrong)
    winners = [row for row in survivors if row.variant in best_ones]
    top = winners[0].test_accuracy.mean
    names = _names([_called(row) for row in winners])
    count = winners[0].test_correct
    share = f"{top:.4f} of the test images right, the mean over its seeds"
    if count is not None:
        share = f"{count:,} of {winners[0].test_n:,} test images right"
    verb = "share the best test accuracy" if len(winners) > 1 else "has the best test accuracy"
    text = f"{names} {verb}, {share}."
    others = [row for row in survivors if row not in winners]
    if not others:
        return text
    even = [_called(row) for row in others if row.variant in equals]
    if len(even) == len(others):
        return f"{text} But none of the {len(others)} others that do not fail is significantly worse ({_test()})."
    if even:
        return f"{text} Not significantly worse ({_test()}): {_names(even)}."
    return f"{text} All others that do not fail are significantly worse ({_test()})."


def standing(rows: list[Row], metrics: list[Metrics], wrong: dict) -> tuple[list[str], list[str]]:
    """The variants with the best test accuracy, and those not significantly worse; both without those that fail."""
    survivors = [row for row in rows if row.test_accuracy is not None and not row.verdicts["fails"]]
    top = max((row.test_accuracy.mean for row in survivors), default=None)
    winners = [row.variant for row in survivors if row.test_accuracy.mean == top]
    others = [row.variant for row in survivors if row.test_accuracy.mean != top]
    first = {entry.variant: _first_alive(entry) for entry in metrics}
    return winners, [name for name in others if _p_value(winners[0], name, first, wrong) >= SIGNIFICANT]


def _called(row: Row) -> str:
    return f"{row.variant} (faulty)" if row.verdicts["faulty"] else row.variant


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
