"""The comparison in sentences: which variant to use, which diverged and why, which soon will."""

from dataclasses import dataclass

from diagnosis.records import Metrics
from reporting import cures
from reporting.best import Best


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


def best(found: Best) -> str:
    """Which have the best test accuracy, which of the others may be just as good, and what that rests on."""
    return f"{found.sentence} {found.note}".strip()


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
