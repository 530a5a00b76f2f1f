"""From which logit on float32 loses more than half of φ's gradient."""

from collections.abc import Callable

import numpy as np

from losses.exact import REACH
from losses.one_image import VECTOR, OneLabel
from losses.ordinals import logit_at, logits_at, ordinal_of
from records.losses import Interval


def starved_from(intervals: list[Interval], phi: OneLabel, side: int) -> float | None:
    """The logit from which on, outwards, the computed gradient is less than half of the exact one.

    From outside inwards, interval by interval; in the one where that ends, by bisection. Beyond REACH it is as it is
    there; where it is not finite, nothing is said.
    """

    def is_starved(ordinal: int, gradient: float) -> bool:
        slope = phi.exactly(logit_at(ordinal)).slope
        return bool(slope != 0 and gradient * _direction(slope) < abs(slope) / 2)

    edge = ordinal_of(side * REACH), ordinal_of(side * 0.0)
    start = None
    for interval in intervals[::-1] if side > 0 else intervals:
        low, high = max(ordinal_of(interval.low), min(edge)), min(ordinal_of(interval.high), max(edge))
        if low > high:
            continue
        if not interval.is_finite:
            if start is not None:
                break
            continue
        outer, inner = (high, low) if side > 0 else (low, high)
        at_ends = phi.in_float32(logits_at(np.array([outer, inner])))[1].tolist()
        if not is_starved(outer, at_ends[0]):
            break
        start = inner if is_starved(inner, at_ends[1]) else _bisect(outer, inner, is_starved, phi)
        if start != inner:
            break
    return None if start is None else logit_at(start)


def _direction(slope) -> int:
    return 1 if slope > 0 else -1


def _bisect(bad: int, good: int, is_bad: Callable[[int, float], bool], phi: OneLabel) -> int:
    """The last ordinal from `bad` on towards `good`, which is none, that is bad: 64 gradients at a time."""
    while abs(good - bad) > 1:
        ordinals = np.unique(np.linspace(bad, good, VECTOR + 1).astype(np.int64))
        ordinals = ordinals if good > bad else ordinals[::-1]
        gradients = phi.in_float32(logits_at(ordinals))[1].tolist()
        last_bad, first_good = 0, len(ordinals) - 1
        while first_good - last_bad > 1:
            middle = (last_bad + first_good) // 2
            if is_bad(int(ordinals[middle]), gradients[middle]):
                last_bad = middle
            else:
                first_good = middle
        bad, good = int(ordinals[last_bad]), int(ordinals[first_good])
    return bad
