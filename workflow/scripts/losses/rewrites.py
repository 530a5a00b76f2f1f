"""The same loss, typed so that float32 loses less of it: what the laws of formulas/rewriting.py give, held against
exact numbers, and what other functions a loss may have been meant to be.
"""

import math
import re
from dataclasses import dataclass

import numpy as np
import torch

from formulas.float32 import LARGEST, SMALLEST_NORMAL
from formulas.parsing import FormulaError
from formulas.rewriting import forms
from losses.exact import MP, REACH, Dual
from losses.facts import (
    finite_within,
    ignores_class,
    ignores_labels,
    never_finite,
    no_gradient,
    pulls_back,
    unbounded,
    wrong_way,
)
from losses.one_image import OneImage, one_image
from losses.sign_chart import sign_chart
from records.losses import Interval, LossChart, Rewrite
from records.strict import number
from training.loss import FormulaLoss, Loss

BITS = 24  # of a float32
LEAST_GAIN = 0.5  # of these, on average: a smaller one is nothing to tell
FAINT_GRADIENT = 2.0**8 * SMALLEST_NORMAL  # below, float32 may lose a factor of it
SAME_WITHIN = 1e-30  # relative: two exact values that differ by less are one
# Where two formulas are compared: logits of both signs, each a hundredth or so larger than the one before.
SAME_AT = [sign * 2.0 ** (-10 + 19 * place / 199) for place in range(200) for sign in (-1, 1)]
# Where it is counted what float32 loses: up to logits that no image has left behind without a trace.
LOST_AT = [float(np.float32(sign * 2.0 ** (power / 2))) for power in range(-12, 19) for sign in (-1, 1)]


@dataclass(frozen=True)
class Lost:
    """What float32 loses of a loss: bits of value and gradient, the mean over LOST_AT and both labels; at how many of
    those logits that are wrong the computed gradient is 0, of the wrong sign, or not finite, though the exact one is a
    number of float32 that is not 0; at how many of all logits value or gradient is not finite, though the exact ones
    are no larger than float32 holds."""

    bits: float
    dead: int
    broken: int

    @property
    def rank(self) -> tuple[int, int, float]:
        """The least is best; less than a hundredth of a bit decides nothing."""
        return self.dead, self.broken, round(self.bits, 2)


def in_other_words(loss: Loss, text: str) -> FormulaLoss:
    """A formula with those of the constants of a loss that it names. Raises FormulaError."""
    constants = one_image(loss).constants.items()
    return FormulaLoss.of(text, {name: value for name, value in constants if re.search(rf"\b{name}\b", text)})


def better_form(loss: Loss) -> Rewrite | None:
    """The form of a loss of which float32 loses the least, the shortest of those: the same function, and no part of its
    sign chart is worse. None where the loss itself is that form, is no sum or mean over images, or teaches nothing
    worth keeping: pushes images away from their class, or ignores a class or the labels.
    """
    image = one_image(loss)
    if image.why_not is not None:
        return None
    chart = sign_chart(loss)
    if ignores_class(chart) or ignores_labels(chart) or no_gradient(chart) is not None or _is_wrong(chart):
        return None
    true = [(label, logit, image.exactly(label, logit)) for label in (0, 1) for logit in LOST_AT]
    before = _lost(image, true)
    candidates: list[tuple[Lost, FormulaLoss]] = []
    for text in forms(image.written):
        try:
            other = in_other_words(loss, text)
        except FormulaError:  # too long, say
            continue
        lost = _lost(one_image(other), true)
        if lost.rank < before.rank:
            candidates.append((lost, other))
    candidates.sort(key=lambda candidate: (*candidate[0].rank, len(candidate[1].text)))
    for lost, other in candidates:
        found = sign_chart(other)
        if is_same(loss, other) and _is_no_worse(found, chart, one_image(other)):
            return Rewrite(
                formula=other.text,
                constants=dict(other.constants),
                finite_within=number(finite_within(found)),
                pulls_back=pulls_back(found),
                lost=lost.bits,
                lost_before=before.bits,
                dead=lost.dead,
                dead_before=before.dead,
                wrong=len(LOST_AT),
            )
    return None


def form_to_tell(loss: Loss) -> Rewrite | None:
    """The better form of a loss that needs one, where it is better in one count and worse in none.

    A loss that float32 can train with as it is needs none. A form may pull back more wrong images and lose more bits on
    average, as that of (yhat - y)² does: a cure to be tried, but not better whatever the model. A small gain counts
    where float32 can train with the form.
    """
    found = None if is_clean(loss) else better_form(loss)
    if found is None or found.lost > found.lost_before or found.dead > found.dead_before:
        return None
    is_seen = found.dead < found.dead_before or found.lost_before - found.lost > LEAST_GAIN
    return found if is_seen or is_clean(FormulaLoss.of(found.formula, found.constants)) else None


