"""How many images a variant gets wrong, and how far the count of test images can be trusted."""

import math
from dataclasses import dataclass

from common.english import amount
from reporting.summary import SeedMean, VariantRow

Z = 1.959964  # of 95 %


@dataclass(frozen=True, kw_only=True)
class Wrong:
    """Wrong test images, the mean over the seeds that survived, of which there are so many.

    low, high: over several such seeds, the fewest and the most; of a single one, the 95 % interval of E. B. Wilson
    (1927), in images. No standard deviation: 1, 1 and 100 wrong images would be 34 ± 57, and none has fewer than 0.
    """

    mean: float
    low: float
    high: float
    seeds: int


def wilson(wrong: float, n: int) -> tuple[float, float]:
    """The 95 % interval of the true share, times n, where `wrong` of n images are wrong."""
    share = wrong / n
    middle = (share + Z**2 / (2 * n)) / (1 + Z**2 / n)
    half = Z / (1 + Z**2 / n) * math.sqrt(share * (1 - share) / n + Z**2 / (4 * n**2))
    return max(0.0, n * (middle - half)), min(float(n), n * (middle + half))


def mean_wrong(accuracy: SeedMean | None, n: int) -> float | None:
    """Wrong images of n, the mean over the seeds that survived; None where none did."""
    return None if accuracy is None else _count(accuracy.mean, n)


def of_test(row: VariantRow) -> Wrong | None:
    """None where no seed survived. Of training images there is no interval: they are not drawn, but fitted."""
    accuracy, n = row.test_accuracy, row.test_n
    if accuracy is None:
        return None
    mean = _count(accuracy.mean, n)
    low, high = (_count(accuracy.high, n), _count(accuracy.low, n)) if accuracy.seeds > 1 else wilson(mean, n)
    return Wrong(mean=mean, low=low, high=high, seeds=accuracy.seeds)


def _count(share: float, n: int) -> float:
    """Wrong images, of the share that is right; a mean of counts is not to miss them by a rounding."""
    return round(n * (1 - share), 6)


def spread(one: Wrong) -> str:
    """1 to 100 over seeds, each seed where all have as many; 95 %: 0.5 to 7.6 for a single one."""
    if one.seeds > 1 and one.low == one.high:
        return "each seed"
    return f"{'' if one.seeds > 1 else '95 %: '}{amount(one.low)} to {amount(one.high)}"
