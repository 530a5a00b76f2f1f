"""The autopsy: which sub-expression, setting or pixels a divergence is put down to, and its sentence."""

import json
import math
from dataclasses import replace
from types import SimpleNamespace

import msgspec
import pytest
import torch
from msgspec import structs
from train import train

from autopsy.autopsy import autopsy
from autopsy.normalization import broken_normalization
from builders.losses import MANUAL_BCE
from builders.pipeline import Pipeline
from builders.reading import read_json
from builders.training import data, diagnosed, settings, trained
from builders.training import formula as definition
from builders.workflows import small_config
from experiment.config import check
from records.metrics import Autopsy, Input
from records.strict import as_json
from reporting.carets import marked
from training.fast import pack
from training.loss import build_loss
from training.network import build_network, forward


def autopsy_of(loss_definition, parts=None, **changes) -> Autopsy:
    changes = {"epochs": 6, "classes": [0, 1]} | changes
    outcome = diagnosed(settings(loss_definition=loss_definition, **changes), parts or data()).outcome
    json.dumps(as_json(outcome), allow_nan=False)
    return outcome.autopsy


# formula, the sub-expression to blame, what it holds for y = 0 and y = 1 of 30 images each: (nan, +inf, -inf)
PLACES = {
    "log of a clamp": ("mean(log(clamp(yhat, 0, 1) - 1) * y)", "log(clamp(yhat, 0, 1) - 1)", (30, 0, 0), (30, 0, 0)),
    "log of zero": ("mean(log(relu(0 * yhat)))", "log(relu(0 * yhat))", (0, 0, 30), (0, 0, 30)),
    "sqrt of a negative": ("mean(yhat) + mean(sqrt(yhat - 2))", "sqrt(yhat - 2)", (30, 0, 0), (30, 0, 0)),
    "division by zero in one class": ("mean(yhat / (1 - y))", "yhat / (1 - y)", (0, 0, 0), (0, 30, 0)),
    "0 / 0 in one class": ("mean(0 * yhat / y)", "0 * yhat / y", (30, 0, 0), (0, 0, 0)),
    "exp overflow": ("mean(exp(100 * (1 + yhat)))", "exp(100 * (1 + yhat))", (0, 30, 0), (0, 30, 0)),
    "power": ("mean((0 - yhat) ** 0.5)", "(0 - yhat) ** 0.5", (30, 0, 0), (30, 0, 0)),
    "overflowing product": ("mean((yhat + 1) * 3e38 * 3)", "(yhat + 1) * 3e38", (0, 30, 0), (0, 30, 0)),
}


@pytest.mark.parametrize("place", PLACES)
def test_loss_that_breaks_in_one_place_is_attributed_to_it(place):
    formula, blamed, zeros, ones = PLACES[place]
    found = autopsy_of(definition(formula))
    assert (found.epoch, found.cause) == (0, "loss")
    assert [culprit.expression for culprit in found.culprits] == [blamed]
    for label, counts in (("0", zeros), ("1", ones)):
        assert tuple(found.culprits[0].holds[label].values()) == counts
    assert found.path[0].expression == blamed
    assert found.path[-1].expression == formula
    assert f"`{blamed}`" in found.sentence


def test_branch_that_where_leaves_aside_is_not_blamed():
    found = autopsy_of(
        definition("mean(where(y == 1, log(0 * yhat), exp(yhat))) + mean(where(y == 2, log(yhat - 9), y))")
    )
    assert [culprit.expression for culprit in found.culprits] == ["log(0 * yhat)"]
    assert found.image.y == 1


def test_saturated_image_is_told_in_a_sentence():
    parts = data()
    parts["x_train"] = torch.zeros(60, 784)
    parts["x_train"][40, 0] = 16.65  # a 1
    parts["x_packed"] = pack(parts["x_train"])
    network = build_network(784, [], ["ReLU", []], 7)
    weights = [torch.zeros(1, 784), torch.zeros(1)]
    weights[0][0, 0] = 1.0
    network.load_state_dict(dict(zip(network.state_dict(), weights, strict=True)))
    died = trained(settings(hidden=[]), parts)
    record = structs.replace(died.record, diverged_epoch=249, largest_weight=1.0)
    with torch.no_grad():
        died = replace(died, record=record, broke=forward(network, parts["x_packed"]))
    found = autopsy(died, build_loss(definition(MANUAL_BCE)), parts, settings(hidden=[]), train)
    assert found.sentence == (
        "At epoch 249 the network was sure of one correct 1 (logit 16.65): float32 rounded ŷ to exactly 1, "
        "`log(1 - yhat)` became −∞, and 0 · −∞ is NaN."
    )
    assert as_json(found.image) == {"index": 40, "y": 1, "yhat": 1.0, "logit": pytest.approx(16.65)}
    assert found.yhat_ones == {"0": 0, "1": 1}
    assert found.logits["1"].max == pytest.approx(16.65)


