"""The comparison in sentences: which variant to use, which diverged and why, which soon will."""

from dataclasses import dataclass

from diagnosis.mcnemar import mcnemar
from diagnosis.records import Metrics
from reporting import cures
from reporting.summary import Row

SIGNIFICANT = 0.05
NAMED = 5  # of many variants; the rest are counted


@dataclass(frozen=True)
class Trouble:
    """A variant that does not train well in `count` of its seeds.

    sentence: the most telling finding of `seed`; cure: what cures the variant, or what was tried in vain.
    """

    variant: str
    count: int
    seeds: int
    seed: int
    sentence: str
    cure: str


def best(rows: list[Row], metrics: list[Metrics], wrong: dict) -> str:
    """Which have the best test accuracy, and which of the others are not significantly worse; of the variants none of
    whose seeds fails."""
    survivors = [row for row in rows if row.test_accuracy is not None and not row.verdicts["fails"]]
    if not survivors:
        if not any(row.survived for row in rows):
            return "No variant survived: every model ended in a loss that is not finite."
        return "No variant trains well: each has a model that diverged or is no better than one answer for all images."
    top = max(row.test_accuracy.mean for row in survivors)
    winners = [row for row in survivors if row.test_accuracy.mean == top]
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
    first = {entry.variant: _first_alive(entry) for entry in metrics}
    even = [_called(row) for row in others if _p_value(winners[0].variant, row.variant, first, wrong) >= SIGNIFICANT]
    if len(even) == len(others):
        return f"{text} But none of the {len(others)} others that do not fail is significantly worse ({_test()})."
    if even:
        return f"{text} Not significantly worse ({_test()}): {_names(even)}."
    return f"{text} All others that do not fail are significantly worse ({_test()})."


def troubles(metrics: list[Metrics]) -> dict[str, list[Trouble]]:
    """{'diverged', 'fails', 'faulty': variants}, each under the worst that is true of a seed."""
    found: dict[str, list[Trouble]] = {"diverged": [], "fails": [], "faulty": []}
    for entry in metrics:
        worst = {
            "diverged": [one for one in entry.seeds if one.status == "diverged"],
            "fails": [one for one in entry.seeds if one.status == "finished" and one.verdict == "fails"],
            "faulty": [one for one in entry.seeds if one.verdict == "faulty"],
        }
        name = next((name for name, seeds in worst.items() if seeds), None)
        if name:
            first = min(worst[name], key=lambda one: one.autopsy.epoch if one.autopsy else 0)
            count, sentence, cure = len(worst[name]), first.findings[0].sentence, cures.sentence(entry)
            found[name].append(Trouble(entry.variant, count, len(entry.seeds), first.seed, sentence, cure))
    return found


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
