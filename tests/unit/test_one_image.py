"""The loss of one image, as a formula of its own, exactly and in float32."""

import math

import mpmath
import pytest
import torch

from builders.losses import MANUAL_BCE, loss_of
from experiment.schema import SCHEMA
from formulas.language import FUNCTIONS
from losses.exact import exact
from losses.one_image import one_image

SINGLE = [
    "mean(f)",
    "-mean(f)",
    "sum(f)",
    "2 * mean(f)",
    "mean(f) + mean(g) - 1",
    "mean(f) / 2",
    "-(mean(f) * mean(y))",
]
SINGLE += [
    "mean(f) + mean(0 * y)",
    "sum(f * y) / sum(y)",
    "mean(f * y / mean(y)) - mean(g)",
    "sum(f) / 12 + 3 * sum(g)",
]
JOINT = ["log(mean(f))", "mean(f) / mean(g)", "mean(f) ** 2", "mean(f) * mean(g)", "1 / mean(f)", "mean(f / mean(g))"]
JOINT += ["maximum(mean(f), 1)", "mean(f) + sum(g)", "1 - 2 * sum(y * f) / (sum(y) + sum(g))", "abs(mean(f))"]


def filled(text: str):
    return loss_of(text.replace("f", "(yhat - y) ** 2").replace("g)", "abs(logits))"))


@pytest.mark.parametrize("text", [*SINGLE, *JOINT])
def test_loss_that_is_no_sum_or_mean_over_images_is_told_so(text):
    assert (one_image(filled(text)).why_not is None) == (text in SINGLE)


@pytest.mark.parametrize("text", SINGLE)
def test_loss_of_one_image_adds_up_to_the_loss_of_many(text):
    """One image of either class, so that mean(y) is what it is assumed to be."""
    loss = filled(text)
    y, z = torch.tensor([0.0, 1.0]), torch.tensor([-0.7, 2.5], requires_grad=True)
    (whole,) = torch.autograd.grad(loss(y[:, None], z[:, None].sigmoid(), z[:, None]), z)
    slopes = one_image(loss).in_float32(y, z.detach())[1]
    torch.testing.assert_close(slopes / (2 if "mean(f" in text else 1), whole)


def test_weights_that_labels_decide_are_exact():
    """mean(0.1 * y) is a twentieth, not the float64 next to it, whatever was computed before."""
    found = one_image(loss_of("mean(logits) * mean(0.1 * y)")).exactly(1, 2.0)
    assert abs(found.value * 10 - 1) < 1e-45
    assert abs(found.slope * 20 - 1) < 1e-45


def test_loss_of_one_image_is_made_once():
    loss = loss_of("mean((yhat - y) ** 2)")
    assert one_image(loss) is one_image(loss)


EVERY = {name: {"module": name} for name in SCHEMA["$defs"]["losses"]} | {
    "BCEWithLogitsLoss": {"module": "BCEWithLogitsLoss", "pos_weight": 2.5},
    "HuberLoss 0.3": {"module": "HuberLoss", "delta": 0.3},
    "KLDivLoss log_target": {"module": "KLDivLoss", "log_target": True, "reduction": "batchmean"},
    "PoissonNLLLoss full": {"module": "PoissonNLLLoss", "log_input": False, "full": True, "eps": 0.01},
    "SmoothL1Loss 0.3": {"module": "SmoothL1Loss", "beta": 0.3, "reduction": "sum"},
    "SmoothL1Loss 0": {"module": "SmoothL1Loss", "beta": 0},
}
OPERATIONS = [
    f"mean({text} + 0 * yhat)"
    for text in (
        *(
            f"{name}(logits)"
            for name, (arguments, _) in FUNCTIONS.items()
            if arguments == "a" and name not in ("mean", "sum")
        ),
        *("log(yhat)", "sqrt(yhat)", "log1p(yhat)", "clamp(logits, -1, 1.5)", "clamp(yhat, 0.4, 2 * yhat - 0.2)"),
        *("minimum(logits, yhat)", "maximum(logits, y)", "where(logits > 0.5, yhat, logits * y)", "logits / yhat"),
        *("logits ** 3", "yhat ** yhat", "2 ** logits", "logits ** 0", "yhat ** -1.5", "-logits", "y - logits"),
        *(f"logits * (logits {symbol} 0.5)" for symbol in ("<", "<=", ">", ">=", "==", "!=")),
    )
]


@pytest.mark.parametrize(
    ("name", "fed"),
    [
        (name, fed)
        for name in EVERY
        for fed in ("yhat", "logits")
        if (EVERY[name]["module"], fed) != ("BCELoss", "logits")  # it takes yhat
    ],
)
def test_exact_module_is_torch_in_float64(name, fed):
    compare(loss_of({**EVERY[name], "input": fed}))


@pytest.mark.parametrize("text", OPERATIONS)
def test_exact_formula_is_torch_in_float64(text):
    compare(loss_of(text))


def compare(loss) -> None:
    for y in (0.0, 1.0):
        for logit in (-7.0, -0.75, 0.5, 2.0):
            z = torch.tensor([[logit]], dtype=torch.float64, requires_grad=True)
            value = loss(torch.tensor([[y]], dtype=torch.float64), z.sigmoid(), z)
            (slope,) = torch.autograd.grad(value, z)
            found = one_image(loss).exactly(y, logit)
            assert float(found.value) == pytest.approx(value.item(), rel=1e-7, nan_ok=True)  # pos_weight is float32
            if math.isfinite(value.item()):
                assert float(found.slope) == pytest.approx(slope.item(), rel=1e-7, abs=1e-14)


@pytest.mark.parametrize("logit", [-300.0, -0.3, 1e-20, 40.0, 500.0])
def test_exact_is_exact_where_float64_is_not(logit):
    """log(1 - yhat) is -softplus, log(yhat) is logits - softplus, however far out and however close to 0."""
    mpmath.mp.dps = 40
    for y in (0, 1):
        found = exact(loss_of(MANUAL_BCE).tree, y, logit)
        z = mpmath.mpf(logit)
        with mpmath.workdps(900):
            value, slope = mpmath.log1p(mpmath.exp(-z if y else z)), 1 / (1 + mpmath.exp(-z)) - y
        assert abs(mpmath.mpf(found.value) / value - 1) < 1e-40
        assert abs(mpmath.mpf(found.slope) / slope - 1) < 1e-40


def test_exact_derivative_is_that_of_the_exact_value():
    tree = loss_of("mean(log(1 + exp(logits * yhat)) ** (1 + y) / sqrt(2 - yhat) - tanh(logits) * softplus(yhat))").tree
    step = 2.0**-40
    for y in (0, 1):
        before, after_it = (exact(tree, y, 0.75 + sign * step).value for sign in (-1, 1))
        assert abs(exact(tree, y, 0.75).slope - (after_it - before) / (2 * step)) < 1e-20


def test_exact_knows_where_a_formula_is_not_defined_or_too_large():
    for text in ("log(logits - 9)", "sqrt(0 * logits - 1)", "(logits - 9) ** 0.5", "0 * logits / (logits - logits)"):
        assert math.isnan(float(exact(loss_of(f"mean({text})").tree, 1, 2.0).value)), text
    tower = loss_of("mean(exp(exp(exp(logits))))").tree
    assert math.isinf(float(exact(tower, 1, 512.0).value))
