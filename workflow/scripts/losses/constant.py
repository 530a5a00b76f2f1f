"""What a loss is for answers that ignore the images, and the least that any answers could make it.

In float64, where a mean over all images is exact enough to compare with.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import torch

from training.loss import Loss

FARTHEST_POWER = 20  # powers of two that a logit is looked for in, on both sides of 0
GRID = [0.0, *(sign * 2.0**power for power in range(-6, FARTHEST_POWER + 1, 2) for sign in (1, -1))]
ROUNDING = 1e-6  # of a mean over some ten thousand float32, relative
ROUNDING_OF_SUMS = 1e-9  # of a loss computed here, relative to a coin's
GOLDEN = (math.sqrt(5) - 1) / 2
STEPS = 75  # each narrows the place by 0.618: to the last bits, for at a kink the value is as far off as the place


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
    value = _value(loss, y.double())
    zero, _ = _least(lambda logit: value(logit, 0.0))
    return Answers(
        coin=value(0.0, 0.0),
        constant=_least(lambda logit: value(logit, logit))[1],
        floor=_least(lambda logit: value(zero, logit))[1],
    )


def _value(loss: Loss, y: torch.Tensor) -> Callable[[float, float], float]:
    """The loss as a function of one logit for all images of y = 0 and one for those of y = 1.

    Of one image of each, where that tells: where the loss turns out to be their mean, or their sum, as often as they
    occur. Else of all images, ten times as slow.
    """

    def of_all(zero: float, one: float) -> float:
        logits = torch.where(y == 1, one, zero).double()
        with torch.no_grad():
            return loss(y, logits.sigmoid(), logits).item()

    @cache  # all three searches begin on the same grid
    def of_image(label: float, logit: float) -> float:
        logits = torch.tensor([[logit]], dtype=torch.float64)
        with torch.no_grad():
            return loss(torch.full_like(logits, label), logits.sigmoid(), logits).item()

    n, ones = len(y), int((y == 1).sum())
    for scale in (1 / n, 1.0):
        shares = scale * (n - ones), scale * ones

        def of_one_each(zero: float, one: float, shares=shares) -> float:
            return shares[0] * of_image(0.0, zero) + shares[1] * of_image(1.0, one)

        if all(math.isclose(of_one_each(*at), of_all(*at), rel_tol=1e-9) for at in ((0.5, 0.5), (-2.0, 1.0))):
            return of_one_each
    return of_all


def _least(value: Callable[[float], float]) -> tuple[float, float | None]:
    """(logit, value) at the least of a function of one logit: the best of a grid, and a golden-section search around.

    J. Kiefer: Sequential minimax search for a maximum. Proc. Amer. Math. Soc. 4 (1953) 502.
    """
    grid = sorted(GRID)
    values = [_or_infinite(value(logit)) for logit in grid]
    best = min(range(len(grid)), key=values.__getitem__)
    if not math.isfinite(values[best]):
        return 0.0, None
    low, high = grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)]
    least = grid[best], values[best]
    a, b = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
    at_a, at_b = _or_infinite(value(a)), _or_infinite(value(b))
    for _ in range(STEPS):
        least = min(least, (a, at_a), (b, at_b), key=lambda pair: pair[1])
        if at_a < at_b:
            high, b, at_b = b, a, at_a
            a = high - GOLDEN * (high - low)
            at_a = _or_infinite(value(a))
        else:
            low, a, at_a = a, b, at_b
            b = low + GOLDEN * (high - low)
            at_b = _or_infinite(value(b))
    return least


def _or_infinite(value: float) -> float:
    return value if math.isfinite(value) else math.inf
