"""The float32 logits in a few intervals, of which each has one class: what value φ has there, and which way it slopes.

Looked at are every exponent and, where neighbours there differ, ever closer ones, until the last logit of the one class
and the first of the other are known.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby, pairwise

import numpy as np
import torch

from formulas.float32 import LARGEST
from losses.exact import REACH
from losses.one_image import OneImage, OneLabel
from losses.ordinals import OCTAVE, logit_at, logits_at, ordinal_of
from records.losses import Interval

MANTISSAS = 256  # of the grid, per exponent
SECTIONS = 32  # of a cell of the grid, of a section of it, of a section of that: then float32 has no more numbers
# So many neighbouring intervals, each shorter than an octave, are no shape that a loss has, but rounding: see _calmer.
FLICKER = 6
CLOSE = 64.0  # exact signs are asked for at logits that are no farther out, where an interval has such

# A class is 6 times the place of its value and the place of its gradient: the first three are of finite numbers.
VALUES = ("finite", "nan", "inf", "-inf")
GRADIENTS = ("0", "+", "-", "nan", "inf", "-inf")
FINITE_CLASSES = 3


@functools.cache
def grid_ordinals() -> np.ndarray:
    """Ordinals: every exponent, so many mantissas each, both signs; the smallest and the largest numbers too."""
    upper = np.arange(0, 255 * MANTISSAS) * (OCTAVE // MANTISSAS)
    upper = np.concatenate([upper[:1], [1], upper[1:], [ordinal_of(LARGEST)]])
    return np.concatenate([-1 - upper[::-1], upper])


@dataclass
class Stretch:
    """Neighbouring logits from low to high, as ordinals, both included: the class at either end, and all classes."""

    low: int
    high: int
    first: int
    last: int
    classes: set[int]

    @property
    def is_short(self) -> bool:
        """Whether it is a part of what rounding makes flicker, if enough of its neighbours are."""
        return self.is_mixed or self.high - self.low < OCTAVE

    @property
    def is_mixed(self) -> bool:
        return len(self.classes) > 1

    @property
    def is_finite(self) -> bool:
        return max(self.classes) < FINITE_CLASSES


def stretches_of(image: OneImage, values: np.ndarray, gradients: np.ndarray) -> list[list[Stretch]]:
    """The stretches of label 0 and of label 1, over all float32 logits.

    values, gradients: (2, grid), what float32 computes for label 0 and for label 1.
    """
    stretches = [_calmer(_stretches(grid_ordinals(), classes)) for classes in _classes(values, gradients)]
    return [_calmer(of_label) for of_label in _exact_ends(image, stretches)]


def _classes(values: np.ndarray, gradients: np.ndarray) -> np.ndarray:
    """The class of each logit: 6 times its value's place in VALUES and its gradient's in GRADIENTS."""
    value = np.isnan(values) + 2 * (values == np.inf) + 3 * (values == -np.inf)
    gradient = (gradients > 0) + 2 * (gradients < 0) + 3 * (np.isnan(gradients) | np.isinf(gradients))
    return 6 * value + gradient


def _stretches(ordinals: np.ndarray, classes: np.ndarray) -> list[Stretch]:
    """The stretches of one class among logits in order."""
    ends = np.append(np.flatnonzero(np.diff(classes)), len(classes) - 1)
    starts = np.append(0, ends[:-1] + 1)
    places = zip(ordinals[starts].tolist(), ordinals[ends].tolist(), classes[ends].tolist(), strict=True)
    return [Stretch(low, high, class_, class_, {class_}) for low, high, class_ in places]


def _calmer(stretches: list[Stretch]) -> list[Stretch]:
    """The stretches, but where rounding makes the class flicker, one stretch of all classes that were seen there.

    Where FLICKER or more stretches follow each other, each shorter than an octave, there may be thousands. First those
    that are finite, so that where φ stops being finite stays exact; then, where as many are left, all.
    """
    calmer = _merged(stretches, lambda stretch: stretch.is_short and stretch.is_finite)
    return _merged(calmer, lambda stretch: stretch.is_short)


def _merged(stretches: list[Stretch], is_flicker: Callable[[Stretch], bool]) -> list[Stretch]:
    merged: list[Stretch] = []
    for is_any, group in groupby(stretches, is_flicker):
        some = list(group)
        goes_on = all(stretch.is_finite for stretch in some) and any(stretch.is_mixed for stretch in some)
        if is_any and (len(some) >= FLICKER or goes_on):
            classes = set().union(*(stretch.classes for stretch in some))
            some = [Stretch(some[0].low, some[-1].high, some[0].first, some[-1].last, classes)]
        merged += some
    return merged


def _exact_ends(image: OneImage, stretches: list[list[Stretch]]) -> list[list[Stretch]]:
    """The stretches of both labels, from the grid's to all float32 numbers: searches, all of them side by side.

    Between neighbours of different classes, some numbers in even steps are looked at, until neighbours in class are
    neighbours in float32. What is the same at both ends of a cell of the grid is not looked at inside.
    """
    gaps = [(label, {a.high: a.last, b.low: b.first}) for label in (0, 1) for a, b in pairwise(stretches[label])]
    while asked := [(label, known, ordinal) for label, known in gaps for ordinal in _between(known)]:
        y = torch.tensor([float(label) for label, _, _ in asked])
        values, gradients = image.in_float32(y, logits_at(np.array([ordinal for _, _, ordinal in asked])))
        classes = _classes(values.numpy(), gradients.numpy()).tolist()
        for (_, known, ordinal), class_ in zip(asked, classes, strict=True):
            known[ordinal] = class_
    between = iter(sorted(known.items()) for _, known in gaps)
    return [_joined(stretches[label], between) for label in (0, 1)]


def _between(known: dict[int, int]) -> list[int]:
    """Ordinals, in SECTIONS steps, between those that are next to each other and not of the same class.

    Of as many changes as make a flicker, only the first and the last will be ends.
    """
    pairs = [(a, b) for a, b in pairwise(sorted(known)) if known[a] != known[b]]
    pairs = pairs if len(pairs) <= FLICKER else [pairs[0], pairs[-1]]
    return [ordinal for a, b in pairs for ordinal in range(a, b, max(1, (b - a) // SECTIONS)) if ordinal > a]


def _joined(stretches: list[Stretch], between) -> list[Stretch]:
    """Stretches that touch: what was found between two goes to the one of its class, or is a stretch by itself."""
    joined = [stretches[0]]
    for stretch in stretches[1:]:
        for ordinal, class_ in next(between)[1:-1]:
            if class_ == joined[-1].last:
                joined[-1].high = ordinal
            else:
                joined.append(Stretch(ordinal, ordinal, class_, class_, {class_}))
        if joined[-1].last == stretch.first:
            joined[-1].high, joined[-1].last = stretch.high, stretch.last
            joined[-1].classes |= stretch.classes
        else:
            joined.append(stretch)
    return joined


def interval_of(stretch: Stretch, phi: OneLabel | None) -> Interval:
    """A stretch as the chart keeps it; phi: of its label, None where nothing exact is known of the loss."""
    low, high = logit_at(stretch.low), logit_at(stretch.high)
    values, gradients = (
        {VALUES[each // 6] for each in stretch.classes},
        {GRADIENTS[each % 6] for each in stretch.classes},
    )
    value = next(value for value in ("nan", "inf", "-inf", "finite") if value in values)
    together = "".join(sign for sign in ("+", "0", "-", "nan", "inf", "-inf") if sign in gradients)
    place = inside(low, high)
    sign = _sign(phi.exactly(place).slope) if phi and abs(place) <= REACH else None
    return Interval(low, high, value, together, sign)


def inside(low: float, high: float) -> float:
    """A logit of an interval: in the middle of what is not far out, if anything is, where φ can be had exactly."""
    low, high = max(low, min(high, -CLOSE)), min(high, max(low, CLOSE))
    return logit_at((ordinal_of(low) + ordinal_of(high)) // 2)


def _sign(slope) -> str | None:
    return "+" if slope > 0 else "-" if slope < 0 else "0" if slope == 0 else None
