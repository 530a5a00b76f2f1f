"""Where a loss is unsafe, found by evaluating it where float32 runs out: no list of good and bad losses.

Everything is computed in float32, as training does.
"""

import itertools
import math

import torch

from formulas.float32 import LARGEST, ONE_LOGIT, ZERO_LOGIT
from training.loss import Loss


def probe(loss: Loss, y: float, logit: float) -> tuple[float, float]:
    """Value of the loss, and its gradient with respect to the logit, for one image of label y with this logit.

    A loss that divides by the size of a class is not to be blamed for an empty one: what is not finite for the image
    alone is tried again in the company of two undecided images, one of each class.
    """
    alone = _evaluate(loss, [y], [logit])
    if all(map(math.isfinite, alone)):
        return alone
    together = _evaluate(loss, [y, 0.0, 1.0], [logit, 0.0, 0.0])
    return together if all(map(math.isfinite, together)) else alone


def _evaluate(loss: Loss, y: list[float], logit: list[float]) -> tuple[float, float]:
    logits = torch.tensor(logit).unsqueeze(1).requires_grad_()
    value = loss(torch.tensor(y, dtype=logits.dtype).unsqueeze(1), logits.sigmoid(), logits)
    if not value.requires_grad:  # a comparison, say, has none
        return value.item(), 0.0
    (gradient,) = torch.autograd.grad(value, logits, allow_unused=True)
    return value.item(), 0.0 if gradient is None else gradient[0].item()


def is_safe(loss: Loss, y: float, logit: float) -> bool:
    return all(map(math.isfinite, probe(loss, y, logit)))


def corners(loss: Loss) -> list[dict]:
    """Value and gradient at (y, ŷ) in {0, 1}², at the first logit that gives such a ŷ, and at the largest logits.

    Each row: y, yhat, logit, value, gradient, safe.
    """
    # A hair beyond the limit, for 24 ln 2 is no float32.
    edges = [(1, ONE_LOGIT * (1 + 1e-6)), (0, ZERO_LOGIT * (1 + 1e-6)), (1, LARGEST), (0, -LARGEST)]
    rows = []
    for (yhat, logit), y in itertools.product(edges, (0, 1)):
        value, gradient = probe(loss, y, logit)
        safe = math.isfinite(value) and math.isfinite(gradient)
        rows.append({"y": y, "yhat": yhat, "logit": logit, "value": value, "gradient": gradient, "safe": safe})
    return rows


def unsafe_logits(loss: Loss) -> dict[str, float | None]:
    """The logit at which an image that the network gets right makes the loss or its gradient non-finite.

    'upper' for an image with y = 1, whose logit grows; 'lower' for one with y = 0. None where no logit does.
    Training drives both outwards, so these are the limits that a run approaches; a bisection finds them.
    """
    return {"upper": _limit(loss, 1.0, 1), "lower": _limit(loss, 0.0, -1)}


def _limit(loss: Loss, y: float, sign: int) -> float | None:
    edges = (ONE_LOGIT if sign > 0 else -ZERO_LOGIT) * (1 + 1e-6), LARGEST
    bad = next((edge for edge in edges if not is_safe(loss, y, sign * edge)), None)
    if bad is None or not is_safe(loss, y, 0.0):
        return None
    good = 0.0
    while bad - good > 1e-5 * bad:
        middle = (good + bad) / 2
        good, bad = (middle, bad) if is_safe(loss, y, sign * middle) else (good, middle)
    return sign * bad
