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
    rebuild,
    replaced,
    substituted,
    subtract,
    text,
)
from formulas.language import OVER_SAMPLES, PER_SAMPLE, Node
from formulas.parsing import parse

# (what is typed, what float32 likes better, why they are the same). a and b are any expressions, p is one that is
# above 0 whatever the logit, n is a number. A sum on the left is found among more terms, and times any number; a
# product among more factors. y is 0 or 1: what follows from that is in `by_label`.
LAWS = (
    ("yhat", "sigmoid(logits)", "what ŷ is"),
    ("1 / (1 + exp(a))", "sigmoid(-a)", "what a sigmoid is"),
    ("exp(a) * sigmoid(-a)", "sigmoid(a)", "e^a / (1 + e^a) is 1 / (1 + e^-a)"),
    ("sigmoid(a) / sigmoid(-a)", "exp(a)", "the odds of a logit"),
    ("1 - sigmoid(a)", "sigmoid(-a)", "1 - 1 / (1 + e^-a) is 1 / (1 + e^a)"),
    ("log1p(-sigmoid(a))", "-softplus(a)", "the logarithm of 1 / (1 + e^a)"),
    ("log(sigmoid(a))", "-softplus(-a)", "the logarithm of 1 / (1 + e^-a)"),
    ("log(1 + exp(a))", "softplus(a)", "what softplus is"),
    ("log1p(exp(a))", "softplus(a)", "what softplus is"),
    ("softplus(a) - a", "softplus(-a)", "log(1 + e^a) - log(e^a)"),
    ("exp(-softplus(a))", "sigmoid(-a)", "1 / (1 + e^a)"),
    ("log(p * b)", "log(p) + log(b)", "the logarithm of a product"),
    ("log(p ** n)", "n * log(p)", "the logarithm of a power"),
    ("log(sqrt(a))", "0.5 * log(a)", "the logarithm of a power"),
    ("log(exp(a))", "a", "log and exp undo each other"),
    ("exp(log(a))", "a", "log and exp undo each other"),
    ("exp(a) * exp(b)", "exp(a + b)", "the product of powers of e"),
    ("1 / exp(a)", "exp(-a)", "the inverse of a power of e"),
    ("exp(a) ** n", "exp(n * a)", "the power of a power of e"),
    ("exp(a) - 1", "expm1(a)", "what expm1 is"),
    ("log(1 + a)", "log1p(a)", "what log1p is"),
    ("log(1 - sigmoid(a))", "-softplus(a)", "the logarithm of 1 / (1 + e^a)"),
    ("sqrt(a ** 2)", "abs(a)", "what an absolute value is"),
    ("sqrt(a) ** 2", "a", "sqrt and ** 2 undo each other"),
    ("abs(a) ** 2", "a ** 2", "a square has no sign"),
    ("abs(p)", "p", "what is above 0 is its own absolute value"),
    ("relu(p)", "p", "what is above 0 is left alone"),
    ("relu(-p)", "0", "what is below 0 is cut off"),
    ("relu(a) - a", "relu(-a)", "what is left of a below 0"),
    ("relu(a) + softplus(-abs(a))", "softplus(a)", "log(1 + e^a) is max(a, 0) + log(1 + e^-|a|)"),
    ("maximum(a, 0)", "relu(a)", "what relu is"),
    ("maximum(0, a)", "relu(a)", "what relu is"),
    ("clamp(sigmoid(a), 0, 1)", "sigmoid(a)", "a sigmoid is between 0 and 1"),
)
ABOVE_0, ANY_NUMBER = "p", "n"
LETTERS = {"a", "b", ABOVE_0, ANY_NUMBER}
_STEPS = 2000  # a bound on what no formula of 2,000 characters comes near
_TOGGLED = 4  # sigmoids that are each tried as they are and as 1 - sigmoid

# Numbers that no decimal is, or float64 does not hold; a division by 0; a formula too deep.
NO_WORDS = (ValueError, ZeroDivisionError, OverflowError, RecursionError)

