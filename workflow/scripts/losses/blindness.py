"""What the loss of all images cannot tell apart, asked in float64 at answers that are drawn at random."""

import math
from collections.abc import Callable

import torch

from training.loss import Loss

SHIFTS = (0.5, -2.0, 7.0)  # added to all logits, times the size of these
SIZES = (1.0, 30.0, 1000.0)  # of the logits: a wide margin is a straight line near 0
SAME_WITHIN_ROUNDING = 1e-9  # of what another set of answers changes: less is rounding


def is_blind_to_shift(loss: Loss, y: torch.Tensor) -> bool:
    """Whether it stays the same when a number is added to every logit, though it depends on them. y: (n, 1)."""
    return _is_same(loss, y, lambda y, logits, size: ((y, logits + shift * size) for shift in SHIFTS))


def is_blind_to_labels(loss: Loss, y: torch.Tensor) -> bool:
    """Whether it stays the same when the images exchange their labels, though it depends on the logits. y: (n, 1)."""
    return _is_same(loss, y, lambda y, logits, size: ((y.roll(step, 0), logits) for step in (1, len(y) // 2)))


def _is_same(loss: Loss, y: torch.Tensor, others: Callable) -> bool:
    """others: from y and logits, (n, 1) each, and the logits' size to those with which the loss should be the same.
    What is too large for float64 says nothing."""
    generator, y = torch.Generator().manual_seed(0), y.double()
    logits, different = torch.randn(2, len(y), 1, generator=generator, dtype=torch.float64)

    def value(y: torch.Tensor, logits: torch.Tensor) -> float:
        with torch.no_grad():
            return loss(y, logits.sigmoid(), logits).item()

    is_known = False
    for size in SIZES:
        before = value(y, size * logits)
        most = SAME_WITHIN_ROUNDING * abs(value(y, size * different) - before)
        changes = [abs(value(*other) - before) for other in others(y, size * logits, size)]
        if any(change > most for change in changes if math.isfinite(change) and math.isfinite(most)):
            return False
        is_known |= 0 < most < math.inf and all(map(math.isfinite, changes))
    return is_known
