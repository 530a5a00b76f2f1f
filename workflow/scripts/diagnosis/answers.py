"""What a loss is for answers that ignore the images, and the least that any answers could make it.

In float64, where a mean over all images is exact enough to compare with.
"""

import math
from collections.abc import Callable

import torch

from training.loss import Loss

FAR = 20  # powers of two that a logit is looked for in, on both sides of 0
GRID = [0.0, *(sign * 2.0**power for power in range(-6, FAR + 1) for sign in (1, -1))]
GOLDEN = (math.sqrt(5) - 1) / 2


def coin(loss: Loss, y: torch.Tensor) -> float:
    """The loss with every ŷ a half; y: labels (n, 1)."""
    return _loss_at(loss, y.double(), torch.zeros_like(y, dtype=torch.float64))


def constant(loss: Loss, y: torch.Tensor) -> float | None:
    """The least loss of one logit for all images; None where it is not finite for any."""
    y = y.double()
    return _least(lambda logit: _loss_at(loss, y, torch.full_like(y, logit)))[1]


def floor(loss: Loss, y: torch.Tensor) -> float | None:
    """The least loss of one logit for each class, for a loss that is a sum or mean over images: that of the best
    answers of all. None where it is not finite for any."""
    y = y.double()
    zero, _ = _least(lambda logit: _loss_at(loss, y, (1 - y) * logit))
    return _least(lambda logit: _loss_at(loss, y, y * logit + (1 - y) * zero))[1]


def _loss_at(loss: Loss, y: torch.Tensor, logits: torch.Tensor) -> float:
    with torch.no_grad():
        return loss(y, logits.sigmoid(), logits).item()


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
    found = grid[best], values[best]
    a, b = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
    at_a, at_b = _or_infinite(value(a)), _or_infinite(value(b))
    for _ in range(30):
        found = min(found, (a, at_a), (b, at_b), key=lambda one: one[1])
        if at_a < at_b:
            high, b, at_b = b, a, at_a
            a = high - GOLDEN * (high - low)
            at_a = _or_infinite(value(a))
        else:
            low, a, at_a = a, b, at_b
            b = low + GOLDEN * (high - low)
            at_b = _or_infinite(value(b))
    return found


def _or_infinite(value: float) -> float:
    return value if math.isfinite(value) else math.inf
