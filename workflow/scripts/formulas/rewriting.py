"""The same function, typed so that float32 keeps more of it: laws, each an equation used from left to right.

What is not finite in exact arithmetic may become finite (0 * log(0) is left out), nothing else changes. Which of the
forms found here float32 likes best, losses/rewrites.py finds out. No torch here.
"""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from formulas.algebra import (
    LOGITS,
    ONE,
    ZERO,
    Expression,
    Y,
    add,
    call,
    coefficient_of,
    from_tree,
    multiply,
    negative,
    numeral,
    parts,
    power,
    rebuild,
    replaced,
    substituted,
    subtract,
)
from formulas.language import OVER_SAMPLES, PER_SAMPLE, Node
from formulas.parsing import parse
from formulas.writing import text

# (name, what is typed, what float32 likes better). a and b are any expressions, p is one that is above 0 whatever the
# logit. n, m and q are constants: any, one below 0, and one that is not whole. A sum on the left is found among more
# terms, and times any constant; a product among more factors. y is 0 or 1: what follows from that is in `by_label`.
LAWS = (
    ("definition of yhat", "yhat", "sigmoid(logits)"),
    ("log-sum-exp", "(1 + exp(a)) ** m", "exp(m * softplus(a))"),
    ("other form of the sigmoid", "exp(a) * sigmoid(-a)", "sigmoid(a)"),
    ("odds", "sigmoid(a) / sigmoid(-a)", "exp(a)"),
    ("complement of a sigmoid", "1 - sigmoid(a)", "sigmoid(-a)"),
    ("power of a sigmoid", "sigmoid(a) ** q", "exp(-q * softplus(-a))"),
    ("root of a sigmoid", "sqrt(sigmoid(a))", "exp(-0.5 * softplus(-a))"),
    ("log1p of a sigmoid", "log1p(-sigmoid(a))", "-softplus(a)"),
    ("log of a sigmoid", "log(sigmoid(a))", "-softplus(-a)"),
    ("definition of softplus", "log(1 + exp(a))", "softplus(a)"),
    ("softplus as log1p", "log1p(exp(a))", "softplus(a)"),
    ("softplus of the negative", "softplus(a) - a", "softplus(-a)"),
    ("log-odds", "softplus(a) - softplus(-a)", "a"),
    ("definition of the sigmoid", "exp(-softplus(a))", "sigmoid(-a)"),
    ("log of a product", "log(p * b)", "log(p) + log(b)"),
    ("log of a power", "log(p ** n)", "n * log(p)"),
    ("log of a root", "log(sqrt(a))", "0.5 * log(a)"),
    ("log of exp", "log(exp(a))", "a"),
    ("exp of log", "exp(log(p))", "p"),
    ("product of exps", "exp(a) * exp(b)", "exp(a + b)"),
    ("inverse of exp", "1 / exp(a)", "exp(-a)"),
    ("power of exp", "exp(a) ** n", "exp(n * a)"),
    ("root of exp", "sqrt(exp(a))", "exp(0.5 * a)"),
    ("definition of expm1", "expm1(a)", "exp(a) - 1"),
    ("definition of log1p", "log(1 + a)", "log1p(a)"),
    ("log of a sigmoid's complement", "log(1 - sigmoid(a))", "-softplus(a)"),
    ("root of a square", "sqrt(a ** 2)", "abs(a)"),
    ("square of a root", "sqrt(p) ** 2", "p"),
    ("square of abs", "abs(a) ** 2", "a ** 2"),
    ("abs above 0", "abs(p)", "p"),
    ("relu above 0", "relu(p)", "p"),
    ("relu below 0", "relu(-p)", "0"),
    ("relu of the negative", "relu(a) - a", "relu(-a)"),
    ("softplus by its asymptote", "relu(a) + softplus(-abs(a))", "softplus(a)"),
    ("definition of relu", "maximum(a, 0)", "relu(a)"),
    ("definition of relu, turned", "maximum(0, a)", "relu(a)"),
    ("range of a sigmoid", "clamp(sigmoid(a), 0, 1)", "sigmoid(a)"),
)
_STEPS = 2000  # a bound on what no formula of 2,000 characters comes near
_TOGGLED = 4  # parts that are each tried in two ways

# Numbers that no decimal is, or float64 does not hold; a division by 0; a formula too deep.
NO_WORDS = (ValueError, ZeroDivisionError, OverflowError, RecursionError)

Bindings = dict[str, Expression]


@dataclass(frozen=True)
class Law:
    name: str
    typed: Expression
    better: Expression


def _law(name: str, typed: str, better: str) -> Law:
    names = dict.fromkeys((*LETTERS, "yhat", "logits"), PER_SAMPLE)
    return Law(name, from_tree(parse(typed, names, {})), from_tree(parse(better, names, {})))


