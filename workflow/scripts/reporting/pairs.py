"""Which of the pairs that differ in one setting the page shows."""

from diagnosis.records import Pair

SHOWN = 60  # rows of the pairs' table; pairs.json has all


def clearest(pairs: list[Pair]) -> list[Pair]:
    """Those with the smallest p on the test images, after those that have none because a model diverged."""
    return sorted(pairs, key=_p_value)[:SHOWN]


def _p_value(pair: Pair) -> float:
    return min((one.test.p_value or 0 for one in pair.seeds), default=1)
