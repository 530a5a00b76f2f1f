"""The sign chart of a loss, computed: φ and its gradient at every float32 exponent and, where they change, at the last
logit before and the first one after. chart.py says what a chart is and what follows from it.

φ is the loss itself, called with one image: a mean or a sum over one image is that image's. Many logits are one call,
for a formula's shapes broadcast: where training has (n, 1) tensors, n images of one data set, there are (1, n) here,
one image each of n data sets. So every number is what training would see, but for the 1 / n of a mean.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby, pairwise

import numpy as np
import torch

from formulas.float32 import LARGEST, ONE_LOGIT, ZERO_LOGIT
from formulas.language import OVER_SAMPLES, Node, evaluate, walk
from losses.exact import DIGITS, REACH, Dual, constants, exact, formula
from records.losses import Corner, Infimum, Interval, LabelChart, LossChart
from records.strict import number
from training.loss import FormulaLoss, Loss

MANTISSAS = 256  # of the grid, per exponent
OCTAVE = 2**23  # float32 numbers from one power of two to the next
# So many neighbouring intervals, each shorter than an octave, are no shape that a loss has, but rounding: see _calmer.
FLICKER = 6
SECTIONS = 32  # of a cell of the grid, of a section of it, of a section of that: then float32 has no more numbers
# A kernel of torch computes what does not fill its vectors by other code, whose last bits may differ: fill them.
VECTOR = 64

VALUES = ("finite", "nan", "inf", "-inf")
GRADIENTS = ("0", "+", "-", "nan", "inf", "-inf")
CLOSE = 64.0  # exact signs are asked for at logits that are no farther out, where an interval has such
# Each twice as far as the one before: where φ is looked at to see where it goes, exactly and in float32.
FAR, FARTHEST = (REACH / 4, REACH / 2, REACH), (2.0**125, 2.0**126, 2.0**127)
NEGLIGIBLE = 10.0**-DIGITS  # of a value: nothing, to so many digits
PLAIN = 3  # a class is 6 times the place of its value and the place of its gradient: the first three are ordinary

Evaluate = Callable[[torch.Tensor, torch.Tensor], tuple[torch.Tensor, torch.Tensor]]


@functools.lru_cache(maxsize=32)  # findings, rewrites and trials all ask for it
def sign_chart(loss: Loss) -> LossChart:
    """The chart of a loss, over all float32 logits (see chart.py)."""
    why_not = why_not_per_image(loss)
    phi = per_image(loss)
    ordinals = _grid()
    values, gradients = phi(*_both_labels(_logits(ordinals)))
    values, gradients = values.reshape(2, -1).numpy(), gradients.reshape(2, -1).numpy()
    runs = _exact_ends(phi, [_calmer(_runs(ordinals, classes)) for classes in _classes(values, gradients)])
    return LossChart(
        per_image=why_not is None,
        why_not=why_not,
        labels=[
            _label_chart(label, _calmer(runs[label]), values[label], gradients[label], phi, None if why_not else loss)
            for label in (0, 1)
        ],
        same_gradient=bool(np.array_equal(gradients[0], gradients[1], equal_nan=True)),
        corners=corners(loss),
    )


def corners(loss: Loss) -> list[Corner]:
    """φ and its gradient for both labels where ŷ becomes 1 and 0, and at the largest logits."""
    # A hair beyond the limit, for 24 ln 2 is no float32.
    edges = [(1, ONE_LOGIT * (1 + 1e-6)), (0, ZERO_LOGIT * (1 + 1e-6)), (1, LARGEST), (0, -LARGEST)]
    logits = torch.tensor([logit for _, logit in edges])
    found = [each.reshape(2, -1).T.flatten().tolist() for each in per_image(loss)(*_both_labels(logits))]
    is_safe = np.isfinite(found).all(0).tolist()
    places = [(yhat, logit, y) for yhat, logit in edges for y in (0, 1)]
    return [
        Corner(y, yhat, logit, number(value), number(gradient), safe)
        for (yhat, logit, y), value, gradient, safe in zip(places, *found, is_safe, strict=True)
    ]


# The loss of one image


class NotPerImage(ValueError):
    """A loss is no sum or mean over images: says why."""


def why_not_per_image(loss: Loss) -> str | None:
    """Why a loss is no sum, or no mean, over images, in words; None where it is one.

    It is one where it adds terms in which a mean, or a sum, of what single images have stands by itself or is
    multiplied or divided by what the labels alone decide: 2 * mean(f) + mean(g) + 1, mean(f) / mean(y).
    """
    try:
        terms(loss)
    except NotPerImage as error:
        return str(error)
    return None


def terms(loss: Loss) -> list[Node]:
    """The reductions inside a loss that the labels alone decide, and that weigh its images. Raises NotPerImage."""
    if not isinstance(loss, FormulaLoss):
        return []
    weights: list[Node] = []
    over = _reductions(loss.tree, weights)
    if len(over) > 1:
        raise NotPerImage("a mean beside a sum: how much each counts depends on the number of images")
    return weights


def _reductions(node: Node, weights: list[Node]) -> set[str]:
    """Which of mean and sum the logits go through in a node of shape (). weights: receives those of labels alone."""
    if not _depends(node):
        return set()
    inner = [argument for argument in node.arguments if _depends(argument)]
    rest = [argument for argument in node.arguments if argument not in inner]
    match node.operation:
        case "mean" | "sum":
            for part in walk(node.arguments[0]):
                if part.operation in OVER_SAMPLES and _depends(part):
                    raise NotPerImage(f"'{part.text}' makes each image's part depend on all others")
                if part.operation in OVER_SAMPLES:
                    weights.append(part)
            return {node.operation}
        case "+" | "-" | "negative":
            return set().union(*(_reductions(argument, weights) for argument in inner))
        case "*" | "/" if len(inner) == 1 and (node.operation == "*" or inner[0] is node.arguments[0]):
            weights += [part for argument in rest for part in walk(argument) if part.operation in OVER_SAMPLES]
            return _reductions(inner[0], weights)
    raise NotPerImage(f"'{node.text}' is no sum or mean over images")


def _depends(node: Node) -> bool:
    return any(part.operation == "variable" and part.text in ("yhat", "logits") for part in walk(node))


def per_image(loss: Loss) -> Evaluate:
    """φ: a function of the labels (n,) and logits (n,) of n images, each alone, that gives the value and the gradient
    with respect to the logit of each, (n,), float32.

    What labels alone decide, mean(y) as a factor say, is that of a data set with one image of either class. Where the
    loss is no sum or mean over images, each is in the company of two undecided images, one of either class.
    """
    if not isinstance(loss, FormulaLoss):
        return functools.partial(_evaluate, lambda y, z: _module_values(loss, y, z))
    try:
        weights, company = terms(loss), False
    except NotPerImage:
        weights, company = [], True
    y = torch.tensor([[0.0], [1.0]])
    known: dict = {}
    for node in weights:
        known[node] = evaluate(node, {"y": y}, known)

    def values(y: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        y, z = y.unsqueeze(0), z.unsqueeze(0)
        if company:
            y = torch.cat([y, torch.zeros_like(y), torch.ones_like(y)])
            z = torch.cat([z, torch.zeros_like(y[1:])])
        value = evaluate(loss.tree, {"y": y, "yhat": z.sigmoid(), "logits": z}, known)
        return value.expand(y.shape[1])

    return functools.partial(_evaluate, values)


def _module_values(loss: Loss, y: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
    z = z.unsqueeze(1)
    return loss.each(z.sigmoid() if loss.fed == "yhat" else z, y.unsqueeze(1)).reshape(-1)


def _evaluate(values, y: torch.Tensor, z: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    n, missing = len(z), -len(z) % VECTOR
    y, z = (torch.cat([each, each[-1:].expand(missing)]) for each in (y, z))
    z.requires_grad_()
    value = values(y, z)
    gradient = None
    if value.requires_grad:  # a comparison, say, has none
        # Of the sum: given ones in its place, torch imports sympy, half a second.
        (gradient,) = torch.autograd.grad(value.sum(), z, allow_unused=True)
    gradient = torch.zeros_like(z) if gradient is None else gradient
    return value.detach()[:n], gradient.detach()[:n]


def _both_labels(logits: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    y = torch.cat([torch.zeros_like(logits), torch.ones_like(logits)])
    return y, logits.repeat(2)


# All float32 numbers in order: the ordinal of 0.0 is 0, of -0.0 it is -1, and of the next larger number 1 more.


def _logits(ordinals: np.ndarray) -> torch.Tensor:
    bits = np.where(ordinals >= 0, ordinals, ~(ordinals + 2**31))
    return torch.from_numpy(bits.astype(np.int32).view(np.float32))


def _logit(ordinal: int) -> float:
    return _logits(np.array([ordinal])).item()


def _ordinal(logit: float) -> int:
    bits = int(np.array(logit, np.float32).view(np.int32))
    return bits if bits >= 0 else -1 - (bits & 0x7FFFFFFF)


@functools.cache
def _grid() -> np.ndarray:
    """Ordinals: every exponent, so many mantissas each, both signs; the smallest and the largest numbers too."""
    upper = np.arange(0, 255 * MANTISSAS) * (OCTAVE // MANTISSAS)
    upper = np.concatenate([upper[:1], [1], upper[1:], [_ordinal(LARGEST)]])
    return np.concatenate([-1 - upper[::-1], upper])


# Classes and runs of them


def _classes(values: np.ndarray, gradients: np.ndarray) -> np.ndarray:
    """The class of each logit: 6 times its value's place in VALUES and its gradient's in GRADIENTS."""
    value = np.isnan(values) + 2 * (values == np.inf) + 3 * (values == -np.inf)
    gradient = (gradients > 0) + 2 * (gradients < 0) + 3 * (np.isnan(gradients) | np.isinf(gradients))
    return 6 * value + gradient


@dataclass
class _Run:
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
    def is_plain(self) -> bool:
        return max(self.classes) < PLAIN


def _runs(ordinals: np.ndarray, classes: np.ndarray) -> list[_Run]:
    """The runs of one class among logits in order."""
    ends = np.append(np.flatnonzero(np.diff(classes)), len(classes) - 1)
    starts = np.append(0, ends[:-1] + 1)
    found = zip(ordinals[starts].tolist(), ordinals[ends].tolist(), classes[ends].tolist(), strict=True)
    return [_Run(low, high, one, one, {one}) for low, high, one in found]


def _calmer(runs: list[_Run]) -> list[_Run]:
    """The runs, but where rounding makes the class flicker, one run of all classes that were seen there.

    Where FLICKER or more runs follow each other, each shorter than an octave, there may be thousands. First those that
    are finite, so that where φ stops being finite stays exact; then, where as many are left, all.
    """
    return _merged(_merged(runs, lambda run: run.is_short and run.is_plain), lambda run: run.is_short)


def _merged(runs: list[_Run], is_flicker: Callable[[_Run], bool]) -> list[_Run]:
    merged: list[_Run] = []
    for is_any, group in groupby(runs, is_flicker):
        some = list(group)
        goes_on = all(run.is_plain for run in some) and any(run.is_mixed for run in some)
        if is_any and (len(some) >= FLICKER or goes_on):
            classes = set().union(*(run.classes for run in some))
            some = [_Run(some[0].low, some[-1].high, some[0].first, some[-1].last, classes)]
        merged += some
    return merged


def _exact_ends(phi: Evaluate, runs: list[list[_Run]]) -> list[list[_Run]]:
    """The runs of both labels, from the grid's to all float32 numbers: searches, all of them side by side.

    Between neighbours of different classes, some numbers in even steps are looked at, until neighbours in class are
    neighbours in float32. What is the same at both ends of a cell of the grid is not looked at inside.
    """
    gaps = [(label, {a.high: a.last, b.low: b.first}) for label in (0, 1) for a, b in pairwise(runs[label])]
    while asked := [(label, known, ordinal) for label, known in gaps for ordinal in _between(known)]:
        y = torch.tensor([float(label) for label, _, _ in asked])
        values, gradients = phi(y, _logits(np.array([ordinal for _, _, ordinal in asked])))
        classes = _classes(values.numpy(), gradients.numpy()).tolist()
        for (_, known, ordinal), found in zip(asked, classes, strict=True):
            known[ordinal] = found
    found = iter(sorted(known.items()) for _, known in gaps)
    return [_joined(runs[label], found) for label in (0, 1)]


def _between(known: dict[int, int]) -> list[int]:
    """Ordinals, in SECTIONS steps, between those that are next to each other and not of the same class.

    Of as many changes as make a flicker, only the first and the last will be ends.
    """
    pairs = [(a, b) for a, b in pairwise(sorted(known)) if known[a] != known[b]]
    pairs = pairs if len(pairs) <= FLICKER else [pairs[0], pairs[-1]]
    return [ordinal for a, b in pairs for ordinal in range(a, b, max(1, (b - a) // SECTIONS)) if ordinal > a]


def _joined(runs: list[_Run], between) -> list[_Run]:
    """Runs that touch: what was found between two of them goes to the one of its class, or is a run by itself."""
    joined = [runs[0]]
    for run in runs[1:]:
        for ordinal, found in next(between)[1:-1]:
            if found == joined[-1].last:
                joined[-1].high = ordinal
            else:
                joined.append(_Run(ordinal, ordinal, found, found, {found}))
        if joined[-1].last == run.first:
            joined[-1].high, joined[-1].last = run.high, run.last
            joined[-1].classes |= run.classes
        else:
            joined.append(run)
    return joined


# From runs to charts: what the exact loss has to say


def _label_chart(
    label: int, runs: list[_Run], values: np.ndarray, gradients: np.ndarray, phi: Evaluate, loss: Loss | None
) -> LabelChart:
    """values, gradients: φ on the grid. loss: None where it is no sum or mean over images: there is no exact φ."""
    exactly = None if loss is None else _exactly(loss, label)
    intervals = [_interval(run, exactly) for run in runs]
    is_finite = np.isfinite(values)
    least = int(np.argmin(np.where(is_finite, values, np.inf)))
    computed = _Computed(_grid(), values, gradients, phi, label)
    return LabelChart(
        label=label,
        intervals=intervals,
        at_zero=number(float(values[np.searchsorted(_grid(), 0)])),
        least=number(float(values[least]) + 0.0 if is_finite.any() else np.nan),
        infimum=exactly and _infimum(intervals, exactly, computed),
        starved_below=exactly and _starved(intervals, exactly, computed, -1),
        starved_above=exactly and _starved(intervals, exactly, computed, 1),
    )


@dataclass
class _Computed:
    """φ of a label in float32: value and gradient on the grid, and, called with ordinals (n,), there."""

    ordinals: np.ndarray
    values: np.ndarray
    gradients: np.ndarray
    phi: Evaluate
    label: int

    def __call__(self, ordinals: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        logits = _logits(ordinals)
        value, gradient = self.phi(torch.full_like(logits, self.label), logits)
        return value.numpy(), gradient.numpy()


def _exactly(loss: Loss, label: int) -> Callable[[float], Dual]:
    """Exact φ of a label, as a function of a logit."""
    tree = formula(loss)
    known = constants(terms(loss), over=(0, 1))
    return functools.cache(lambda logit: exact(tree, label, logit, known))


def _interval(run: _Run, exactly: Callable[[float], Dual] | None) -> Interval:
    low, high = _logit(run.low), _logit(run.high)
    values, gradients = {VALUES[one // 6] for one in run.classes}, {GRADIENTS[one % 6] for one in run.classes}
    value = next(value for value in ("nan", "inf", "-inf", "finite") if value in values)
    together = "".join(sign for sign in ("+", "0", "-", "nan", "inf", "-inf") if sign in gradients)
    place = _inside(low, high)
    sign = _sign(exactly(place).slope) if exactly and abs(place) <= REACH else None
    return Interval(low, high, value, together, sign)


def _inside(low: float, high: float) -> float:
    """A logit of an interval: in the middle of what is not far out, if anything is, where φ can be had exactly."""
    low, high = max(low, min(high, -CLOSE)), min(high, max(low, CLOSE))
    return _logit((_ordinal(low) + _ordinal(high)) // 2)


def _sign(slope) -> str | None:
    return "+" if slope > 0 else "-" if slope < 0 else "0" if slope == 0 else None


def _infimum(intervals: list[Interval], exactly: Callable[[float], Dual], computed: _Computed) -> Infimum:
    """The least of: where a falling φ starts to rise, where it is flat, where it goes far out; the ends of intervals,
    for there are its poles and steps; the grid's least logit.

    Which intervals fall and rise is what the exact gradient says, where it can be asked; else float32 is believed.
    """
    candidates = [*_valleys(intervals, exactly, computed), *_ends(intervals, exactly, computed)]
    least = float(
        _logits(computed.ordinals)[np.argmin(np.where(np.isfinite(computed.values), computed.values, np.inf))]
    )
    if abs(least) <= REACH or not candidates:
        candidates.append(_at(least, least, least, exactly, computed))
    ends = (end for interval in intervals for end in (interval.low, interval.high) if abs(end) <= REACH)
    candidates += [_at(end, end, end, exactly, computed) for end in ends]
    best = min((one for one in candidates if one.value == one.value), key=lambda one: one.value, default=None)
    if best is None:
        return Infimum("nan", -LARGEST, LARGEST, None)
    value = 0.0 if abs(best.value) < NEGLIGIBLE else float(best.value)
    return Infimum(number(value), best.low, best.high, best.towards)


def _at(logit: float, low: float, high: float, exactly: Callable[[float], Dual], computed: _Computed) -> Infimum:
    """φ at a logit, exactly where that can be had, as a candidate that stands for low to high."""
    value = exactly(logit).value if abs(logit) <= REACH else computed(np.array([_ordinal(logit)]))[0].item()
    return Infimum(value, low, high, None)


def _valleys(intervals: list[Interval], exactly: Callable[[float], Dual], computed: _Computed) -> list[Infimum]:
    """Where φ is flat, or falls before and rises after."""
    shaped = [(one.exact or one.slope, one) for one in intervals if one.exact or one.slope]
    parts = [(sign, [one for _, one in some]) for sign, some in groupby(shaped, key=lambda pair: pair[0])]
    found = []
    for sign, some in parts:
        if sign == "0":
            low, high = some[0].low, some[-1].high
            found.append(_lowest(low, high, exactly) or _at(_inside(low, high), low, high, exactly, computed))
    for (sign, some), (next_sign, others) in pairwise(parts):
        if sign + next_sign == "-+":
            falls, rises = some[-1], others[0]
            valley = _lowest(falls.high, rises.low, exactly)
            valley = valley or _lowest(_inside(falls.low, falls.high), _inside(rises.low, rises.high), exactly)
            found.append(valley or _at(rises.low, falls.high, rises.low, exactly, computed))
    return found


def _lowest(a: float, b: float, exactly: Callable[[float], Dual]) -> Infimum | None:
    """The lowest point of a φ that falls at a and rises at b, to 50 digits; None where it does not, or is too far out.

    By turns the tangents' meeting, which is the point of a kink, and the zero of the slopes' secant.
    """
    if max(abs(a), abs(b)) > REACH or not exactly(a).slope < 0 < exactly(b).slope:
        return None
    best = min(a, b, key=lambda z: exactly(z).value)
    for turn in range(100):
        at_a, at_b = exactly(a), exactly(b)
        if turn % 2:
            c = a - at_a.slope * (b - a) / (at_b.slope - at_a.slope)
        else:
            c = a + (at_b.value - at_a.value - at_b.slope * (b - a)) / (at_a.slope - at_b.slope)
        if not a < c < b:
            break
        best = min(best, c, key=lambda z: exactly(z).value)
        slope = exactly(c).slope
        if slope == 0 or b - a < NEGLIGIBLE:
            break
        a, b = (c, b) if slope < 0 else (a, c)
    place = float(np.float32(float(best))) + 0.0  # no -0.0
    return Infimum(exactly(best).value, place, place, None)


def _ends(intervals: list[Interval], exactly: Callable[[float], Dual], computed: _Computed) -> list[Infimum]:
    """Where φ goes as the logit grows without end, to either side, if it falls on the way."""
    found = []
    for side in (-1, 1):
        rising = "+" if side > 0 else "-"
        turns = any(one.slope == rising and max(one.low * side, one.high * side) > REACH for one in intervals)
        if exactly(side * REACH).slope * side < 0 and not turns:
            values = [exactly(side * logit).value for logit in FAR]
            far = computed(np.array([_ordinal(side * logit) for logit in FARTHEST]))[0].tolist()
            found.append(Infimum(_limit(values, far), side * LARGEST, side * LARGEST, "inf" if side > 0 else "-inf"))
    return found


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


def _starved(
    intervals: list[Interval], exactly: Callable[[float], Dual], computed: _Computed, side: int
) -> float | None:
    """The logit from which on, outwards, the computed gradient is less than half of the exact one.

    From outside inwards, interval by interval; in the one where that ends, by bisection. Beyond REACH it is as it is
    there; where it is not finite, nothing is said.
    """

    def is_starved(ordinal: int, gradient: float) -> bool:
        slope = exactly(_logit(ordinal)).slope
        return bool(slope != 0 and gradient * _direction(slope) < abs(slope) / 2)

    edge = _ordinal(side * REACH), _ordinal(side * 0.0)
    found = None
    for interval in intervals[::-1] if side > 0 else intervals:
        low, high = max(_ordinal(interval.low), min(edge)), min(_ordinal(interval.high), max(edge))
        if low > high:
            continue
        if not interval.is_finite:
            if found is not None:
                break
            continue
        outer, inner = (high, low) if side > 0 else (low, high)
        at_ends = computed(np.array([outer, inner]))[1].tolist()
        if not is_starved(outer, at_ends[0]):
            break
        found = inner if is_starved(inner, at_ends[1]) else _bisect(outer, inner, is_starved, computed)
        if found != inner:
            break
    return None if found is None else _logit(found)


def _direction(slope) -> int:
    return 1 if slope > 0 else -1


def _bisect(bad: int, good: int, is_bad: Callable[[int, float], bool], computed: _Computed) -> int:
    """The last ordinal from `bad` on towards `good`, which is none, that is bad: 64 gradients at a time."""
    while abs(good - bad) > 1:
        ordinals = np.unique(np.linspace(bad, good, VECTOR + 1).astype(np.int64))
        ordinals = ordinals if good > bad else ordinals[::-1]
        gradients = computed(ordinals)[1].tolist()
        last_bad, first_good = 0, len(ordinals) - 1
        while first_good - last_bad > 1:
            middle = (last_bad + first_good) // 2
            if is_bad(int(ordinals[middle]), gradients[middle]):
                last_bad = middle
            else:
                first_good = middle
        bad, good = int(ordinals[last_bad]), int(ordinals[first_good])
    return bad
