"""The sign chart of a loss, computed: φ and its gradient at every float32 exponent and, where they change, at the last
logit before and the first one after. chart.py says what a chart is and what follows from it.

φ is the loss itself, called with one image: a mean or a sum over one image is that image's. Many logits are one call,
for a formula's shapes broadcast: where training has (n, 1) tensors, n images of one data set, there are (1, n) here, one
image each of n data sets. So every number is what training would see, but for the 1 / n of a mean.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby, pairwise

import numpy as np
import torch

from diagnosis.chart import Corner, Infimum, Interval, LabelChart, LossChart, number
from diagnosis.exact import DIGITS, REACH, Dual, constants, exact, formula
from formulas.float32 import LARGEST, ONE_LOGIT, ZERO_LOGIT
from formulas.language import OVER_SAMPLES, Node, evaluate, walk
from training.loss import FormulaLoss, Loss

MANTISSAS = 256  # of the grid, per exponent
OCTAVE = 2**23  # float32 numbers from one power of two to the next
# So many neighbouring intervals, each shorter than an octave, are no shape that a loss has, but rounding: see _calmer.
FLICKER = 6
# A kernel of torch computes what does not fill its vectors by other code, whose last bits may differ: fill them.
VECTOR = 64

VALUES = ("finite", "nan", "inf", "-inf")
GRADIENTS = ("0", "+", "-", "nan", "inf", "-inf")
CLOSE = 64.0  # exact signs are asked for at logits that are no farther out, where an interval has such
FAR = (REACH / 4, REACH / 2, REACH)  # where φ is looked at to see where it goes
NEGLIGIBLE = 10.0**-DIGITS  # of a value: nothing, to so many digits
PLAIN = 3  # a class is 6 times the place of its value and the place of its gradient: the first three are ordinary

Evaluate = Callable[[torch.Tensor, torch.Tensor], tuple[torch.Tensor, torch.Tensor]]


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
    """φ and gradient for both labels where ŷ becomes 1 and 0, a hair beyond for 24 ln 2 is no float32, and at the ends."""
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

    It is one where it adds terms in which a mean, or a sum, of what single images have stands by itself or is multiplied
    or divided by what the labels alone decide: 2 * mean(f), mean(f) / mean(y), mean(f * y / mean(y)) + mean(g) + 1.
    """
    try:
        _terms(loss)
    except NotPerImage as error:
        return str(error)
    return None


def _terms(loss: Loss) -> list[Node]:
    """The reductions inside a loss that the labels alone decide, and that weigh its images. Raises NotPerImage."""
    if not isinstance(loss, FormulaLoss):
        return []
    weights: list[Node] = []
    over = _reductions(loss.tree, weights)
    if len(over) > 1:
        raise NotPerImage("a mean beside a sum: how much each counts depends on the number of images")
    return weights


def _reductions(node: Node, weights: list[Node]) -> set[str]:
    """Which of mean and sum the logits go through in a node of shape (); weights receives reductions of labels alone."""
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
        case "*" | "/" if len(inner) == 1 and inner[0] is node.arguments[0] or node.operation == "*" and len(inner) == 1:
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
        weights, company = _terms(loss), False
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
        (gradient,) = torch.autograd.grad(value, z, torch.ones_like(value), allow_unused=True)
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
    def is_flicker(self) -> bool:
        """Whether it is a part of what rounding makes flicker, if enough of its neighbours are."""
        return len(self.classes) > 1 or (self.high - self.low < OCTAVE and max(self.classes) < PLAIN)


def _runs(ordinals: np.ndarray, classes: np.ndarray) -> list[_Run]:
    """The runs of one class among logits in order."""
    ends = np.append(np.flatnonzero(np.diff(classes)), len(classes) - 1)
    starts = np.append(0, ends[:-1] + 1)
    found = zip(ordinals[starts].tolist(), ordinals[ends].tolist(), classes[ends].tolist(), strict=True)
    return [_Run(low, high, one, one, {one}) for low, high, one in found]


def _calmer(runs: list[_Run]) -> list[_Run]:
    """The runs, but where rounding makes the gradient's sign flicker, one run of all signs that were seen there.

    Where FLICKER or more runs follow each other, finite, each shorter than an octave, there may be thousands.
    """
    calm: list[_Run] = []
    for is_flicker, group in groupby(runs, lambda run: run.is_flicker):
        some = list(group)
        if is_flicker and (len(some) >= FLICKER or (len(some) > 1 and any(len(run.classes) > 1 for run in some))):
            classes = set().union(*(run.classes for run in some))
            some = [_Run(some[0].low, some[-1].high, some[0].first, some[-1].last, classes)]
        calm += some
    return calm


