"""How many images a variant gets wrong, and how far that can be trusted."""

import math
from dataclasses import dataclass

from common.english import amount
from reporting.summary import MeanSd, VariantRow

Z = 1.959964  # of 95 %


@dataclass(frozen=True, kw_only=True)
class Wrong:
    """Wrong images, the mean over the seeds that survived.

    sd: over several such seeds; low, high: of a single one, the 95 % interval of E. B. Wilson (1927), in images.
    """

    mean: float
    sd: float | None
    low: float
    high: float


def wilson(wrong: float, n: int) -> tuple[float, float]:
    """The 95 % interval of the true share, times n, where `wrong` of n images are wrong."""
    share = wrong / n
    middle = (share + Z**2 / (2 * n)) / (1 + Z**2 / n)
    half = Z / (1 + Z**2 / n) * math.sqrt(share * (1 - share) / n + Z**2 / (4 * n**2))
    return max(0.0, n * (middle - half)), min(float(n), n * (middle + half))


def wrong(accuracy: MeanSd | None, n: int) -> Wrong | None:
    """None where no seed survived."""
    if accuracy is None:
        return None
    mean = round(n * (1 - accuracy.mean), 6)
    low, high = wilson(mean, n)
    return Wrong(mean=mean, sd=None if accuracy.sd is None else n * accuracy.sd, low=low, high=high)


def of_test(row: VariantRow) -> Wrong | None:
    return wrong(row.test_accuracy, row.test_n)


def spread(one: Wrong) -> str:
    """± 0.6 over seeds; 0.5 to 7.6 for a single one."""
    if one.sd is not None:
        return f"± {amount(one.sd)}"
    return f"{amount(one.low)} to {amount(one.high)}"
