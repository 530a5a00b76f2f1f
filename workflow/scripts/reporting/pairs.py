"""Which changes of one setting the page shows."""

from msgspec.structs import replace

from diagnosis.paired import holm
from diagnosis.records import Change

SHOWN = 60  # rows of the page's table; pairs.json has all
NAMED = 12  # pairs of variants of each


def clearest(changes: list[Change]) -> list[Change]:
    """Those with the smallest p; then those that have none because no model is left to compare, most diverged first.

    Of those shown, p_value is corrected for the number of all changes that have one.
    """
    p_values = holm({place: one.p_value for place, one in enumerate(changes) if one.p_value is not None})
    corrected = [replace(one, p_value=p_values.get(place)) for place, one in enumerate(changes)]
    return sorted(corrected, key=_clearness)[:SHOWN]


def _clearness(change: Change) -> tuple:
    if change.p_value is None:
        return True, -abs(change.diverged[1] - change.diverged[0]), -change.models
    return False, change.p_value, -abs(change.difference)