Bindings = dict[str, Expression]


@dataclass(frozen=True)
class Law:
    typed: Expression
    better: Expression
    why: str


def _law(typed: str, better: str, why: str) -> Law:
    names = dict.fromkeys((*LETTERS, "yhat", "logits"), PER_SAMPLE)
    return Law(from_tree(parse(typed, names, {})), from_tree(parse(better, names, {})), why)


def is_above_0(expression: Expression) -> bool:
    """Whether it is above 0 wherever it is defined, by its shape alone."""
    match expression.operation:
        case "number" | "constant":
            return expression.value > 0
        case "exp" | "sigmoid" | "softplus":
            return True
        case "+" | "*":
            return all(map(is_above_0, expression.arguments))
        case "**":
            return is_above_0(expression.arguments[0])
    return False


# Matching: all ways in which a pattern is an expression, as what its letters stand for.


def _matches(pattern: Expression, found: Expression, bound: Bindings) -> Iterator[Bindings]:
    if pattern.name in LETTERS:
        if pattern.name in bound:
            if bound[pattern.name] == found:
                yield bound
        elif (pattern.name != ANY_NUMBER or found.operation in ("number", "constant")) and (
            pattern.name != ABOVE_0 or is_above_0(found)
        ):
            yield bound | {pattern.name: found}
    elif all(part.name in bound for part in parts(pattern) if part.name in LETTERS):
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
    """By a law of a sum of two terms: c times them among the terms, for any number c."""
    wanted = [_weighed(term) for term in law.typed.arguments]
    terms = [_weighed(term) for term in found.arguments]
    for (i, (size, one)), (j, (other_size, other)) in itertools.permutations(enumerate(terms), 2):
        times = size / wanted[0][0]
        if other_size != times * wanted[1][0]:
            continue
        for bindings in _matches(wanted[0][1], one, {}):
            for more in _matches(wanted[1][1], other, bindings):
                rest = [term for place, term in enumerate(found.arguments) if place not in (i, j)]
                return add(multiply(numeral(times), _filled_in(law.better, more)), *rest)
    return None


def _weighed(term: Expression):
    return (term.value, ONE) if term.is_number else coefficient_of(term)


_LAWS = [_law(*one) for one in LAWS]


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
                    raise ValueError("the laws find no end")
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
    is_negative = all(_weighed(term)[0] < 0 for term in terms)
    for term in terms:
        size, rest = _weighed(term)
        if len(terms) > 1 and _is_reduction(rest):
            inside.setdefault(rest.operation, []).append(multiply(numeral(size), *rest.arguments))
        elif is_negative:
            others.append(multiply(numeral(-size), _negative_inside(rest)))
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

    A sigmoid near 1 has lost its slope in float32, and 1 - sigmoid of the negative has not: both are given.
    """
    try:
        whole = over_images(from_tree(tree), lambda inside: together(*by_label(inside)))
        return list(dict.fromkeys(map(text, _toggled(whole))))
    except NO_WORDS:
        return []


def _toggled(expression: Expression) -> list[Expression]:
    sigmoids = list(dict.fromkeys(part for part in parts(expression) if part.operation == "sigmoid"))[:_TOGGLED]
    found = []
    for count in range(len(sigmoids) + 1):
        for chosen in itertools.combinations(sigmoids, count):
            others = {one: subtract(ONE, call("sigmoid", _turned(one.arguments[0]))) for one in chosen}
            found.append(replaced(expression, others.get))
    return found


def _turned(inside: Expression) -> Expression:
    """-a; of (1 - 2 * y) * a, (2 * y - 1) * a."""
    if inside.operation == "*":
        for place, factor in enumerate(inside.arguments):
            if factor.operation == "+":
                return multiply(*inside.arguments[:place], negative(factor), *inside.arguments[place + 1 :])
    return negative(inside)
