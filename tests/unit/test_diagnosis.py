"""The diagnosis: autopsies, unsafe losses, forecasts."""

import csv
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from msgspec import structs
from scipy.stats import binomtest
from train import train

from autopsy.autopsy import autopsy
from builders.answers import entry
from builders.pipeline import Pipeline
from builders.training import data, diagnosed, settings, trained
from builders.workflows import small_config
from common.english import with_article
from common.files import read_json
from comparing.statistics import mcnemar
from experiment.config import check
from formulas.float32 import ONE_LOGIT, ZERO_LOGIT
from losses.facts import limits
from losses.sign_chart import sign_chart
from records.comparison import Change
from records.metrics import Autopsy
from records.strict import as_json, read_record
from reporting.page import p_value
from reporting.summary import summarize
from training.fast import pack
from training.loss import Loss, build_loss
from training.network import build_network, forward

MANUAL_BCE = "-mean(y * log(yhat) + (1 - y) * log(1 - yhat))"


def definition(formula: str, **constants) -> list:
    return ["formula", formula, [[name, value] for name, value in constants.items()]]


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


def test_no_forecast_where_the_loss_holds_its_images_back():
    """PoissonNLLLoss is not finite at logit 88.7, but least at 0 for y = 1, and at -inf for y = 0."""
    poisson = settings(loss_definition=["module", "PoissonNLLLoss", [], "logits"], epochs=60)
    outcome = diagnosed(poisson, data()).outcome
    assert outcome.forecast.epoch is None
    assert "holds its images back" in outcome.forecast.why


def test_sigmoid_becomes_exactly_1_and_0_where_the_derivation_says():
    for logit, value in ((ONE_LOGIT, 1), (ZERO_LOGIT, 0)):
        beyond, before = (torch.full((64, 1), logit * (1 + sign * 1e-6)).sigmoid() for sign in (1, -1))
        assert (beyond == value).all()
        assert (before != value).all()


SAFE = {
    "BCELoss": ["module", "BCELoss", [], "yhat"],
    "BCEWithLogitsLoss": ["module", "BCEWithLogitsLoss", [], "logits"],
    "epsilon": definition("-mean(y * log(yhat + eps) + (1 - y) * log(1 - yhat + eps))", eps=1e-7),
    "softplus": definition("mean(softplus(logits) - y * logits)"),
    "class mean": definition("sum(y * (1 - yhat)) / sum(y) + sum((1 - y) * yhat) / sum(1 - y)"),
}


@pytest.mark.parametrize("name", SAFE)
def test_safe_loss_is_found_safe(name):
    loss = build_loss(SAFE[name])
    assert not unsafe(loss)
    assert limits(sign_chart(loss)) == {"upper": None, "lower": None}


EDGES = {0: ZERO_LOGIT, 1: ONE_LOGIT}  # the logits at which ŷ becomes exactly 0 and 1


def unsafe(loss: Loss) -> set[tuple[int, int]]:
    """(y, ŷ) for which loss or gradient is not finite just beyond the logit at which ŷ becomes exactly 0 or 1."""
    # A hair beyond, for 24 ln 2 is no float32.
    edges = [(label, yhat, logit * (1 + 1e-6)) for label in sign_chart(loss).labels for yhat, logit in EDGES.items()]
    return {
        (label.label, yhat)
        for label, yhat, logit in edges
        for interval in label.intervals
        if interval.low <= logit <= interval.high and not interval.is_finite
    }


UNSAFE = {
    MANUAL_BCE: {(0, 0), (0, 1), (1, 0), (1, 1)},
    "-mean(log(where(y == 1, yhat, 1 - yhat)))": {(0, 1), (1, 0)},
    "-mean(where(y == 1, log(yhat), log(1 - yhat)))": {(0, 1), (1, 0), (0, 0), (1, 1)},  # its gradient is 0 · inf
    # an epsilon that float32 loses next to 1
    "-mean(y * log(yhat + 1e-9) + (1 - y) * log(1 - (yhat - 1e-9)))": {(0, 1), (1, 1)},
}


@pytest.mark.parametrize("formula", UNSAFE)
def test_answers_that_are_unsafe_are_found_by_evaluation(formula):
    assert unsafe(build_loss(definition(formula))) == UNSAFE[formula]


def test_limit_that_a_run_approaches_is_found_by_evaluation():
    found = limits(sign_chart(build_loss(definition(MANUAL_BCE))))
    assert found["upper"] == pytest.approx(ONE_LOGIT, rel=1e-4)
    assert found["lower"] == pytest.approx(ZERO_LOGIT, rel=1e-4)
    found = limits(sign_chart(build_loss(definition("mean(exp(logits * (1 - 2 * y)) + exp(logits))"))))
    assert found["upper"] == pytest.approx(math.log(torch.finfo(torch.float32).max), rel=1e-4)
    assert found["lower"] is None


@pytest.mark.parametrize(("only_a", "only_b"), [(0, 0), (1, 0), (3, 9), (10, 0), (40, 41)])
def test_mcnemar_is_a_binomial_test(only_a, only_b):
    expected = binomtest(only_a, only_a + only_b).pvalue if only_a + only_b else 1.0
    assert mcnemar(only_a, only_b) == pytest.approx(expected)


def test_mcnemar_of_models_that_never_agree():
    """One that always says 0 beside one that always says 1, on all of MNIST's zeros and ones."""
    assert mcnemar(5923, 6742) == pytest.approx(binomtest(5923, 12665).pvalue)


