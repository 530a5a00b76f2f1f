"""Expressions of algebra.py as text, as one would type them. No torch here."""

import math
from collections.abc import Callable
from fractions import Fraction

from formulas.algebra import COMPARED, Expression, coefficient_of, negative, numeral, power, sign_of

# What binds less than its place asks for is put in parentheses.
COMPARISON, SUM, PRODUCT, POWER, ATOM = range(5)


def text(expression: Expression) -> str:
    """As one would type it. Raises ValueError where a number has no exact decimal."""
    return _typed(expression, COMPARISON)


def _typed(expression: Expression, least: int) -> str:
    typed, binds = _WRITE.get(expression.operation, _call)(expression)
    return typed if binds >= least else f"({typed})"


def _number(value: Fraction) -> str:
    decimal = str(value.numerator) if value.denominator == 1 else repr(float(value))
    if len(decimal) > 17:
        decimal = repr(float(value))
    if not math.isfinite(float(value)) or Fraction(decimal) != value:
        raise ValueError(f"{value} has no exact decimal")
    return decimal


def _write_number(expression: Expression) -> tuple[str, int]:
    return _number(expression.value), SUM if expression.value < 0 else ATOM


def _write_sum(expression: Expression) -> tuple[str, int]:
    terms = sorted(expression.arguments, key=lambda term: sign_of(term) < 0)  # stable: b - a, not -a + b
    typed = _typed(terms[0], SUM)
    for term in terms[1:]:
        typed += f" - {_typed(negative(term), PRODUCT)}" if sign_of(term) < 0 else f" + {_typed(term, PRODUCT)}"
    return typed, SUM


def _write_product(expression: Expression) -> tuple[str, int]:
    coefficient, _ = coefficient_of(expression)
    over = [factor for factor in expression.arguments if not factor.is_number and not _is_divisor(factor)]
    over.sort(key=lambda factor: factor.constant is None)
    under = [_inverse(factor) for factor in expression.arguments if _is_divisor(factor)]
    sign, size = "-" if coefficient < 0 else "", abs(coefficient)
    try:
        before = [] if size == 1 else [_number(size)]
    except ValueError:  # a third is / 3
        before = [] if size.numerator == 1 else [_number(Fraction(size.numerator))]
        under.insert(0, numeral(size.denominator))
    typed = [*before, *(_typed(factor, PRODUCT if place else POWER) for place, factor in enumerate(over, len(before)))]
    product = " * ".join(typed) or "1"
    if under:
        divisor = _typed(under[0], POWER) if len(under) == 1 else f"({' * '.join(_typed(one, POWER) for one in under)})"
        product += f" / {divisor}"
    return sign + product, SUM if sign else PRODUCT


def _is_divisor(factor: Expression) -> bool:
    return factor.operation == "**" and factor.arguments[1].is_number and factor.arguments[1].value < 0


def _inverse(factor: Expression) -> Expression:
    return power(factor, numeral(-1))


def _write_power(expression: Expression) -> tuple[str, int]:
    if _is_divisor(expression):
        return f"1 / {_typed(_inverse(expression), POWER)}", PRODUCT
    base, exponent = expression.arguments
    return f"{_typed(base, ATOM)} ** {_typed(exponent, ATOM)}", POWER


def _call(expression: Expression) -> tuple[str, int]:
    if expression.operation in COMPARED:
        a, b = (_typed(argument, SUM) for argument in expression.arguments)
        return f"{a} {expression.operation} {b}", COMPARISON
    return (
        f"{expression.operation}({', '.join(_typed(argument, COMPARISON) for argument in expression.arguments)})",
        ATOM,
    )


def _write_name(expression: Expression) -> tuple[str, int]:
    return expression.name, ATOM


_WRITE: dict[str, Callable[[Expression], tuple[str, int]]] = {
    "number": _write_number,
    "constant": _write_name,
    "variable": _write_name,
    "+": _write_sum,
    "*": _write_product,
    "**": _write_power,
}
