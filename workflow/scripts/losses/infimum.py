"""The largest lower bound of φ, exactly, and where it lies."""

import math
from itertools import groupby, pairwise

import numpy as np
import torch

from formulas.float32 import HALF, LARGEST
from losses.exact import DIGITS, REACH
from losses.intervals import inside
from losses.one_image import OneLabel
from records.losses import Infimum, Interval
from records.strict import number

# Each twice as far as the one before: where φ is looked at to see where it goes, exactly and in float32.
FAR_EXACTLY = (REACH / 4, REACH / 2, REACH)
FAR_IN_FLOAT32 = (2.0**125, 2.0**126, 2.0**127)
AS_LOW = 1e-12  # of a value: two minima that differ by less are one
NEGLIGIBLE = 10.0**-DIGITS  # of a value: nothing, to so many digits


def infimum(intervals: list[Interval], phi: OneLabel, lowest: float) -> Infimum:
    """The least of: where a falling φ starts to rise, where it is flat, where it goes far out; the ends of intervals,
    for there are its poles and steps; `lowest`, the logit of the grid at which float32 has the least finite value.

    Which intervals fall and rise is what the exact gradient says, where it can be asked; else float32 is believed.
    """
    candidates = [*_valleys(intervals, phi), *_ends(intervals, phi)]
    if abs(lowest) <= REACH or not candidates:
        candidates.append(_at(lowest, lowest, lowest, phi))
    ends = (end for interval in intervals for end in (interval.low, interval.high) if abs(end) <= REACH)
    candidates += [_at(end, end, end, phi) for end in ends]
    best = min((each for each in candidates if each.value == each.value), key=lambda each: each.value, default=None)
    if best is None:
        return Infimum("nan", -LARGEST, LARGEST, None)
    value = 0.0 if abs(best.value) < NEGLIGIBLE else float(best.value)
    return Infimum(number(value), best.low, best.high, best.towards, _across(best, candidates, phi))


def _across(best: Infimum, candidates: list[Infimum], phi: OneLabel) -> float | None:
    """The end nearest to the border of what is as low on its other side: of an even loss, the mirror image."""
    if (best.low <= HALF and best.high >= -HALF) or not phi.exactly(0.0).value > best.value + _close(best.value):
        return None
    is_above = best.low > 0
    others = (each for each in candidates if (each.high < -HALF if is_above else each.low > HALF))
    ends = [each.high if is_above else each.low for each in others if _is_as_low(each.value, best.value)]
    return min(ends, key=abs, default=None)


def _is_as_low(value, least) -> bool:
    return value == least or (math.isfinite(least) and value - least <= _close(least))


def _close(value) -> float:
    return AS_LOW * max(1.0, abs(value)) if math.isfinite(value) else 0.0


def _at(logit: float, low: float, high: float, phi: OneLabel) -> Infimum:
    """φ at a logit, exactly where that can be had, as a candidate that stands for low to high."""
    value = phi.exactly(logit).value if abs(logit) <= REACH else phi.in_float32(torch.tensor([logit]))[0].item()
    return Infimum(value, low, high, None)


def _valleys(intervals: list[Interval], phi: OneLabel) -> list[Infimum]:
    """Where φ is flat, or falls before and rises after."""
    shaped = [interval for interval in intervals if interval.exact or interval.slope]
    parts = [
        (sign, list(part)) for sign, part in groupby(shaped, key=lambda interval: interval.exact or interval.slope)
    ]
    valleys = []
    for sign, part in parts:
        if sign == "0":
            low, high = part[0].low, part[-1].high
            valleys.append(_lowest(low, high, phi) or _at(inside(low, high), low, high, phi))
    for (sign, part), (next_sign, next_part) in pairwise(parts):
        if sign + next_sign == "-+":
            falls, rises = part[-1], next_part[0]
            valley = _lowest(falls.high, rises.low, phi)
            valley = valley or _lowest(inside(falls.low, falls.high), inside(rises.low, rises.high), phi)
            valleys.append(valley or _at(rises.low, falls.high, rises.low, phi))
    return valleys


def _lowest(a: float, b: float, phi: OneLabel) -> Infimum | None:
    """The lowest point of a φ that falls at a and rises at b, to 50 digits; None where it does not, or is too far out.

    By turns the tangents' meeting, which is the point of a kink, and the zero of the slopes' secant.
    """
    if max(abs(a), abs(b)) > REACH or not phi.exactly(a).slope < 0 < phi.exactly(b).slope:
        return None
    best = min(a, b, key=lambda z: phi.exactly(z).value)
    for turn in range(100):
        at_a, at_b = phi.exactly(a), phi.exactly(b)
        if turn % 2:
            c = a - at_a.slope * (b - a) / (at_b.slope - at_a.slope)
        else:
            c = a + (at_b.value - at_a.value - at_b.slope * (b - a)) / (at_a.slope - at_b.slope)
        if not a < c < b:
            break
        best = min(best, c, key=lambda z: phi.exactly(z).value)
        slope = phi.exactly(c).slope
        if slope == 0 or b - a < NEGLIGIBLE:
            break
        a, b = (c, b) if slope < 0 else (a, c)
    place = float(np.float32(float(best))) + 0.0  # no -0.0
    return Infimum(phi.exactly(best).value, place, place, None)


def _ends(intervals: list[Interval], phi: OneLabel) -> list[Infimum]:
    """Where φ goes as the logit grows without end, to either side, if it falls on the way."""
    ends = []
    for side in (-1, 1):
        rising = "+" if side > 0 else "-"
        turns = any(part.slope == rising and max(part.low * side, part.high * side) > REACH for part in intervals)
        if phi.exactly(side * REACH).slope * side < 0 and not turns:
            values = [phi.exactly(side * logit).value for logit in FAR_EXACTLY]
            far = phi.in_float32(torch.tensor([side * logit for logit in FAR_IN_FLOAT32]))[0].tolist()
            ends.append(Infimum(_limit(values, far), side * LARGEST, side * LARGEST, "inf" if side > 0 else "-inf"))
    return ends


def _limit(exact_values: list, computed_values: list[float]):
    """Where values at logits, each twice the one before, go: exact ones, and those of float32 much farther out.

    Without end, if each time that the logit doubles they fall by no less than the time before; -minimum(logits, 1000)
    does not, for float32 does not fall any more. What falls by less goes to an end, which Aitken's extrapolation has
    exactly for any power of the logit; of a power of e, 50 digits see nothing but the end itself.
    """
    falls, falls_again = _falls(exact_values)
    computed_falls, computed_falls_again = _falls(computed_values)  # NaN where they are not finite
    if falls_again >= falls:
        return computed_values[-1] if computed_falls_again == 0 else -np.inf
    if falls_again < NEGLIGIBLE:
        return exact_values[-1]
    if computed_falls_again == 0:
        return computed_values[-1]
    if computed_falls_again < computed_falls:
        return computed_values[-1] - computed_falls_again**2 / (computed_falls - computed_falls_again)
    return exact_values[-1] - falls_again**2 / (falls - falls_again)


def _falls(values: list) -> tuple:
    first, second, last = values
    return first - second, second - last
