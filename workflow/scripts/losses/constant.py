"""What a loss is for answers that ignore the images, and the least that any answers could make it.

In float64, where a mean over all images is exact enough to compare with.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from losses.one_image import one_image
from training.loss import Loss

FARTHEST_POWER = 20  # powers of two that a logit is looked for in, on both sides of 0
GRID = np.sort([0.0, *(sign * 2.0**power for power in range(-6, FARTHEST_POWER + 1, 2) for sign in (1, -1))])
ROUNDING = 1e-6  # of a mean over some ten thousand float32, relative
ROUNDING_OF_SUMS = 1e-9  # of a loss computed here, relative to a coin's
SECTION_POINTS = 65  # of a section that is searched, at a time
FEW_POINTS = 5  # the same where each takes a pass over all images
BITS_OF_PLACE = 51  # all of them, for at a kink the value is as far off as the place

# Of logits for y = 0 and for y = 1, as many of both, the loss of each pair.
Values = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Answers:
    """coin: the loss with every ŷ a half. constant: the least loss of one logit for all images. floor: that of one
    logit for each class, the least of all for a loss that is a sum or mean over images, and no less than the least of
    any other. None where none is finite."""

    coin: float
    constant: float | None
    floor: float | None

    @property
    def differ(self) -> bool:
        """Whether floor is below constant by more than rounding, of the sums that these are and of a float32 mean."""
        if self.constant is None or self.floor is None:
            return False
        coin = abs(self.coin) if math.isfinite(self.coin) else 0.0
        rounding = max(ROUNDING * max(abs(self.constant), abs(self.floor)), ROUNDING_OF_SUMS * coin)
        return self.constant - self.floor > rounding


def constant_answers(loss: Loss, y: torch.Tensor) -> Answers:
    """y: labels (n, 1)."""
    values, points = _values(loss, y.double())
    zero, _ = _least(lambda logits: values(logits, np.zeros_like(logits)), points)
    return Answers(
        coin=float(values(np.zeros(1), np.zeros(1))[0]),
        constant=_least(lambda logits: values(logits, logits), points)[1],
        floor=_least(lambda logits: values(np.full_like(logits, zero), logits), points)[1],
    )


def _values(loss: Loss, y: torch.Tensor) -> tuple[Values, int]:
    """The loss as a function of one logit for all images of y = 0 and one for those of y = 1; at how many points to ask
    for it at a time.

    Of one image of each, where that tells: where the loss turns out to be their mean, or their sum, as often as they
    occur. Else of all images, pair by pair.
    """

    def of_all(zeros: np.ndarray, ones: np.ndarray) -> np.ndarray:
        found = []
        for zero, one in zip(zeros.tolist(), ones.tolist(), strict=True):
            logits = torch.where(y == 1, one, zero).double()
            with torch.no_grad():
                found.append(loss(y, logits.sigmoid(), logits).item())
        return np.array(found)

    image = one_image(loss)
    n, ones = len(y), int((y == 1).sum())
    some = np.array([0.5, -2.0]), np.array([0.5, 1.0])
    for scale in (1 / n, 1.0) if image.why_not is None else ():

        def of_one_each(zeros: np.ndarray, others: np.ndarray, scale=scale) -> np.ndarray:
            with np.errstate(invalid="ignore", over="ignore"):  # ∞ − ∞, say, which is no least value
                return scale * (n - ones) * image.in_float64(0.0, zeros) + scale * ones * image.in_float64(1.0, others)

        if np.allclose(of_one_each(*some), of_all(*some), rtol=1e-9, atol=0):
            return of_one_each, SECTION_POINTS
    return of_all, FEW_POINTS


def _least(values: Callable[[np.ndarray], np.ndarray], points: int) -> tuple[float, float | None]:
    """(logit, value) at the least of a function of one logit: the best of a grid, then of ever smaller sections around
    the best so far; None where it is finite nowhere on the grid."""
    logits, best = GRID, (0.0, None)
    for _ in range(2 + math.ceil(BITS_OF_PLACE / math.log2((points - 1) / 2))):
        found = values(logits)
        found = np.where(np.isfinite(found), found, np.inf)
        place = int(np.argmin(found))
        if best[1] is None or found[place] < best[1]:
            best = float(logits[place]), float(found[place])
        if not math.isfinite(best[1]):
            return 0.0, None
        logits = np.linspace(logits[max(place - 1, 0)], logits[min(place + 1, len(logits) - 1)], points)
    return best