def is_above_0(expression: Expression) -> bool:
    """Whether it is above 0 wherever it is defined, by its shape alone."""
    if expression.constant is not None:
        return expression.constant > 0
    match expression.operation:
        case "exp" | "sigmoid" | "softplus":
            return True
        case "+" | "*":
            return all(map(is_above_0, expression.arguments))
        case "**":
            return is_above_0(expression.arguments[0])
    return False


# What each letter of the laws may stand for.
LETTERS: dict[str, Callable[[Expression], bool]] = {
    "a": lambda found: True,
    "b": lambda found: True,
    "p": is_above_0,
    "n": lambda found: found.constant is not None,
    "m": lambda found: found.constant is not None and found.constant < 0,
    "q": lambda found: found.constant is not None and found.constant % 1 != 0,
}
_LAWS = [_law(*one) for one in LAWS]


# Matching: all ways in which a pattern is an expression, as what its letters stand for.


def _matches(pattern: Expression, found: Expression, bound: Bindings) -> Iterator[Bindings]:
    if pattern.name in LETTERS:
        if pattern.name in bound:
            if bound[pattern.name] == found:
                yield bound
        elif LETTERS[pattern.name](found):
            yield bound | {pattern.name: found}
    elif _is_bound(pattern, bound):
        if _filled_in(pattern, bound) == found:
            yield bound
    elif pattern.operation == found.operation and pattern.operation in ("+", "*"):
        yield from (bindings for bindings, rest in _among(pattern, found, bound) if not rest)
    elif pattern.operation == found.operation and len(pattern.arguments) == len(found.arguments):
        ways = [bound]
        for one, other in zip(pattern.arguments, found.arguments, strict=True):
            ways = [more for way in ways for more in _matches(one, other, way)]
        yield from ways


def _among(
    pattern: Expression, found: Expression, bound: Bindings
) -> Iterator[tuple[Bindings, tuple[Expression, ...]]]:
    """The two parts of a sum or product among those of another: what the letters stand for, and the parts left over.

    A letter alone stands for all that are left.
    """
    first, second = pattern.arguments
    second_takes_all = second.name in LETTERS
    for place, part in enumerate(found.arguments):
        rest = found.arguments[:place] + found.arguments[place + 1 :]
        for bindings in _matches(first, part, bound):
            if second_takes_all:
                whole = rebuild(found.operation, rest)
                yield from ((more, ()) for more in _matches(second, whole, bindings))
                continue
            for other, last in enumerate(rest):
                yield from ((more, rest[:other] + rest[other + 1 :]) for more in _matches(second, last, bindings))


def _is_bound(pattern: Expression, bound: Bindings) -> bool:
    return all(part.name in bound for part in parts(pattern) if part.name in LETTERS)


def _filled_in(pattern: Expression, bound: Bindings) -> Expression:
    return replaced(pattern, lambda part: bound.get(part.name) if part.operation == "variable" else None)


def _applied(law: Law, found: Expression) -> Expression | None:
    """The expression by a law, or None where the law does not speak of it."""
    if law.typed.operation == found.operation == "+":
        return _applied_to_sum(law, found)
    if law.typed.operation == found.operation == "*":
        for bindings, rest in _among(law.typed, found, {}):
            return multiply(_filled_in(law.better, bindings), *rest)
        return None
    for bindings in _matches(law.typed, found, {}):
        return _filled_in(law.better, bindings)
    return None


def _applied_to_sum(law: Law, found: Expression) -> Expression | None:
    """By a law of a sum of two terms: c times them among the terms, for any constant c."""
    (size, first), (other_size, second) = (term.weighed for term in law.typed.arguments)
    for i, term in enumerate(found.arguments):
        weight, one = term.weighed
        if first.operation != one.operation:
            continue
        times = multiply(weight, power(size, numeral(-1)))
        weight_of_other = multiply(times, other_size)
        for bindings in _matches(first, one, {}):
            for j, other in enumerate(found.arguments):
                if i != j and (more := _match_weighed(second, weight_of_other, other, bindings)) is not None:
                    rest = [term for place, term in enumerate(found.arguments) if place not in (i, j)]
                    return add(multiply(times, _filled_in(law.better, more)), *rest)
    return None


def _match_weighed(pattern: Expression, weight: Expression, found: Expression, bound: Bindings) -> Bindings | None:
    """What the letters stand for where a term is a pattern times a constant."""
    if _is_bound(pattern, bound):
        return bound if multiply(weight, _filled_in(pattern, bound)) == found else None
    if found.weighed[0] != weight:
        return None
    return next(_matches(pattern, found.weighed[1], bound), None)


def simplified(expression: Expression) -> Expression:
    """By all laws, from inside out, until none speaks of any part."""
    steps = itertools.count()

    def simplify(found: Expression) -> Expression:
        if found.arguments:
            found = rebuild(found.operation, [simplify(argument) for argument in found.arguments])
        for law in _LAWS:
            better = _applied(law, found)
            if better is not None and better != found:
                if next(steps) > _STEPS:
                    raise ValueError(f"the laws find no end: {law.name}")
                return simplify(better)
        return found

    return simplify(expression)


