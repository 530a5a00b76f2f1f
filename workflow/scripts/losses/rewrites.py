"""The same loss, typed so that float32 loses less of it: what the laws of formulas/rewriting.py give, held against
exact numbers, and what other functions a loss may have been meant to be.
"""

import functools
import math
import re
from dataclasses import dataclass

import numpy as np
import torch

from formulas.float32 import LARGEST, SMALLEST_NORMAL
from formulas.language import Node, walk
from formulas.parsing import FormulaError, parse_loss
from formulas.rewriting import forms
from losses.exact import REACH, Dual, constants, exact, formula
from losses.facts import ignores_class, ignores_labels, no_gradient, unbounded, wrong_way
from losses.signs import per_image, sign_chart, terms, why_not_per_image
from records.losses import Interval, LossChart, Rewrite
from training.loss import FormulaLoss, Loss, ModuleLoss

BITS = 24  # of a float32
SAME = 1e-30  # relative: two exact values that differ by less are one
# Where two formulas are compared: logits of both signs, each a hundredth or so larger than the one before.
COMPARED = [sign * 2.0 ** (-10 + 18 * place / 199) for place in range(200) for sign in (-1, 1)]
# Where it is counted what float32 loses: up to logits that no image has left behind without a trace.
MEASURED = [sign * 2.0 ** (power / 2) for power in range(-12, 19) for sign in (-1, 1)]


@dataclass(frozen=True)
class Loses:
    """What float32 loses of a loss: bits of value and gradient, the mean over MEASURED and both labels; at how many of
    those logits that are wrong the computed gradient is 0, of the wrong sign, or not finite, though the exact one is a
    number of float32 that is not 0."""

    bits: float
    dead: int


def written(loss: Loss) -> Node:
    """The tree of a loss as config.yaml could have it: as typed, or what a module computes."""
    tree = formula(loss)
    if isinstance(loss, ModuleLoss) and loss.module.reduction == "sum":
        return parse_loss(f"sum{tree.text.removeprefix('mean')}", constants_of(loss))
    return tree


def constants_of(loss: Loss) -> dict[str, float]:
    """The constants that its formula may name."""
    if isinstance(loss, FormulaLoss):
        return dict(loss.constants)
    numbers = (node for node in walk(formula(loss)) if node.operation == "number")
    return {node.text: node.value for node in numbers if node.text.isidentifier()}


def in_other_words(loss: Loss, text: str) -> FormulaLoss:
    """A formula with those of the constants of a loss that it names. Raises FormulaError."""
    return FormulaLoss.of(text, {n: value for n, value in constants_of(loss).items() if re.search(rf"\b{n}\b", text)})


def better(loss: Loss) -> Rewrite | None:
    """The form of a loss of which float32 loses the least, the shortest of those: the same function, and no part of its
    sign chart is worse. None where the loss itself is that form, is no sum or mean over images, or teaches nothing
    worth keeping: pushes images away from their class, or ignores a class or the labels.
    """
    if why_not_per_image(loss) is not None:
        return None
    chart = sign_chart(loss)
    if ignores_class(chart) or ignores_labels(chart) or no_gradient(chart) is not None or _is_wrong(chart):
        return None
    tree = written(loss)
    before = _loses(loss, tree)
    found = []
    for text in forms(tree):
        try:
            other = in_other_words(loss, text)
        except FormulaError:  # too long, say
            continue
        loses = _loses(other, other.tree)
        if (loses.dead, round(loses.bits, 2)) < (before.dead, round(before.bits, 2)):
            found.append((loses, other))
    found.sort(key=lambda one: (one[0].dead, round(one[0].bits, 2), len(one[1].text)))
    for loses, other in found:
        if is_same(tree, other.tree) and _is_no_worse(sign_chart(other), chart, other):
            return Rewrite(
                formula=other.text,
                constants=dict(other.constants),
                lost=loses.bits,
                lost_before=before.bits,
                dead=loses.dead,
                dead_before=before.dead,
                wrong=len(MEASURED),
            )
    return None


def is_clean(loss: Loss) -> bool:
    """Whether float32 can train with this loss wherever a logit may be: value and gradient are finite, wrong images
    have a gradient, and towards their class; as far as float32 has numbers for them."""
    chart = sign_chart(loss)
    return wrong_way(chart) is None and not any(_is_lost(loss, *one) for one in _defects(chart))


def _is_wrong(chart: LossChart) -> bool:
    return any(facts["whole"] for facts in (wrong_way(chart) or {}).values())


def _exactly(loss: Loss, tree: Node, label: int):
    weights = constants(terms(loss), over=(0, 1))
    return functools.partial(exact, tree, label, known=weights)


def is_same(tree: Node, other: Node) -> bool:
    """Whether two formulas are one function of label and logit, exactly, wherever both are defined."""
    both = [(one, constants(terms(FormulaLoss(one.text, one)), over=(0, 1))) for one in (tree, other)]
    for label in (0, 1):
        for logit in COMPARED:
            a, b = (exact(one, label, logit, known).value for one, known in both)
            if abs(a - b) > SAME * max(abs(a), abs(b)):
                return False
    return True


def _loses(loss: Loss, tree: Node) -> Loses:
    y = [label for label in (0, 1) for _ in MEASURED]
    logits = np.array(MEASURED * 2, np.float32)
    computed = per_image(loss)(torch.tensor(y, dtype=torch.float32), torch.from_numpy(logits))
    exactly = [_exactly(loss, tree, label) for label in (0, 1)]
    lost, dead = 0.0, 0
    for label, logit, value, gradient in zip(y, logits.tolist(), *(one.tolist() for one in computed), strict=True):
        true = exactly[label](logit)
        lost += _bits_lost(value, true.value) + _bits_lost(gradient, true.slope)
        is_wrong = logit < 0 if label else logit > 0
        dead += is_wrong and _is_dead(gradient, true)
    return Loses(lost / (2 * len(y)), dead)


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
    found = []
    for one in chart.labels:
        for interval in one.intervals:
            is_of_wrong = interval.low < 0 if one.label else interval.high > 0
            if not interval.is_finite or (is_of_wrong and interval.slope == "0"):
                found.append((one.label, interval))
    return found


def _is_lost(loss: Loss, label: int, interval: Interval) -> bool:
    """Whether float32 would have numbers for what is not finite, or 0, there: at the end nearest to the border."""
    logit = min((interval.low, interval.high), key=abs) if interval.low * interval.high > 0 else 0.0
    if why_not_per_image(loss) is not None:
        return True
    if abs(logit) > REACH:
        return False
    true = _exactly(loss, written(loss), label)(logit)
    if interval.is_finite:
        return not 0 < abs(true.slope) < SMALLEST_NORMAL
    return abs(true.value) <= LARGEST and abs(true.slope) <= LARGEST


def _is_no_worse(chart: LossChart, before: LossChart, loss: Loss) -> bool:
    """Whether a chart has no defect, wrong way or missing bound that the one before has not at the same logits."""
    old, new = wrong_way(before) or {}, wrong_way(chart) or {}
    if set(new) - set(old) or (unbounded(chart) is not None) > (unbounded(before) is not None):
        return False
    covered = _defects(before)
    return all(
        any(label == other and one.low <= interval.low and interval.high <= one.high for other, one in covered)
        or not _is_lost(loss, label, interval)
        for label, interval in _defects(chart)
    )