def _exact_ends(phi: Evaluate, runs: list[list[_Run]]) -> list[list[_Run]]:
    """The runs of both labels, from the grid's to all float32 numbers: bisections, all of them side by side.

    Between neighbours of different classes, the number in the middle is looked at, until neighbours in class are
    neighbours in float32. What is the same at both ends of a cell of the grid is not looked at inside.
    """
    gaps = [
        (label, [(a.high, a.last), (b.low, b.first)]) for label in (0, 1) for a, b in pairwise(runs[label])
    ]
    while True:
        asked = [
            (label, points, place, (a[0] + b[0]) // 2)
            for label, points in gaps
            for place, (a, b) in enumerate(pairwise(points), 1)
            if a[1] != b[1] and b[0] - a[0] > 1
        ]
        if not asked:
            break
        y = torch.tensor([float(label) for label, _, _, _ in asked])
        values, gradients = phi(y, _logits(np.array([middle for _, _, _, middle in asked])))
        classes = _classes(values.numpy(), gradients.numpy()).tolist()
        for (_, points, place, middle), found in reversed(list(zip(asked, classes, strict=True))):
            points.insert(place, (middle, found))
    between = iter(points for _, points in gaps)
    return [_joined(runs[label], between) for label in (0, 1)]


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
    """values and gradients: φ on the grid. loss: None where it is no sum or mean over images, and there is no exact φ."""
    exactly = None if loss is None else _exactly(loss, label)
    intervals = [_interval(run, exactly) for run in runs]
    is_finite = np.isfinite(values)
    least = int(np.argmin(np.where(is_finite, values, np.inf)))
    computed = _Computed(_grid(), values, gradients, phi, label)
    return LabelChart(
        label=label,
        intervals=intervals,
        at_zero=number(float(values[np.searchsorted(_grid(), 0)])),
        least=number(float(values[least]) if is_finite.any() else np.nan),
        infimum=exactly and _infimum(intervals, exactly, computed),
        starved_below=exactly and _starved(intervals, exactly, computed, -1),
        starved_above=exactly and _starved(intervals, exactly, computed, 1),
    )


@dataclass
class _Computed:
    """φ of a label in float32: on the grid, and anywhere."""

    ordinals: np.ndarray
    values: np.ndarray
    gradients: np.ndarray
    phi: Evaluate
    label: int

    def gradient(self, ordinals: np.ndarray) -> np.ndarray:
        logits = _logits(ordinals)
        return self.phi(torch.full_like(logits, self.label), logits)[1].numpy()

    def value(self, logit: float) -> float:
        """At a logit of the grid."""
        return float(self.values[np.searchsorted(self.ordinals, _ordinal(logit))])


def _exactly(loss: Loss, label: int) -> Callable[[float], Dual]:
    """Exact φ of a label, as a function of a logit."""
    tree = formula(loss)
    known = constants(_terms(loss), over=(0, 1))
    return functools.cache(lambda logit: exact(tree, label, logit, known))


def _interval(run: _Run, exactly: Callable[[float], Dual] | None) -> Interval:
    low, high = _logit(run.low), _logit(run.high)
    value, gradients = max(run.classes) // 6, {GRADIENTS[one % 6] for one in run.classes}
    together = "".join(sign for sign in ("+", "0", "-", "nan", "inf", "-inf") if sign in gradients)
    place = None if exactly is None else _inside(low, high)
    sign = None if place is None else _sign(exactly(place).slope)
    return Interval(low, high, VALUES[value], together, sign)


def _inside(low: float, high: float) -> float | None:
    """A logit of an interval at which φ can be had exactly: in the middle, of what is not far out."""
    low, high = max(low, min(high, -CLOSE)), min(high, max(low, CLOSE))
    middle = _logit((_ordinal(low) + _ordinal(high)) // 2)
    return middle if abs(middle) <= REACH else None


def _sign(slope) -> str | None:
    return "+" if slope > 0 else "-" if slope < 0 else "0" if slope == 0 else None


def _infimum(intervals: list[Interval], exactly: Callable[[float], Dual], computed: _Computed) -> Infimum:
    """The least of: where a falling φ starts to rise, where it is flat, where it goes far out, the grid's least logit.

    Which intervals fall and rise is what the exact gradient says, where it can be asked.
    """
    candidates = [*_valleys(intervals, exactly, computed), *_ends(intervals, exactly, computed)]
    least = float(_logits(computed.ordinals)[np.argmin(np.nan_to_num(computed.values, nan=np.inf, neginf=np.inf))])
    if abs(least) <= REACH:
        candidates.append(Infimum(exactly(least).value, least, least, None))
    best = min((one for one in candidates if one.value == one.value), key=lambda one: one.value, default=None)
    if best is None:
        return Infimum("nan", -LARGEST, LARGEST, None)
    value = 0.0 if abs(best.value) < NEGLIGIBLE else float(best.value)
    return Infimum(number(value), best.low, best.high, best.towards)


def _valleys(intervals: list[Interval], exactly: Callable[[float], Dual], computed: _Computed) -> list[Infimum]:
    """Where φ is flat, or falls before and rises after."""
    shaped = [(one.exact or one.slope, one) for one in intervals if one.exact or one.slope]
    parts = [(sign, [one for _, one in some]) for sign, some in groupby(shaped, key=lambda pair: pair[0])]
    found = []
    for sign, some in parts:
        low, high = some[0].low, some[-1].high
        place = _inside(low, high)
        if sign == "0" and place is not None:
            found.append(_lowest(low, high, exactly) or Infimum(exactly(place).value, low, high, None))
    for (sign, some), (next_sign, others) in pairwise(parts):
        if sign + next_sign == "-+":
            falls, rises = some[-1], others[0]
            valley = _lowest(falls.high, rises.low, exactly)
            valley = valley or _lowest(_inside(falls.low, falls.high), _inside(rises.low, rises.high), exactly)
            found.append(valley or Infimum(_least(computed), falls.high, rises.low, None))
    return found


def _least(computed: _Computed) -> float:
    finite = computed.values[np.isfinite(computed.values)]
    return float(finite.min()) if len(finite) else float("nan")


def _lowest(a: float | None, b: float | None, exactly: Callable[[float], Dual]) -> Infimum | None:
    """The lowest point of a φ that falls at a and rises at b, to 50 digits; None where it does not, or is too far out.

    By turns the tangents' meeting, which is the point of a kink, and the zero of the slopes' secant.
    """
    if a is None or b is None or max(abs(a), abs(b)) > REACH or not exactly(a).slope < 0 < exactly(b).slope:
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
    place = float(np.float32(float(best)))
    return Infimum(exactly(best).value, place, place, None)


def _ends(intervals: list[Interval], exactly: Callable[[float], Dual], computed: _Computed) -> list[Infimum]:
    """Where φ goes as the logit grows without end, to either side, if it falls on the way.

    Without end too, if each time that the logit doubles it falls by no less than the time before. Where float32 does not
    fall in the end, as minimum(logits, 1000) would not, nor does φ.
    """
    found = []
    for side in (-1, 1):
        first, second, last = (exactly(side * logit).value for logit in FAR)
        rising = "+" if side > 0 else "-"
        turns = any(one.slope == rising and max(one.low * side, one.high * side) > REACH for one in intervals)
        if not exactly(side * REACH).slope * side < 0 or turns:
            continue
        at_end = computed.value(side * LARGEST)
        falls, falls_again = first - second, second - last
        if not falls_again >= falls:
            # What a power of the logit, or one of e, still has to fall (Aitken).
            value = last - falls_again**2 / (falls - falls_again)
        else:
            value = at_end if at_end == computed.value(side * 2.0**100) else -np.inf
        found.append(Infimum(value, side * LARGEST, side * LARGEST, "inf" if side > 0 else "-inf"))
    return found


def _starved(intervals: list[Interval], exactly: Callable[[float], Dual], computed: _Computed, side: int) -> float | None:
    """The logit from which on, outwards, the computed gradient is less than half of the exact one.

    From outside inwards, interval by interval; in the one where that ends, by bisection, first on the grid. Beyond REACH
    it is as it is there; where it is not finite, nothing is said.
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
        at_ends = computed.gradient(np.array([outer, inner])).tolist()
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
        gradients = computed.gradient(ordinals).tolist()
        last_bad, first_good = 0, len(ordinals) - 1
        while first_good - last_bad > 1:
            middle = (last_bad + first_good) // 2
            if is_bad(int(ordinals[middle]), gradients[middle]):
                last_bad = middle
            else:
                first_good = middle
        bad, good = int(ordinals[last_bad]), int(ordinals[first_good])
    return bad
