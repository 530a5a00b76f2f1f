"""What the loss of all images cannot tell apart, asked in float64 at answers that are drawn at random."""

from collections.abc import Callable

import torch

from training.loss import Loss

SHIFTS = (0.5, -2.0, 7.0)  # added to all logits
SAME_WITHIN_ROUNDING = 1e-9  # of what another set of answers changes: less is rounding


def is_blind_to_shift(loss: Loss, y: torch.Tensor) -> bool:
    """Whether it stays the same when a number is added to every logit, though it depends on them. y: (n, 1)."""
    return _is_same(loss, y, lambda y, logits: ((y, logits + shift) for shift in SHIFTS))


def is_blind_to_labels(loss: Loss, y: torch.Tensor) -> bool:
    """Whether it stays the same when the images exchange their labels, though it depends on the logits. y: (n, 1)."""
    return _is_same(loss, y, lambda y, logits: ((y.roll(step, 0), logits) for step in (1, len(y) // 2)))


def _is_same(loss: Loss, y: torch.Tensor, others: Callable) -> bool:
    """others: from y and logits, (n, 1) each, to those with which the loss should be the same."""
    generator, y = torch.Generator().manual_seed(0), y.double()
    logits, different = torch.randn(2, len(y), 1, generator=generator, dtype=torch.float64)

    def value(y: torch.Tensor, logits: torch.Tensor) -> float:
        with torch.no_grad():
            return loss(y, logits.sigmoid(), logits).item()

    before = value(y, logits)
    most = SAME_WITHIN_ROUNDING * abs(value(y, different) - before)
    # NaN compares as false.
    return most > 0 and all(abs(value(*other) - before) <= most for other in others(y, logits))
