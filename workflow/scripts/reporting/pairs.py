"""Which changes of one setting the page shows."""

from diagnosis.records import Change

SHOWN = 60  # rows of the page's table; pairs.json has all
NAMED = 12  # pairs of variants of each


def clearest(changes: list[Change]) -> list[Change]:
    """Those with the smallest p; then those that have none because no model is left to compare, most diverged first."""
    return sorted(changes, key=_clearness)[:SHOWN]


def _clearness(change: Change) -> tuple:
    if change.p_value is None:
        return True, -abs(change.diverged[1] - change.diverged[0]), -change.models
    return False, change.p_value, -abs(change.difference)
