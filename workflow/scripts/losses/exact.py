"""What a loss would be without float32: value and derivative of one image's loss, at 50 digits and more.

A tree of formulas/language.py is evaluated on dual numbers (a value and its derivative with respect to the logit) of
mpmath, which comes with torch. Far from 0, 1 - yhat loses as many digits as e^z has, and close to it yhat - 0.5
does, so the digits grow with the logit and its inverse: whatever cancels, 50 are left.
"""

import functools
import math
from collections.abc import Iterable
from dataclasses import dataclass

import mpmath

from formulas.float32 import SMALLEST
from formulas.language import OVER_SAMPLES, Node

DIGITS = 50
REACH = 512.0  # the farthest logit that is evaluated: beyond, the digits grow too many to be quick
MP = mpmath.MPContext()  # of our own: the digits that others set in mpmath.mp are theirs
HUGE = MP.mpf(2) ** 200  # the exponential of more is infinite here, of less than its negative 0


@dataclass(frozen=True)
class Dual:
    """A number and its derivative."""

    value: object
    slope: object


def exact(
    tree: Node, y: float, logit: float, known: dict[Node, Dual] | None = None, times: int = 1, is_limit: bool = False
) -> Dual:
    """Value and derivative, with respect to its logit, of the loss of one image of label y.

    tree: of a loss; a mean or a sum is over this image alone, but for those that are known, see `of_labels`.
    logit: at most REACH from 0. Both are NaN where the formula is not defined. times: how many times as many digits
    are taken on account of the logit, for a formula that multiplies it. is_limit: 0 times what is infinite is 0, as in
    0 * log(0), and no NaN; only the value counts then.
    """
    # tanh, say, is 1 but for e^(-2 z), and 2 z / ln 10 < z; yhat - 0.5 is as small as z.
    MP.dps = DIGITS + times * (math.ceil(abs(logit)) + math.ceil(max(0.0, -math.log10(max(abs(logit), SMALLEST)))))
    z = MP.mpf(logit)
    variables = {"y": _number(MP.mpf(y)), "logits": Dual(z, MP.one), "yhat": _sigmoid(Dual(z, MP.one))}
    return _evaluate(tree, variables, known or {}, _LIMITS if is_limit else _OPERATIONS)


def of_labels(nodes: Iterable[Node], labels: tuple[float, ...]) -> dict[Node, Dual]:
    """{node: value} of each mean(…) and sum(…) in nodes, which depend on y alone, over images of these labels."""
    MP.dps = DIGITS + math.ceil(REACH)  # enough for `exact` at any logit, whichever is asked for first
    known: dict[Node, Dual] = {}
    for node in nodes:
        each = [_evaluate(node.arguments[0], {"y": _number(MP.mpf(y))}, known).value for y in labels]
        known[node] = _number(MP.fsum(each) / (len(each) if node.operation == "mean" else 1))
    return known


def _evaluate(node: Node, variables: dict, known: dict, operations: dict | None = None) -> Dual:
    if node in known:
        return known[node]
    if node.operation == "number":
        return _constant(node, MP.prec)
    if node.operation == "variable":
        return variables[node.text]
    if node.operation == "where":  # what it leaves aside may not be defined
        condition, a, b = node.arguments
        chosen = a if _evaluate(condition, variables, known, operations).value != 0 else b
        return _evaluate(chosen, variables, known, operations)
    arguments = [_evaluate(argument, variables, known, operations) for argument in node.arguments]
    return (operations or _OPERATIONS)[node.operation](*arguments)


@functools.lru_cache(maxsize=1000)
def _constant(node: Node, precision: int) -> Dual:
    """A number as it was typed: 0.1 is a tenth, not the float64 next to it; 1 - b is that of a typed b."""
    return _evaluate(node.folded, {}, {}) if node.folded else _number(MP.mpf(repr(node.value)))


def _number(value) -> Dual:
    return Dual(value, MP.zero)


def _chain(slope, outer):
    """The chain rule; what does not depend on the logit has no slope, however steep the function."""
    return slope * outer if slope else slope


def _add(a: Dual, b: Dual) -> Dual:
    return Dual(a.value + b.value, a.slope + b.slope)


def _subtract(a: Dual, b: Dual) -> Dual:
    return Dual(a.value - b.value, a.slope - b.slope)


def _multiply(a: Dual, b: Dual) -> Dual:
    return Dual(a.value * b.value, _chain(a.slope, b.value) + _chain(b.slope, a.value))


def _multiply_in_the_limit(a: Dual, b: Dual) -> Dual:
    is_left_out = (not a.value and MP.isinf(b.value)) or (not b.value and MP.isinf(a.value))
    return _number(MP.zero) if is_left_out else _multiply(a, b)