def is_clean(loss: Loss) -> bool:
    """Whether float32 can train with this loss wherever a logit may be: value and gradient are finite, wrong images
    have a gradient, and towards their class; as far as float32 has numbers for them."""
    chart, image = sign_chart(loss), one_image(loss)
    if never_finite(chart) or wrong_way(chart):
        return False
    return not any(_is_lost(image, *defect) for defect in _defects(chart))


def _is_wrong(chart: LossChart) -> bool:
    return any(facts["whole"] for facts in (wrong_way(chart) or {}).values())


def is_same(loss: Loss, other: Loss) -> bool:
    """Whether two losses are one function of label and logit, exactly, and are defined at the same logits: 0 times what
    is infinite is 0 here.

    Raises NotPerImage where one is no sum or mean over images.
    """
    images = one_image(loss), one_image(other)
    for label in (0, 1):
        for logit in SAME_AT:
            # What differs may need more digits, as e^(-5 z) does beside 1, or be 0 * log(0).
            if not any(
                _are_same(*(image.exactly(label, logit, times, is_limit).value for image in images))
                for times, is_limit in ((1, False), (8, False), (8, True))
            ):
                return False
    return True


def _are_same(a, b) -> bool:
    if MP.isnan(a) or MP.isnan(b):
        return bool(MP.isnan(a) and MP.isnan(b))
    if MP.isinf(a) or MP.isinf(b):
        return bool(a == b)
    return bool(abs(a - b) <= SAME_WITHIN * max(abs(a), abs(b)))


def _lost(image: OneImage, truth: list[tuple[int, float, Dual]]) -> Lost:
    """truth: (label, logit, what the function is there); where that is not finite, it is asked of this form of it."""
    y, logits, _ = zip(*truth, strict=True)
    computed = image.in_float32(torch.tensor(y, dtype=torch.float32), torch.tensor(logits, dtype=torch.float32))
    bits, dead, broken = 0.0, 0, 0
    for (label, logit, known), value, gradient in zip(truth, *(each.tolist() for each in computed), strict=True):
        is_known = MP.isfinite(known.value) and MP.isfinite(known.slope)
        true = known if is_known else image.exactly(label, logit)
        bits += _bits_lost(value, true.value) + _bits_lost(gradient, true.slope)
        is_wrong = logit < 0 if label else logit > 0
        dead += is_wrong and _is_dead(gradient, true)
        has_numbers = abs(true.value) <= LARGEST and abs(true.slope) <= LARGEST
        broken += has_numbers and not (math.isfinite(value) and math.isfinite(gradient))
    return Lost(bits / (2 * len(truth)), dead, broken)


def _bits_lost(computed: float, true) -> float:
    """How many of float32's bits are wrong: 0 where it is the nearest number, all where it is not finite."""
    if true and not SMALLEST_NORMAL <= abs(true) <= LARGEST:
        return 0.0
    if not math.isfinite(computed):
        return BITS
    spacing = 2.0 ** (math.frexp(float(max(abs(true), SMALLEST_NORMAL)))[1] - BITS)
    return min(BITS, math.log2(max(1.0, float(abs(computed - true) / spacing))))


def _is_dead(gradient: float, true: Dual) -> bool:
    return SMALLEST_NORMAL <= abs(true.slope) <= LARGEST and not (math.isfinite(gradient) and gradient * true.slope > 0)


def _defects(chart: LossChart) -> list[tuple[int, Interval]]:
    """Where loss or gradient is not finite, or a wrong image has no gradient: (label, interval)."""
    defects = []
    for of_label in chart.labels:
        for interval in of_label.intervals:
            is_of_wrong = interval.low < 0 if of_label.label else interval.high > 0
            if not interval.is_finite or (is_of_wrong and interval.slope == "0"):
                defects.append((of_label.label, interval))
    return defects


def _is_lost(image: OneImage, label: int, interval: Interval) -> bool:
    """Whether float32 would have numbers for what is not finite, or 0, there: at the end nearest to the border."""
    logit = min((interval.low, interval.high), key=abs) if interval.low * interval.high > 0 else 0.0
    if image.why_not is not None:
        return True
    if abs(logit) > REACH:
        return False
    true = image.exactly(label, logit)
    if interval.is_finite:
        return not 0 < abs(true.slope) < FAINT_GRADIENT
    return abs(true.value) <= LARGEST and abs(true.slope) <= LARGEST


def _is_no_worse(chart: LossChart, before: LossChart, image: OneImage) -> bool:
    """Whether a chart has no defect, wrong way or missing bound that the one before has not at the same logits.

    image: of the chart's loss.
    """
    old, new = wrong_way(before) or {}, wrong_way(chart) or {}
    if set(new) - set(old) or (unbounded(chart) is not None) > (unbounded(before) is not None):
        return False
    covered = _defects(before)
    return all(
        any(label == other and wide.low <= interval.low and interval.high <= wide.high for other, wide in covered)
        or not _is_lost(image, label, interval)
        for label, interval in _defects(chart)
    )