def test_gradient_that_breaks_while_the_loss_is_finite():
    found = autopsy_of(definition("mean(where(y == 1, 0 * yhat, sqrt(0 * yhat)))"))
    assert (found.cause, found.epoch) == ("gradient", 1)
    assert [culprit.expression for culprit in found.culprits] == ["sqrt(0 * yhat)"]
    assert "derivative of `sqrt(0 * yhat)` is not finite" in found.sentence


@pytest.mark.parametrize("loss", [["module", "MSELoss", [], "logits"], definition("mean((logits - y) ** 2)")])
def test_exploding_learning_rate_is_told_apart(loss):
    found = autopsy_of(loss, optimizer=["SGD", []], lr=1e6, epochs=30)
    assert found.cause in ("network", "step")
    assert "learning rate is too large" in found.sentence


def test_step_that_overflows_is_told_apart():
    found = autopsy_of(definition("mean(logits * (1 - 2 * y))"), optimizer=["SGD", []], lr=3e38, epochs=30)
    assert found.cause in ("step", "network")
    assert "learning rate is too large" in found.sentence


def with_pixels(change) -> dict:
    parts = data()
    change(parts["x_train"])
    return parts | {"x_packed": pack(parts["x_train"])}


def some_blank(x: torch.Tensor) -> None:
    x[:, :5] = 0.0


LOGITS = ["module", "BCEWithLogitsLoss", [], "logits"]
DIVIDES = {
    "Adam": "sqrt(exp_avg_sq) + eps",
    "AdamW": "sqrt(exp_avg_sq) + eps",
    "NAdam": "sqrt(exp_avg_sq) + eps",
    "RAdam": "sqrt(exp_avg_sq) + eps",
    "Adamax": "exp_inf",
    "RMSprop": "sqrt(square_avg) + eps",
    "Adagrad": "sqrt(sum) + eps",
    "Adadelta": "sqrt(square_avg + eps)",
}


@pytest.mark.parametrize("name", DIVIDES)
def test_division_of_an_optimizer_without_eps_is_no_learning_rate_too_large(name):
    found = autopsy_of(LOGITS, with_pixels(some_blank), optimizer=[name, [["eps", 0.0]]], epochs=12)
    assert found.cause == "optimizer"
    assert f"{name} divides by `{DIVIDES[name]}`, which was exactly 0 for 40 weights" in found.sentence
    assert "0.weight[0, 0]" in found.sentence
    assert "learning rate" not in found.sentence


def test_square_root_of_a_negative_variance_is_the_optimizer_s():
    """The gradient is the same at each step, so that its variance becomes 0, up to rounding."""
    constant = definition("mean((1 - 2 * y) * logits)")
    optimizer = ["RMSprop", [["alpha", 0.5], ["centered", True]]]
    found = autopsy_of(constant, optimizer=optimizer, lr=0.001, epochs=200, hidden=[])
    assert found.cause == "optimizer"
    assert "takes the square root of `square_avg - grad_avg ** 2`, which was -" in found.sentence


@pytest.mark.parametrize(
    ("arguments", "cause", "factor", "words"),
    [
        (
            [["weight_decay", 300.0]],
            "decay",
            -29,
            "lr · weight_decay is 30, so that each step multiplies the weights by −29",
        ),
        ([["momentum", 1.5]], "momentum", 1.5, "momentum is 1.5, so that steps grow for ever"),
    ],
)
def test_setting_that_grows_for_ever_is_told_by_its_factor(arguments, cause, factor, words):
    found = autopsy_of(LOGITS, optimizer=["SGD", arguments], lr=0.1, epochs=300)
    assert (found.cause, found.factor) == (cause, pytest.approx(factor))
    assert words in found.sentence
    assert "learning rate is" not in found.sentence


def test_finite_pixels_that_overflow_the_first_pass_are_blamed():
    found = autopsy_of(definition("mean((logits - y) ** 2)"), with_pixels(lambda x: x.mul_(1e20)))
    assert (found.epoch, found.cause) == (0, "normalization")
    assert "the pixels were too large" in found.sentence


@pytest.mark.parametrize(
    ("formula", "constants", "words"),
    [
        ("-mean(y * log(yhat) + (1 - y) * log(1 - clamp(yhat, 0, 1 - 1e-8)))", {}, "Float32 rounds `1 - 1e-8` to 1."),
        ("-mean(log(1 - (yhat - eps)))", {"eps": 1e-9}, "In float32 `yhat - eps` is `yhat` itself where that is 1."),
    ],
)
def test_what_float32_rounds_away_is_named(formula, constants, words):
    found = autopsy_of(definition(formula, **constants), with_pixels(lambda x: x.mul_(300)))
    assert found.cause == "loss"
    assert words in found.sentence


def test_pixels_that_are_not_finite_are_told_by_their_share_of_the_values():
    def break_some(x: torch.Tensor) -> None:
        x[:2, :3] = math.inf

    found = autopsy_of(LOGITS, with_pixels(break_some))
    assert "6 of 47,040 values (0.0128 %), at 3 of 784 pixels, in 2 of 60 images" in found.sentence


