"""Which of the pairs that differ in one setting the page shows."""

SHOWN = 60  # rows of the pairs' table; pairs.json has all


def clearest(pairs: list[dict]) -> list[dict]:
    """Those with the smallest p on the test images, after those that have none because a model diverged."""
    return sorted(pairs, key=_p_value)[:SHOWN]


def _p_value(pair: dict) -> float:
    return min((one["test"].get("p_value", 0) for one in pair["seeds"]), default=1)
