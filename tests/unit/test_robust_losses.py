"""Losses known from papers, as people type them: each has a form of the same function that float32 can train with."""

import pytest

from builders.formulas import BEST
from losses.rewrites import better_form, form_to_tell, is_clean, is_same
from training.loss import FormulaLoss

TRUE = "(y * yhat + (1 - y) * (1 - yhat))"  # the probability of the true class
CROSS_ENTROPY = "(y * log(yhat) + (1 - y) * log(1 - yhat))"
GENERALIZED = "mean((1 - exp(-q * softplus((1 - 2 * y) * logits))) / q)"
SAVAGE = "mean(exp(-2 * softplus(2 * (2 * y - 1) * logits)))"
SYMMETRIC = "mean(a * softplus((1 - 2 * y) * logits) - b * A * sigmoid((1 - 2 * y) * logits))"
THREE = {"a": 0.1, "b": 1.0, "A": -4}


@pytest.mark.parametrize(
    ("formula", "constants", "best"),
    [
        # Zhang and Sabuncu 2018, eq. 6
        (f"mean((1 - {TRUE} ** q) / q)", {"q": 0.7}, GENERALIZED),
        ("mean((1 - where(y == 1, yhat, 1 - yhat) ** q) / q)", {"q": 0.7}, GENERALIZED),
        ("mean(y * (1 - yhat ** q) / q + (1 - y) * (1 - (1 - yhat) ** q) / q)", {"q": 0.7}, GENERALIZED),
        ("mean((1 - (1 - abs(y - yhat)) ** q) / q)", {"q": 0.3}, GENERALIZED),
        (f"mean((1 - {TRUE} ** 0.5) / 0.5)", {}, "mean(2 * (1 - exp(-0.5 * softplus((1 - 2 * y) * logits))))"),
        (f"mean(2 - 2 * sqrt{TRUE})", {}, "mean(2 - 2 * exp(-0.5 * softplus((1 - 2 * y) * logits)))"),
        # Masnadi-Shirazi and Vasconcelos 2008
        ("mean(1 / (1 + exp(2 * (2 * y - 1) * logits)) ** 2)", {}, SAVAGE),
        ("mean((1 + exp(2 * (2 * y - 1) * logits)) ** -2)", {}, SAVAGE),
        ("mean((1 / (1 + exp((4 * y - 2) * logits))) ** 2)", {}, SAVAGE),
        ("mean(4 / (1 + exp((4 * y - 2) * logits)) ** 2)", {}, SAVAGE.replace("exp", "4 * exp", 1)),
        ("mean(1 / (1 + exp(k * (2 * y - 1) * logits)) ** 2)", {"k": 2}, SAVAGE.replace("2 * (", "k * (")),
        # Amid et al. 2019, eq. 5 with t2 = 1
        (
            f"mean(-({TRUE} ** (1 - t) - 1) / (1 - t) - (1 - yhat ** (2 - t) - (1 - yhat) ** (2 - t)) / (2 - t))",
            {"t": 0.8},
            "mean((1 - exp(-(1 - t) * softplus((1 - 2 * y) * logits))) / (1 - t)"
            " - (1 - exp(-(2 - t) * softplus(-(1 - 2 * y) * logits))"
            " - exp(-(2 - t) * softplus((1 - 2 * y) * logits))) / (2 - t))",
        ),
        # Wang et al. 2019, eq. 7, with A in place of log(0)
        (f"mean(-a * {CROSS_ENTROPY} - b * A * (y * (1 - yhat) + (1 - y) * yhat))", THREE, SYMMETRIC),
        (f"-a * mean{CROSS_ENTROPY} - b * A * mean(abs(y - yhat))", THREE, SYMMETRIC),
        (
            f"-a * mean{CROSS_ENTROPY} - b * mean(yhat * where(y == 1, 0, A) + (1 - yhat) * where(y == 1, A, 0))",
            THREE,
            SYMMETRIC,
        ),
        # Far from 0, e^(-5 z) needs digits enough to see that it is the same
        ("-mean(log(1 / (1 + exp(-5 * (2 * y - 1) * logits))))", {}, BEST.replace("((", "(5 * (")),
    ],
)
def test_loss_has_a_form_that_float32_can_train_with(formula, constants, best):
    typed = FormulaLoss.of(formula, constants)
    found = better_form(typed)
    assert (found.formula, found.constants) == (best, constants)
    assert found.dead == 0
    assert not is_clean(typed)
    assert is_clean(FormulaLoss.of(found.formula, found.constants))


def test_form_is_told_where_the_loss_is_nan_for_right_images_alone():
    found = form_to_tell(FormulaLoss.of("mean(1 / (1 + exp((2 * y - 1) * logits)) ** 2)", {}))
    assert found.lost_before - found.lost < 0.5
    assert found.dead == found.dead_before == 0
    assert found.finite_within == "inf"


@pytest.mark.parametrize(
    ("formula", "constants", "best"),
    [
        (
            f"mean(-(1 - b) * {CROSS_ENTROPY} - b * A * abs(y - yhat))",
            {"b": 0.8, "A": -4},
            "mean((1 - b) * softplus((1 - 2 * y) * logits) - b * A * sigmoid((1 - 2 * y) * logits))",
        ),
        (
            "-mean(w * y * log(yhat) + (1 - w) * (1 - y) * log(1 - yhat))",
            {"w": 0.8},
            "mean(where(y == 1, w * softplus(-logits), (1 - w) * softplus(logits)))",
        ),
        (
            "-mean((y * (1 - s) + s / 2) * log(yhat) + (1 - y * (1 - s) - s / 2) * log(1 - yhat))",
            {"s": 0.1},
            "mean((1 - 0.5 * s) * softplus(-(2 * y - 1) * logits) + 0.5 * s * softplus((2 * y - 1) * logits))",
        ),
        (
            f"-mean({CROSS_ENTROPY} * b ** 2 / (3 * k))",
            {"b": 0.7, "k": 7},
            "mean(b ** 2 * softplus((1 - 2 * y) * logits) / (3 * k))",
        ),
    ],
)
def test_constant_keeps_its_name_in_arithmetic(formula, constants, best):
    found = better_form(FormulaLoss.of(formula, constants))
    assert (found.formula, found.constants) == (best, constants)


@pytest.mark.parametrize(
    ("formula", "other", "is_it"),
    [
        # Not defined where a root has none, here below a logit of -300, or below a loss of 1; 0 * log(0) is 0.
        (f"-mean({CROSS_ENTROPY} + 0 * sqrt(logits + 300))", BEST, False),
        ("mean(sqrt(softplus((1 - 2 * y) * logits) - 1) ** 2)", "mean(softplus((1 - 2 * y) * logits) - 1)", False),
        ("mean(exp(log(logits)))", "mean(logits)", False),
        (f"-mean({CROSS_ENTROPY} + y * (1 - y) * log(y - 2))", BEST, False),
        (f"-mean({CROSS_ENTROPY} + y * log(y) + (1 - y) * log(1 - y))", BEST, True),
    ],
)
def test_function_that_is_defined_at_other_logits_is_another(formula, other, is_it):
    typed = FormulaLoss.of(formula, {})
    assert is_same(typed, FormulaLoss.of(other, {})) is is_it
    found = better_form(typed)
    assert found is None or (is_same(typed, FormulaLoss.of(found.formula, {})) and found.formula != other)
