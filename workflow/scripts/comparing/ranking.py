"""Which variant is the best, and which of the others may be just as good."""

import math

import numpy as np

from comparing.statistics import SIGNIFICANT, holm, sign_flips
from records.comparison import Ranking
from records.metrics import Metrics


def rank(metrics: list[Metrics], wrong: dict) -> Ranking:
    """wrong: {variant: {'test': {seed: [image, …]}}}, of every seed that has predictions."""
    taking_part = [entry for entry in metrics if _takes_part(entry)]
    names = {entry.variant for entry in taking_part}
    out = [entry.variant for entry in metrics if entry.variant not in names]
    if not taking_part:
        return Ranking(winners=[], equals=[], worse=[], out=out, p_values={})
    errors = weighted_errors(taking_part, wrong)
    fewest = min(int(one.sum()) for one in errors.values())
    winners = [name for name, one in errors.items() if int(one.sum()) == fewest]
    others = [name for name, one in errors.items() if int(one.sum()) > fewest]
    # Worse than the best is what is worse than each of them. Many of a sweep's best are wrong about the same images.
    bests = {errors[name].tobytes(): errors[name] for name in winners}.values()
    p_values = holm({name: max(sign_flips(errors[name] - one) for one in bests) for name in others})
    return Ranking(
        winners=winners,
        equals=[name for name in others if p_values[name] >= SIGNIFICANT],
        worse=[name for name in others if p_values[name] < SIGNIFICANT],
        out=out,
        p_values=p_values,
    )


def weighted_errors(metrics: list[Metrics], wrong: dict) -> dict[str, np.ndarray]:
    """Per variant how often its seeds get each test image wrong, int (m,), each seed weighing as much as its variant
    has few of them. Of variants all of whose seeds have an answer; wrong: as `rank` takes it.
    """
    # Whole numbers, so that equal shares are equal.
    weight = math.lcm(*(len(entry.seeds) for entry in metrics))
    errors = {}
    for entry in metrics:
        counts = np.zeros(entry.seeds[0].test_n, dtype=np.int64)
        for model in entry.seeds:
            counts[wrong[entry.variant]["test"][str(model.seed)]] += weight // len(entry.seeds)
        errors[entry.variant] = counts
    return errors


def _takes_part(entry: Metrics) -> bool:
    return all(
        model.verdict != "fails" and model.test_correct is not None and model.test_correct > max(entry.counts.test)
        for model in entry.seeds
    )