def _divide(a: Dual, b: Dual) -> Dual:
    if not b.value:
        return Dual(MP.nan if not a.value else MP.inf * MP.sign(a.value), MP.nan)
    value = a.value / b.value
    return Dual(value, (a.slope - _chain(b.slope, value)) / b.value)


def _power(a: Dual, b: Dual) -> Dual:
    if not a.value:
        value = MP.zero if b.value > 0 else MP.one if not b.value else MP.inf
        return Dual(value, a.slope if b.value == 1 else MP.zero if b.value > 1 or not b.value else MP.nan)
    if MP.isnan(a.value) or MP.isnan(b.value) or (a.value < 0 and not MP.isint(b.value)):
        return Dual(MP.nan, MP.nan)
    size = b.value * MP.log(abs(a.value))  # too large an exponent would fill the memory
    if not b.value or a.value == 1:
        value = MP.one
    else:
        value = (MP.inf if size > 0 else MP.zero) if abs(size) > HUGE else a.value**b.value
    slope = _chain(a.slope, b.value * value / a.value) if b.value else MP.zero
    if b.slope:
        slope += b.slope * value * MP.log(a.value) if a.value > 0 else MP.nan
    return Dual(value, slope)


def _log(a: Dual) -> Dual:
    if not a.value > 0:
        return Dual(-MP.inf if a.value == 0 else MP.nan, MP.nan)
    return Dual(MP.log(a.value), a.slope / a.value)


def _exponential(x):
    """e^x; without end, or 0, where its exponent alone would fill the memory."""
    return MP.inf if x > HUGE else MP.zero if x < -HUGE else MP.exp(x)


def _exp(a: Dual) -> Dual:
    value = _exponential(a.value)
    return Dual(value, _chain(a.slope, value))


def _sigmoid(a: Dual) -> Dual:
    rest = _exponential(-abs(a.value))
    value = (1 if a.value >= 0 else rest) / (1 + rest)
    return Dual(value, _chain(a.slope, rest / (1 + rest) ** 2))


def _tanh(a: Dual) -> Dual:
    half = _sigmoid(Dual(2 * a.value, 2 * a.slope))  # tanh(x) = 2 sigmoid(2 x) - 1
    return Dual(2 * half.value - 1, 2 * half.slope)


def _softplus(a: Dual) -> Dual:
    value = max(a.value, MP.zero) + MP.log1p(_exponential(-abs(a.value)))
    return Dual(value, _chain(a.slope, _sigmoid(a).value))


def _sqrt(a: Dual) -> Dual:
    if not a.value > 0:
        return Dual(MP.zero if a.value == 0 else MP.nan, MP.nan)
    value = MP.sqrt(a.value)
    return Dual(value, a.slope / (2 * value))


def _maximum(a: Dual, b: Dual) -> Dual:
    if a.value == b.value:  # as torch has it: half of each
        return Dual(a.value, (a.slope + b.slope) / 2)
    return a if a.value > b.value or MP.isnan(a.value) else b


def _minimum(a: Dual, b: Dual) -> Dual:
    return _negative(_maximum(_negative(a), _negative(b)))


def _clamp(a: Dual, low: Dual, high: Dual) -> Dual:
    a = low if a.value < low.value else a
    return high if a.value > high.value else a


def _negative(a: Dual) -> Dual:
    return Dual(-a.value, -a.slope)


def _compare(symbol):
    compare = {
        "<": lambda a, b: a < b,
        "<=": lambda a, b: a <= b,
        ">": lambda a, b: a > b,
        ">=": lambda a, b: a >= b,
        "==": lambda a, b: a == b,
        "!=": lambda a, b: a != b,
    }[symbol]
    return lambda a, b: _number(MP.mpf(compare(a.value, b.value)))


# Every operation of formulas/language.py but `where`. At a kink the derivative is torch's.
_OPERATIONS = {
    **dict.fromkeys(OVER_SAMPLES, lambda a: a),
    **{symbol: _compare(symbol) for symbol in ("<", "<=", ">", ">=", "==", "!=")},
    "+": _add,
    "-": _subtract,
    "*": _multiply,
    "/": _divide,
    "**": _power,
    "negative": _negative,
    "log": _log,
    "log1p": lambda a: _log(_add(_number(MP.one), a)),
    "exp": _exp,
    "expm1": lambda a: _subtract(_exp(a), _number(MP.one)),
    "sqrt": _sqrt,
    "abs": lambda a: Dual(abs(a.value), _chain(a.slope, MP.sign(a.value))),
    "sigmoid": _sigmoid,
    "softplus": _softplus,
    "relu": lambda a: a if a.value > 0 else _number(MP.nan if MP.isnan(a.value) else MP.zero),
    "tanh": _tanh,
    "clamp": _clamp,
    "minimum": _minimum,
    "maximum": _maximum,
}
_LIMITS = _OPERATIONS | {"*": _multiply_in_the_limit}
