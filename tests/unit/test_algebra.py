"""Formulas as on paper: they read back as the same, laws hold and come to an end, numbers are exact."""

import math
import random
from fractions import Fraction

import pytest
from hypothesis import given, settings

from builders.formulas import BEST, expressions, tree
from formulas.algebra import from_tree
from formulas.language import PER_SAMPLE
from formulas.parsing import FormulaError, parse, parse_loss
from formulas.rewriting import LAWS, LETTERS, simplified
from formulas.writing import text
from losses import exact
from losses.exact import MP, Dual


@pytest.mark.parametrize("law", LAWS, ids=[name for name, _, _ in LAWS])
def test_law_holds(law):
    _, typed, improved = law
    names = dict.fromkeys((*LETTERS, "yhat", "logits"), PER_SAMPLE)
    sides = [parse(side, names, {}) for side in (typed, improved)]
    exact.exact(tree(BEST), 0, 30.0)  # asks for the digits that logits of 30 need
    numbers = random.Random(typed)
    finite = 0
    for _ in range(300):
        z = MP.mpf(numbers.uniform(-30, 30))
        letters = {name: MP.mpf(numbers.uniform(-30, 30)) for name in LETTERS}
        n, q = MP.mpf(numbers.randint(-4, 4)), MP.mpf(numbers.uniform(-3, 3))
        letters |= {"p": abs(letters["p"]), "n": n, "m": -abs(q), "q": q, "logits": z}
        values = {name: Dual(value, MP.one) for name, value in letters.items()}
        values |= {"yhat": Dual(1 / (1 + MP.exp(-z)), MP.one)}
        a, b = (exact._evaluate(side, values, {}).value for side in sides)
        if MP.isfinite(a) and MP.isfinite(b):
            finite += 1
            assert abs(a - b) <= 1e-20 * (1 + abs(a)), (a, b)
    assert finite > 50


def test_each_law_has_a_name_of_its_own():
    assert len({name for name, _, _ in LAWS}) == len(LAWS)


@settings(max_examples=200)
@given(expressions())
def test_text_of_an_expression_reads_back_as_the_same(expression):
    names = dict.fromkeys(("y", "yhat", "logits"), PER_SAMPLE)
    try:
        typed = from_tree(parse(expression[0], names, {}))
        written_out = text(typed)
        again = parse(written_out, names, {})
    except (FormulaError, ValueError, ZeroDivisionError, OverflowError):
        return
    assert from_tree(again) == typed, written_out


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("a - (b - a)", "2 * a - b"),
        ("a / 3 / b", "a / (3 * b)"),
        ("a * a / b ** 2", "a ** 2 / b ** 2"),
        ("-(a - b)", "b - a"),
        ("(a + b) * (a + b)", "(a + b) ** 2"),
        ("2 * (a + b)", "2 * (a + b)"),
        ("1 / (a + 1)", "1 / (a + 1)"),
        ("0 * log(a) + b", "b"),
        ("where(1 > 0, a, b)", "a"),
        ("abs(b - a) - abs(a - b)", "0"),
        ("(1.1 * a) ** 1000000000", "1.1 ** 1000000000 * a ** 1000000000"),
    ],
)
def test_expression_as_on_paper(typed, expected):
    assert text(from_tree(parse(typed, dict.fromkeys("ab", PER_SAMPLE), {}))) == expected


@pytest.mark.parametrize(
    ("formula", "logit", "value", "slope"),
    [
        ("mean(sqrt(logits) ** 2)", -1.0, math.nan, math.nan),
        ("mean(((0 - 2) ** logits) + y)", 2.0, 4, math.nan),  # torch has a NaN, too
        ("mean(((0 - 2) ** logits) + y)", 2.5, math.nan, math.nan),
        ("mean((exp(exp(logits)) ** 0) + 0 * yhat)", 300.0, 1, 0),
        ("mean(exp(logits) ** (100 ** logits))", 300.0, math.inf, math.inf),
        ("mean(exp(0 - logits) ** (100 ** logits))", 300.0, 0, 0),
        ("mean((y + 1) ** exp(exp(logits)))", 300.0, 1, None),
        ("mean(logits ** 3)", -2.0, -8, 12),
    ],
)
def test_powers_are_those_of_the_reals(formula, logit, value, slope):
    found = exact.exact(tree(formula), 0, logit)
    assert float(found.value) == pytest.approx(value, nan_ok=True)
    assert slope is None or float(found.slope) == pytest.approx(slope, nan_ok=True)


def test_numbers_are_exact():
    names = {"a": PER_SAMPLE}
    assert text(from_tree(parse("0.1 * (0.2 * a)", names, {}))) == "0.02 * a"
    assert from_tree(parse("a / 3 + a / 3 + a / 3", names, {})) == from_tree(parse("a", names, {}))
    assert from_tree(parse("1e-7 * a", names, {})).arguments[0].value == Fraction(1, 10**7)


def test_number_that_float64_does_not_hold_is_not_written():
    expression = from_tree(parse("9007199254740991 * (9007199254740991 * a)", {"a": PER_SAMPLE}, {}))
    with pytest.raises(ValueError, match="no exact decimal"):
        text(expression)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("a * (1 - b)", "(1 - b) * a"),
        ("-(1 - b) * a", "-(1 - b) * a"),
        ("(b - 1) * a / (2 - b)", "-(1 - b) * a / (2 - b)"),
        ("b * c * a - c * b * a", "0"),
        ("a ** (1 + b)", "a ** (1 + b)"),
        ("a * b ** c / b", "b ** c * a / b"),
        ("1 ** b * a + 0 ** b", "a"),
    ],
)
def test_constants_keep_their_names(typed, expected):
    constants = {"b": 0.8, "c": 3}
    assert text(from_tree(parse(typed, {"a": PER_SAMPLE}, constants))) == expected


def test_laws_come_to_an_end():
    typed = parse_loss(f"mean({' * '.join(['(1 + exp(logits) * yhat)'] * 30)})", {})
    assert simplified(from_tree(typed)) == simplified(simplified(from_tree(typed)))
