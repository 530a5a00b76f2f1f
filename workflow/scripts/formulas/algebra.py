"""Formulas as one writes them on paper: sums and products of any length, in exact numbers.

A tree of language.py holds what was typed. Here `a - b` is a + (-1) * b, `a / b` is a * b ** -1, numbers are exact
fractions, and what is the same but for the order of its terms or factors is equal. No torch here.
"""

import functools
import operator
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from formulas.language import COMPARISONS, OVER_SAMPLES, Node

COMPARED = dict(COMPARISONS.values())
ANY_ORDER = {"+", "*"}
LARGEST_POWER = 4096  # bits: the power of a number is left alone where it would have more


@dataclass(frozen=True, eq=False)
class Expression:
    """operation: 'number', 'constant', 'variable', or a key of language.py's tables, of which negative, - and / are
    left out. value: of a number, a Fraction; of a named constant, too; name: of a constant or a variable."""

    operation: str
    arguments: tuple["Expression", ...] = ()
    value: Fraction | None = None
    name: str = ""

    @functools.cached_property
    def key(self) -> tuple:
        """What is equal has the same key."""
        keys = [argument.key for argument in self.arguments]
        order = tuple(sorted(keys, key=repr) if self.operation in ANY_ORDER else keys)
        return self.operation, self.name or self.value, order

    def __eq__(self, other) -> bool:
        return isinstance(other, Expression) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)

    @property
    def is_number(self) -> bool:
        return self.operation == "number"

    @functools.cached_property
    def constant(self) -> Fraction | float | None:
        """Its value, where it is a number, a named constant, or arithmetic on these; else None."""
        if self.value is not None:
            return self.value
        values = [argument.constant for argument in self.arguments] if self.operation in _BUILD else [None]
        if None in values:
            return None
        try:
            found = functools.reduce(_ON_VALUES[self.operation], values)
        except (OverflowError, ZeroDivisionError):
            return None
        return None if isinstance(found, complex) else found

    @functools.cached_property
    def weighed(self) -> tuple["Expression", "Expression"]:
        """The constants that it is multiplied with, as one, and the rest."""
        if self.constant is not None:
            return self, ONE
        if self.operation != "*":
            return ONE, self
        by_kind: tuple[list, list] = [], []
        for factor in self.arguments:
            by_kind[factor.constant is None].append(factor)
        constants, others = by_kind
        return multiply(*constants), others[0] if len(others) == 1 else Expression("*", tuple(others))

    def has(self, *names: str) -> bool:
        """Whether one of these variables stands in it."""
        return self.name in names or any(argument.has(*names) for argument in self.arguments)


def numeral(value) -> Expression:
    return Expression("number", value=Fraction(value))


def variable(name: str) -> Expression:
    return Expression("variable", name=name)


ZERO, ONE = numeral(0), numeral(1)
Y, LOGITS = variable("y"), variable("logits")


def add(*terms: Expression) -> Expression:
    """Their sum, like terms together."""
    coefficients: dict[Expression, Fraction] = {}
    constant = Fraction(0)
    place_of_constant = None
    for term in _flat("+", terms):
        if term.is_number:
            constant += term.value
            place_of_constant = len(coefficients) if place_of_constant is None else place_of_constant
        else:
            coefficient, rest = coefficient_of(term)
            coefficients[rest] = coefficients.get(rest, Fraction(0)) + coefficient
    found = [multiply(numeral(coefficient), rest) for rest, coefficient in coefficients.items() if coefficient]
    if constant:
        found.insert(min(place_of_constant, len(found)), numeral(constant))
    return found[0] if len(found) == 1 else Expression("+", tuple(found)) if found else ZERO


def multiply(*factors: Expression) -> Expression:
    """Their product, like factors together; 0 where a factor is: the same wherever the others are finite."""
    coefficient = Fraction(1)
    exponents: dict[Expression, Fraction] = {}
    for factor in _flat("*", factors):
        if factor.is_number:
            coefficient *= factor.value
            continue
        base, exponent = factor, Fraction(1)
        if factor.operation == "**" and factor.arguments[1].is_number:
            base, exponent = factor.arguments[0], factor.arguments[1].value
        if base.operation == "+" and base.constant is not None and exponent % 2 == 1:  # 1 - b, not -(b - 1)
            without = _without_sign(base)
            base, coefficient = without, coefficient if without is base else -coefficient
        exponents[base] = exponents.get(base, Fraction(0)) + exponent
    if not coefficient:
        return ZERO
    found = [power(base, numeral(exponent)) for base, exponent in exponents.items() if exponent]
    if any(factor.is_number or factor.operation == "*" for factor in found):
        return multiply(numeral(coefficient), *found)
    if coefficient == -1 and len(found) == 1 and found[0].operation == "+":
        return add(*(negative(term) for term in found[0].arguments))
    if coefficient != 1 or not found:
        found.insert(0, numeral(coefficient))
    return found[0] if len(found) == 1 else Expression("*", tuple(found))


def negative(a: Expression) -> Expression:
    return multiply(numeral(-1), a)


def subtract(a: Expression, b: Expression) -> Expression:
    return add(a, negative(b))


def power(base: Expression, exponent: Expression) -> Expression:
    """Raises ZeroDivisionError for 1 / 0."""
    if base == ONE or (base == ZERO and (exponent.constant or 0) > 0):
        return base
    if not exponent.is_number:
        return Expression("**", (base, exponent))
    n = exponent.value
    if n == 0:
        return ONE
    if n == 1:
        return base
    if n.denominator == 1:
        if base.is_number and abs(n) * _bits(base.value) <= LARGEST_POWER:
            return numeral(base.value ** int(n))
        if base.operation == "*":
            return multiply(*(power(factor, exponent) for factor in base.arguments))
        if base.operation == "**" and base.arguments[1].is_number:
            return power(base.arguments[0], numeral(base.arguments[1].value * n))
        if n % 2 == 0:
            base = _without_sign(base)
    return Expression("**", (base, exponent))