def test_p_value_that_is_as_good_as_zero_is_told_by_its_bound():
    assert [p_value(p) for p in (None, 0.0, 5e-324, 1e-299, 0.0312)] == ["–", "< 1e−300", "< 1e−300", "1e−299", "0.031"]
    assert [p_value(p) for p in (0.0494, 0.0499, 0.05, 0.0504)] == ["0.049", "< 0.05", "0.05", "0.05"]


def test_settings_in_a_table_are_one_word_each():
    given = {"loss": "bce", "normalization": "unit", "hidden": [64, 32], "activation": ["ReLU", []], "lr": 0.1}
    given |= {"optimizer": ["Adam", [["betas", [0.5, 0.9]], ["eps", 0.0]]], "loss_definition": []}
    table = summarize(
        [entry("a", np.ones((2, 5), dtype=bool)), entry("b", np.ones((1, 5), dtype=bool))],
        {"a": given, "b": given | {"hidden": [], "lr": 3}},
    )
    assert table.loc[0, ["hidden", "activation", "optimizer", "lr"]].tolist() == [
        "64x32",
        "ReLU",
        "Adam(betas=[0.5, 0.9], eps=0.0)",
        0.1,
    ]
    assert table.loc[2, ["variant", "loss", "normalization", "hidden", "lr"]].tolist() == [
        "b",
        "bce",
        "unit",
        "none",
        3.0,
    ]


def test_classes_have_the_article_that_they_are_spoken_with():
    names = [0, 1, 8, 11, 18, 81, 80, "apple", "bee"]
    said = ["a 0", "a 1", "an 8", "an 11", "an 18", "an 81", "an 80", "an apple", "a bee"]
    assert [with_article(name) for name in names] == said


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


@pytest.fixture(scope="module")
def results(small_mnist, tmp_path_factory) -> Path:
    """The results of variants that diverge at a known place, and of one that does not."""
    config = small_config(small_mnist)
    config["defaults"] |= {"epochs": 40, "lr": 0.05, "hidden": [16]}
    config["diagnosis"] = {"trials": 0}
    config["losses"]["manual-bce"] = MANUAL_BCE
    config["losses"]["product"] = "-mean(log(yhat ** y * (1 - yhat) ** (1 - y)))"
    config["losses"]["square"] = "mean((logits - y) ** 2)"
    config["normalizations"]["raw"] = "x"
    config["variants"] = {
        "good": {"loss": "bce", "normalization": "unit"},
        "manual": {"loss": "manual-bce", "normalization": "raw"},
        "product": {"loss": "product", "normalization": "raw"},
        "explodes": {"loss": "square", "normalization": "raw", "optimizer": "SGD", "lr": 0.5},
    }
    pipeline = Pipeline(tmp_path_factory.mktemp("results"))
    pipeline.run(check(config))
    return pipeline.folder / "results"


def read_csv(path) -> list[dict]:
    with open(path) as file:
        return list(csv.DictReader(file))


def test_every_loss_is_evaluated_at_the_weights_that_broke(results):
    rows = read_csv(results / "comparison/same_weights.csv")
    manual = {row["loss"]: row for row in rows if (row["variant"], row["seed"]) == ("manual", "1")}
    assert set(manual) == {"bce", "negative-log", "manual-bce", "product", "square"}
    assert not math.isfinite(float(manual["manual-bce"]["value"]))
    assert math.isfinite(float(manual["bce"]["value"])) and math.isfinite(float(manual["bce"]["gradient_norm"]))
    # Held against torch alone.
    weights = torch.load(results / "variants/manual/1/broken.pt", weights_only=True)
    network = torch.nn.Sequential(torch.nn.Linear(784, 16), torch.nn.ReLU(), torch.nn.Linear(16, 1), torch.nn.Sigmoid())
    network.load_state_dict(weights)
    parts = torch.load(results / "normalized/raw.pt", weights_only=True)
    loss = torch.nn.BCELoss()(network(parts["x_train"]), parts["y_train"])
    loss.backward()
    norm = math.sqrt(sum(float(p.grad.square().sum()) for p in network.parameters()))
    assert float(manual["bce"]["value"]) == pytest.approx(loss.item(), rel=1e-5)
    assert float(manual["bce"]["gradient_norm"]) == pytest.approx(norm, rel=1e-4)


def test_survival_counts_the_seeds_that_are_finite(results):
    rows = read_csv(results / "comparison/survival.csv")
    assert len(rows) == 4 * 40
    for row in rows:
        outcomes = read_json(results / f"variants/{row['variant']}/metrics.json")["seeds"]
        alive = [one for one in outcomes if one["diverged_epoch"] is None or one["diverged_epoch"] > int(row["epoch"])]
        assert (int(row["finite"]), row["seeds"]) == (len(alive), "2")


def test_pairs_of_a_run_count_what_diverged_on_either_side(results):
    changes = read_record(results / "comparison/changes.json", list[Change])
    (change,) = [one for one in changes if one.values == ["manual-bce", "product"]]
    assert (change.key, change.models, change.diverged) == ("loss", 2, (2, 2))
    assert (change.better, change.worse, change.equal, change.difference, change.p_value) == (0, 0, 0, None, None)
    (pair,) = change.pairs
    assert (pair.a, pair.b, pair.wrong, pair.p_value) == ("manual", "product", ([None] * 2, [None] * 2), None)