def test_normalization_that_makes_nan_is_attributed_to_its_place(tmp_path, small_mnist):
    config = small_config(small_mnist)
    config["normalizations"] = {
        "unit": "x / 255",
        "constant": "x / 255 + (pixel_std - pixel_std) / (max - 255 - max + 255)",
    }
    config["losses"]["bce"] = {"module": "BCELoss"}
    config["variants"] = {"nan": {"loss": "bce", "normalization": "constant", "seeds": [1]}}
    variants = Pipeline(tmp_path).diagnose(check(config | {"diagnosis": {"trials": 0}}))
    (outcome,) = read_json(variants / "nan/metrics.json")["seeds"]
    found = outcome["autopsy"]
    assert (outcome["status"], found["cause"]) == ("diverged", "normalization")
    assert [c["expression"] for c in found["culprits"]] == ["(pixel_std - pixel_std) / (max - 255 - max + 255)"]
    assert "max - 255 - max + 255 was exactly 0, and 0 / 0 is NaN" in found["sentence"]


def test_what_went_into_a_step_names_what_is_not_finite():
    found = autopsy_of(definition("mean(0 * log(y) + yhat)"))
    inputs = {input.expression: input for step in found.path for input in step.inputs}
    assert (inputs["log(y)"].min, inputs["log(y)"].max, inputs["log(y)"].holds) == (0.0, 0.0, {"-inf": 30})
    assert inputs["0 * log(y)"].holds == {"nan": 30}
    assert inputs["y"].holds == {}
    nothing = autopsy_of(definition("mean(log(y - 2) + yhat)")).path[1].inputs[0]
    assert (nothing.expression, nothing.min, nothing.max) == ("log(y - 2)", None, None)


def test_input_of_an_earlier_version_is_read():
    old = json.dumps({"expression": "yhat", "min": 0.0, "max": "inf"})
    assert msgspec.json.decode(old, type=Input).holds == {}


def lines(loss_definition, found, pixels="x / 255", classes=(0, 1)) -> list[str] | None:
    """The formula, the carets under it, and what the culprit held."""
    of = SimpleNamespace(loss_definition=loss_definition, normalization_definition=[pixels, []])
    counts = SimpleNamespace(train=(30, 30))
    shown = marked(SimpleNamespace(settings=of, classes=list(classes), counts=counts), found)
    return shown and ["".join(shown.formula), shown.carets, shown.words]


def test_carets_stand_under_the_sub_expression_that_broke_not_under_its_like():
    loss = definition("mean(where(y == 1, log(y), yhat)) + mean(log(y))")
    assert lines(loss, autopsy_of(loss), classes=("cat", "dog")) == [
        "mean(where(y == 1, log(y), yhat)) + mean(log(y))",
        "                                         ^^^^^^",
        "       −∞ for 30 of 30 images of cat",
    ]


@pytest.mark.parametrize(
    ("formula", "words"),
    [
        ("mean(log(yhat - 2))", "NaN for 30 of 30 images of 0 and 30 of 30 images of 1"),
        ("mean(yhat) / mean(0 * y)", "+∞"),
        (
            "mean(where(y == 1, yhat, sqrt(y * yhat)))",
            "its derivative is not finite for 30 of 30 images of 0",
        ),
    ],
)
def test_what_the_culprit_held_is_told_under_it(formula, words):
    loss = definition(formula)
    found = autopsy_of(loss)
    formula_line, carets, told = lines(loss, found)
    assert formula_line == formula
    assert formula[carets.index("^") : len(carets)] == found.path[0].expression
    assert told.strip() == words


def test_no_carets_where_no_formula_is_to_blame():
    assert lines(LOGITS, autopsy_of(LOGITS, with_pixels(some_blank), optimizer=["Adam", [["eps", 0.0]]])) is None
    loss = ["module", "PoissonNLLLoss", [["log_input", False], ["eps", 0.0]], "yhat"]
    module = autopsy_of(loss, with_pixels(lambda x: x.mul_(-1e4)))
    assert module.path and lines(loss, module) is None


def test_carets_of_pixels_stand_under_their_own_formula(tmp_path):
    digits = {"train_images": torch.zeros(60, 28, 28, dtype=torch.uint8), "train_labels": torch.arange(60) % 2}
    broken = broken_normalization(digits, ["x / 255 + (x - mean) / std", []])
    of = structs.replace(autopsy_of(definition("mean(log(yhat - 2))")), cause="normalization", path=broken.path)
    assert lines(LOGITS, of, "x / 255 + (x - mean) / std") == [
        "x / 255 + (x - mean) / std",
        "          ^^^^^^^^^^^^^^^^",
        "          NaN in 47,040 values",
    ]
    loss = definition("mean((logits - y) ** 2)")
    large = autopsy_of(loss, with_pixels(lambda x: x.mul_(1e20)))
    assert large.cause == "normalization"
    assert lines(loss, large)[:2] == ["mean((logits - y) ** 2)", "     ^^^^^^^^^^^^^^^^^"]