def _bits(value: Fraction) -> int:
    return max(value.numerator.bit_length(), value.denominator.bit_length())


def _power_of_values(base: Fraction | float, exponent: Fraction | float) -> Fraction | float | complex:
    is_short = isinstance(base, Fraction) and abs(exponent) * _bits(base) <= LARGEST_POWER
    return base**exponent if is_short else float(base) ** float(exponent)


def call(operation: str, *arguments: Expression) -> Expression:
    """A function or comparison, evaluated where its arguments are numbers and its value is one exactly."""
    if operation == "where" and arguments[0].is_number:
        return arguments[1] if arguments[0].value else arguments[2]
    if all(argument.is_number for argument in arguments):
        values = [argument.value for argument in arguments]
        if operation in COMPARED:
            return numeral(int(COMPARED[operation](*values)))
        if operation in _EXACTLY:
            return numeral(_EXACTLY[operation](*values))
        if (operation, values[0]) in _AT:
            return numeral(_AT[operation, values[0]])
    if arguments[0].is_number and (operation == "mean" or (operation == "sum" and not arguments[0].value)):
        return arguments[0]
    if operation == "tanh" and coefficient_of(arguments[0])[0] < 0:
        return negative(Expression("tanh", (negative(arguments[0]),)))
    if operation == "abs":
        coefficient, rest = coefficient_of(arguments[0])
        return multiply(numeral(abs(coefficient)), Expression("abs", (_without_sign(rest),)))
    return Expression(operation, arguments)


def _without_sign(expression: Expression) -> Expression:
    """One and the same of a - b and b - a: a number, if there is one, has no minus sign."""
    if expression.operation != "+":
        return expression
    first = min(expression.arguments, key=lambda term: (not term.is_number, repr(coefficient_of(term)[1].key)))
    return add(*(negative(term) for term in expression.arguments)) if sign_of(first) < 0 else expression


def sign_of(term: Expression) -> Fraction:
    return term.value if term.is_number else coefficient_of(term)[0]


_EXACTLY: dict[str, Callable] = {
    "abs": abs,
    "relu": lambda a: max(a, Fraction(0)),
    "minimum": min,
    "maximum": max,
    "clamp": lambda a, low, high: min(max(a, low), high),
}
_AT = {("exp", 0): 1, ("expm1", 0): 0, ("log", 1): 0, ("log1p", 0): 0, ("sqrt", 0): 0, ("sqrt", 1): 1, ("tanh", 0): 0}


def coefficient_of(term: Expression) -> tuple[Fraction, Expression]:
    """The number that a term is multiplied with, and the rest."""
    if term.operation == "*" and term.arguments[0].is_number:
        rest = term.arguments[1:]
        return term.arguments[0].value, rest[0] if len(rest) == 1 else Expression("*", rest)
    return Fraction(1), term


def _flat(operation: str, parts) -> list[Expression]:
    found = []
    for part in parts:
        found += _flat(operation, part.arguments) if part.operation == operation else [part]
    return found


_BUILD = {"+": add, "*": multiply, "**": power}
_ON_VALUES = {"+": operator.add, "*": operator.mul, "**": _power_of_values}


def rebuild(operation: str, arguments) -> Expression:
    """The expression of this operation on other arguments."""
    return _BUILD[operation](*arguments) if operation in _BUILD else call(operation, *arguments)


def replaced(expression: Expression, change: Callable[[Expression], Expression | None]) -> Expression:
    """The expression with what `change` gives in place of each part for which it gives something, from outside."""
    found = change(expression)
    if found is not None:
        return found
    if not expression.arguments:
        return expression
    return rebuild(expression.operation, [replaced(argument, change) for argument in expression.arguments])


def parts(expression: Expression):
    """It and all that it is made of, from inside."""
    for argument in expression.arguments:
        yield from parts(argument)
    yield expression


def substituted(expression: Expression, name: str, by: Expression) -> Expression:
    """The expression with another in place of a variable; not inside a mean or a sum of labels alone."""
    return replaced(expression, lambda part: _in_place(part, name, by))


def _in_place(part: Expression, name: str, by: Expression) -> Expression | None:
    if part.operation == "variable" and part.name == name:
        return by
    return part if part.operation in OVER_SAMPLES and not part.has("yhat", "logits") else None


def from_tree(node: Node, instead: dict[Node, Node] | None = None) -> Expression:
    """A tree of language.py as an expression; instead: {node: the one that is read in its place}. A constant keeps its
    name, also where arithmetic on constants is one number of the tree.

    Raises ZeroDivisionError where it divides by a number that is 0.
    """
    while instead and node in instead:
        node = instead[node]
    node = node.folded or node
    if node.operation == "number":
        value = Fraction(repr(node.value))
        return Expression("constant", value=value, name=node.text) if node.text.isidentifier() else numeral(value)
    if node.operation == "variable":
        return variable(node.text)
    arguments = [from_tree(argument, instead) for argument in node.arguments]
    match node.operation:
        case "negative":
            return negative(*arguments)
        case "-":
            return subtract(*arguments)
        case "/":
            return multiply(arguments[0], power(arguments[1], numeral(-1)))
    return rebuild(node.operation, arguments)
