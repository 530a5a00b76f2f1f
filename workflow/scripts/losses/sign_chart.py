"""The sign chart of a loss: what float32 makes of one image's loss, φ, and of its gradient, at every logit."""

import functools

import numpy as np
import torch

from losses.infimum import infimum
from losses.intervals import Stretch, grid_ordinals, interval_of, stretches_of
from losses.one_image import OneImage, OneLabel, one_image
from losses.ordinals import logit_at, logits_at
from losses.starved import starved_from
from records.losses import LabelChart, LossChart
from records.strict import number
from training.loss import Loss


@functools.lru_cache(maxsize=32)  # findings, rewrites and trials all ask for it
def sign_chart(loss: Loss) -> LossChart:
    """The chart of a loss, over all float32 logits."""
    image = one_image(loss)
    values, gradients = _on_the_grid(image)
    stretches = stretches_of(image, values, gradients)
    return LossChart(
        per_image=image.why_not is None,
        why_not=image.why_not,
        labels=[_label_chart(OneLabel(image, label), stretches[label], values[label]) for label in (0, 1)],
        same_gradient=bool(np.array_equal(gradients[0], gradients[1], equal_nan=True)),
    )


def _on_the_grid(image: OneImage) -> list[np.ndarray]:
    """Values and gradients, each (2, grid), of both labels."""
    logits = logits_at(grid_ordinals())
    y = torch.cat([torch.zeros_like(logits), torch.ones_like(logits)])
    return [each.reshape(2, -1).numpy() for each in image.in_float32(y, logits.repeat(2))]


def _label_chart(phi: OneLabel, stretches: list[Stretch], values: np.ndarray) -> LabelChart:
    """values: on the grid."""
    is_exact = phi.image.why_not is None
    intervals = [interval_of(stretch, phi if is_exact else None) for stretch in stretches]
    is_finite = np.isfinite(values)
    lowest = int(np.argmin(np.where(is_finite, values, np.inf)))
    return LabelChart(
        label=phi.label,
        intervals=intervals,
        least=number(float(values[lowest]) + 0.0 if is_finite.any() else np.nan),
        infimum=infimum(intervals, phi, logit_at(grid_ordinals()[lowest])) if is_exact else None,
        starved_below=starved_from(intervals, phi, -1) if is_exact else None,
        starved_above=starved_from(intervals, phi, 1) if is_exact else None,
    )