# What follows from y being 0 or 1


def by_label(expression: Expression) -> tuple[Expression, Expression]:
    """What one image's part of a loss is for y = 0 and for y = 1, each simplified."""
    zero, one = (simplified(substituted(expression, "y", label)) for label in (ZERO, ONE))
    return zero, one


def together(zero: Expression, one: Expression) -> Expression:
    """One expression that is `zero` where y is 0 and `one` where it is 1: the shortest."""
    if zero == one:
        return zero
    if simplified(substituted(one, "logits", negative(LOGITS))) == zero:
        sign, other = subtract(ONE, multiply(numeral(2), Y)), subtract(multiply(numeral(2), Y), ONE)
        forms = [substituted(part, "logits", multiply(factor, LOGITS)) for part, factor in ((zero, sign), (one, other))]
        return min(reversed(forms), key=lambda form: len(text(form)))
    if one == ZERO:
        return multiply(subtract(ONE, Y), zero)
    if zero == ZERO:
        return multiply(Y, one)
    return call("where", call("==", Y, ONE), one, zero)


def over_images(expression: Expression, change: Callable[[Expression], Expression]) -> Expression:
    """The loss with `change` of what stands in each mean or sum over images that has the logits in it."""

    def changed(part: Expression) -> Expression | None:
        if not _is_reduction(part):
            return None
        (inside,) = part.arguments
        is_alone = not any(map(_is_reduction, parts(inside)))
        return call(part.operation, change(inside) if is_alone else over_images(inside, change))

    return replaced(_gathered(expression), changed)


def _gathered(expression: Expression) -> Expression:
    """A sum of means as the mean of a sum, and of sums alike; a minus sign goes inside."""
    inside: dict[str, list[Expression]] = {}
    others = []
    terms = expression.arguments if expression.operation == "+" else (expression,)
    is_negative = all(coefficient_of(term)[0] < 0 for term in terms if not term.is_number) and not any(
        term.is_number and term.value > 0 for term in terms
    )
    for term in terms:
        size, rest = term.weighed
        if len(terms) > 1 and _is_reduction(rest):
            inside.setdefault(rest.operation, []).append(multiply(size, *rest.arguments))
        elif is_negative:
            others.append(_negative_inside(negative(term)))
        else:
            others.append(term)
    return add(*(call(operation, add(*terms)) for operation, terms in inside.items()), *others)


def _is_reduction(expression: Expression) -> bool:
    return expression.operation in OVER_SAMPLES and expression.has("yhat", "logits")


def _negative_inside(expression: Expression) -> Expression:
    """-1 times an expression: inside its first mean or sum, if there is one among its factors."""
    factors = expression.arguments if expression.operation == "*" else (expression,)
    for place, factor in enumerate(factors):
        if _is_reduction(factor):
            turned = call(factor.operation, negative(*factor.arguments))
            return multiply(*factors[:place], turned, *factors[place + 1 :])
    return negative(expression)


def forms(tree: Node) -> list[str]:
    """The same loss in other words, as formulas; none where there are none.

    A sigmoid near 1 has lost its slope in float32, and 1 - sigmoid of the negative has not; exp(a) - 1 is 0 at a small
    a, and the gradient of expm1(a) at a large -a: both are given.
    """
    try:
        whole = over_images(from_tree(tree), lambda inside: together(*by_label(inside)))
        return list(dict.fromkeys(map(text, _toggled(whole))))
    except NO_WORDS:
        return []


def _toggled(expression: Expression) -> list[Expression]:
    others = dict(list(_other_words(expression).items())[:_TOGGLED])
    found = []
    for count in range(len(others) + 1):
        for chosen in itertools.combinations(others, count):
            found.append(replaced(expression, {one: others[one] for one in chosen}.get))
    return found


def _other_words(expression: Expression) -> dict[Expression, Expression]:
    """{part: what else it could be}: each sigmoid, and each exp that is added to a constant."""
    found: dict[Expression, Expression] = {}
    for part in parts(expression):
        if part.operation == "sigmoid":
            found[part] = subtract(ONE, call("sigmoid", _turned(part.arguments[0])))
    for part in parts(expression):
        if part.operation == "+" and any(term.constant is not None for term in part.arguments):
            for _, term in (term.weighed for term in part.arguments):
                if term.operation == "exp":
                    found[term] = add(call("expm1", *term.arguments), ONE)
    return found


def _turned(inside: Expression) -> Expression:
    """-a; of (1 - 2 * y) * a, (2 * y - 1) * a."""
    if inside.operation == "*":
        for place, factor in enumerate(inside.arguments):
            if factor.operation == "+":
                return multiply(*inside.arguments[:place], negative(factor), *inside.arguments[place + 1 :])
    return negative(inside)
