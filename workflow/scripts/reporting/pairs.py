"""Which changes of one setting the page shows."""

from msgspec.structs import replace

from comparing.statistics import SIGNIFICANT, holm
from records.comparison import Change

PAIR_ROWS = 60  # rows of the page's table; changes.json has all
NAMED_PAIRS = 12  # pairs of variants of each


def clearest(changes: list[Change]) -> list[Change]:
    """Those that can hardly be luck, the smallest p first; then those with which other models diverged; then the rest,
    but for those that say nothing.

    Of those shown, p_value is corrected for the number of all changes that have one.
    """
    p_values = holm({place: one.p_value for place, one in enumerate(changes) if one.p_value is not None})
    corrected = [replace(one, p_value=p_values.get(place)) for place, one in enumerate(changes)]
    return sorted((one for one in corrected if not says_nothing(one)), key=_clearness)[:PAIR_ROWS]


def says_nothing(change: Change) -> bool:
    """Whether no model before or after it answers the test images, and as many diverged."""
    return not change.better + change.worse + change.equal and change.diverged[0] == change.diverged[1]


def _clearness(change: Change) -> tuple:
    p, lost = change.p_value, abs(change.diverged[1] - change.diverged[0])
    if p is not None and p < SIGNIFICANT:
        return 0, p, -abs(change.difference or 0)
    if lost:
        return 1, -lost
    # Those without a p have no two answers to compare, or too few beside those of models that diverged.
    return (3, -change.models) if p is None else (2, p, -abs(change.difference or 0))
