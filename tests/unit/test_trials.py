"""What makes a bad training good: changes, each tried in full, and nothing told that was not tried."""

from itertools import chain
from pathlib import Path

import pytest
import torch
import yaml
from diagnose import data_under

from builders import training
from builders.pipeline import Pipeline
from builders.reading import read_json
from builders.snippets import paste
from builders.training import LOGITS, changed, formula, healthy, raw_digits, settings, trained
from builders.workflows import small_config
from comparing.statistics import mcnemar
from cures.changes import DEAD_AT_START, GENERAL, OF_CAUSES, WAYS
from experiment.config import check
from findings.catalogue import CATALOGUE
from records.metrics import Autopsy, Outcome
from training import data
from training.fast import pack

MANUAL = formula("-mean(y * log(yhat) + (1 - y) * log(1 - yhat))")
MIRRORED = "which asks of a 0 what it asks of a 1, at the opposite logit"
BEST = "mean(softplus((1 - 2 * y) * logits))"


@pytest.fixture(scope="module", autouse=True)
def digits_file(tmp_path_factory):
    FILES["digits"] = raw_digits(tmp_path_factory.mktemp("digits"))
    return FILES["digits"]


FILES: dict = {}


def outcomes(loss=LOGITS, parts=None, digits_file=None, trials=4, seeds=(7,), **changes) -> list[Outcome]:
    given = {"lr": 0.01, "epochs": 40, "loss": "l", "normalization": "n"} | changes
    parts, chosen = parts or healthy(), settings(loss_definition=loss, **given)
    models = [trained(chosen, parts, seed) for seed in seeds]
    return training.outcomes(models, parts, digits_file or FILES["digits"], trials)


def outcome(*args, **changes) -> Outcome:
    (one,) = outcomes(*args, **changes)
    return one


def large(parts) -> None:
    for part in ("train", "test"):
        parts[f"x_{part}"].mul_(300)


def test_typed_cross_entropy_is_cured_by_the_same_function():
    told = outcome(MANUAL, changed(large))
    assert told.status == "diverged"
    (cure,) = told.cures
    assert (cure.change, cure.same_function, cure.verdict) == (f"`{BEST}`, the same function", True, "good")
    assert cure.correct == told.n
    assert cure.p_value is None
    assert told.tried == []
    ((name, variant),) = yaml.safe_load(cure.snippet)["variants"].items()
    assert name == "v-stable"
    assert yaml.safe_load(cure.snippet)["losses"] == {"l-stable": BEST}
    assert (variant["loss"], variant["normalization"], variant["seeds"]) == ("l-stable", "n", [7])


def test_module_that_is_the_same_but_for_a_cut_says_so():
    told = outcome(["module", "BCELoss", [], "yhat"], changed(large), epochs=1, lr=1e-7, trials=1)
    ways = [one.change for one in told.cures + told.tried]
    assert ways == [f"`{BEST}`, the same function without a cut of the logarithms at −100"]


@pytest.mark.parametrize(
    ("loss", "changes", "cure"),
    [
        (formula("mean(y * log(yhat) + (1 - y) * log(1 - yhat))"), {}, f"`{BEST}`, the other sign"),
        (formula("-mean((1 - y) * log(yhat) + y * log(1 - yhat))"), {}, f"`{BEST}`, y and 1 − y exchanged"),
        (
            formula("mean(relu(1 - y * logits))"),
            {"epochs": 150},
            f"`mean(relu(1 - (2 * y - 1) * logits))`, {MIRRORED}",
        ),
        (
            formula("-mean(y * log(yhat))"),
            {},
            f"`{BEST}`, {MIRRORED}",
        ),
        (
            formula("mean((logits - y) ** 2)"),
            {"optimizer": ["SGD", []], "lr": 0.001},
            "`mean((logits - (2 * y - 1)) ** 2)`, labels −1 and 1 in place of 0 and 1",
        ),
        (formula("mean(abs(logits - y))"), {}, "`mean(abs(yhat - y))`, `yhat` in place of `logits`"),
        (["module", "HuberLoss", [], "logits"], {}, "`HuberLoss` fed `yhat` in place of `logits`"),
        (
            formula("mean(minimum(softplus(logits), 0.1) - y * logits)"),
            {},
            f"`{BEST}`, without `minimum(…, 0.1)`",
        ),
        (formula("mean(clamp(yhat, 2, 3)) + mean(0 * y)"), {}, "`BCEWithLogitsLoss` of the logits"),
        (LOGITS, {"optimizer": ["SGD", [["weight_decay", 30.0]]], "lr": 0.1}, "SGD without `weight_decay`"),
        (LOGITS, {"optimizer": ["SGD", [["momentum", 1.5], ["nesterov", True]]], "lr": 0.1}, "SGD with `momentum` 0.9"),
        (LOGITS, {"optimizer": ["SGD", []], "lr": 1e-14}, "Adam with the learning rate 0.002"),
        (LOGITS, {"lr": 1e-6}, "the learning rate 0.001, 1,000 times as large"),
        (
            LOGITS,
            {"hidden": [32] * 8, "activation": ["Sigmoid", []], "optimizer": ["SGD", []], "lr": 0.1, "epochs": 300},
            "Adam with the learning rate 0.002",
        ),
    ],
)
def test_what_was_meant_or_does_not_fit_is_found_by_trying(loss, changes, cure):
    told = outcome(loss, **changes)
    assert told.verdict != "good"
    assert cure in [one.change for one in told.cures], (told.cures, told.tried)
    assert not any("exchanged" in one.change for one in told.cures if "exchanged" not in cure)
    assert all(one.verdict == "good" and one.snippet for one in told.cures)
    assert all(one.verdict != "good" and one.snippet is None and one.finding for one in told.tried)


def test_pixels_are_changed_from_the_raw_images(digits_file):
    definition = ["x * 1e-30", []]
    told = outcome(LOGITS, data_under(digits_file, definition), normalization_definition=definition)
    assert told.findings[0].kind == "no-influence"
    assert told.cures[0].change == "pixels `x / 255`"
    assert yaml.safe_load(told.cures[0].snippet)["normalizations"] == {"n-x-over-255": "x / 255"}


@pytest.fixture
def no_difference(digits_file, tmp_path) -> tuple[dict, Path]:
    """Images that are all the same, normalized and raw: nothing can be learned."""
    parts = torch.load(digits_file, weights_only=True)
    for part in ("train", "test"):
        parts[f"{part}_images"][:] = parts["train_images"][0]
    torch.save(parts, tmp_path / "digits.pt")
    return data_under(tmp_path / "digits.pt", ["x", []]), tmp_path / "digits.pt"


@pytest.mark.parametrize("trials", [0, 1, 3, 4])
def test_no_more_is_tried_than_the_config_allows(trials, no_difference):
    told = outcome(LOGITS, *no_difference, trials=trials)
    assert (len(told.cures), len(told.tried)) == (0, trials)


def test_nothing_is_tried_with_a_good_seed_and_only_the_first_bad_one_has_cures():
    assert (outcome().cures, outcome().tried) == ([], [])
    told = outcomes(MANUAL, changed(large), seeds=[7, 8, 9])
    assert [len(one.cures) for one in told] == [1, 0, 0]


def test_nothing_is_tried_where_the_test_images_are_to_blame():
    """Their classes are exchanged: no setting of the training mends that."""
    parts = changed(lambda parts: [parts[f"x_{part}"].add_(3 * parts[f"y_{part}"]) for part in ("train", "test")])
    told = outcome(LOGITS, parts | {"y_test": 1 - parts["y_test"]})
    assert (told.findings[0].kind, told.verdict) == ("wrong-way-on-test", "fails")
    assert (told.cures, told.tried) == ([], [])


def test_where_nothing_cures_all_that_was_tried_is_told(no_difference):
    told = outcome(LOGITS, *no_difference)
    assert told.cures == []
    assert [one.change for one in told.tried][:2] == ["pixels `x / 255`", "pixels `(x - mean) / std`"]
    assert {one.finding for one in told.tried} == {"equal-images"}


def test_slow_and_too_large_rates_are_found_by_trying_another():
    slow = outcome(lr=1e-6)
    finding = next(finding for finding in slow.findings if finding.kind == "slow")
    assert (finding.value, finding.against) == (0.001, 1e-6)
    assert finding.count > slow.correct
    assert "slow" not in {one.kind for one in outcome(lr=1e-6, trials=0).findings}
    large_one = outcome(LOGITS, healthy(200, 100), optimizer=["SGD", []], lr=1000.0, activation=["Tanh", []])
    found = {one.kind: one for one in large_one.findings}["rate-too-large"]
    assert found.value == 100.0 and found.count > large_one.correct
    assert found.sentence.startswith("The loss rose after a step. With the learning rate 100 in place of 1000")


def test_p_value_is_of_the_test_images_with_and_without_the_change():
    parts = healthy()
    (cure,) = outcome(formula("mean(abs(logits - y))"), parts, trials=1).cures
    right = []
    for text in ("mean(abs(logits - y))", "mean(abs(yhat - y))"):
        test_yhat = trained(settings(loss_definition=formula(text), lr=0.01, epochs=40), parts).test_yhat
        right.append((test_yhat > 0.5) == (parts["y_test"] == 1))
    before, after = right
    assert cure.p_value == mcnemar(int((before & ~after).sum()), int((after & ~before).sum())) < 1


def test_every_way_that_a_kind_names_is_there():
    named = {way for kind in CATALOGUE.values() for way in kind.tries} | {*GENERAL, *DEAD_AT_START}
    named |= {way for ways in OF_CAUSES.values() for way in ways}
    assert named == set(WAYS)
    causes = Autopsy.__annotations__["cause"].__args__[0].__args__
    assert set(OF_CAUSES) == set(causes)


def test_trials_share_what_is_packed(monkeypatch):
    packed = []
    monkeypatch.setattr(data, "pack", lambda x: packed.append(x) or pack(x))
    assert outcome(formula("mean(abs(logits - y))")).cures
    assert not packed


def test_trial_whose_optimizer_overflows_is_left_out():
    """ASGD's rate is a power, which Python can compute with the rate of the variant, and not with a larger one."""
    asgd = ["ASGD", [["alpha", 2000.0], ["lambd", 1.0]]]
    with pytest.raises(OverflowError):
        outcome(optimizer=asgd, lr=10.0, trials=0)
    found = outcome(optimizer=asgd, trials=20)
    assert found.verdict != "good"
    tried = [one.change for one in [*found.cures, *found.tried]]
    assert any("ASGD with `lambd` at its default, 0.0001" in change for change in tried)
    assert not any(change.startswith("the learning rate") for change in tried)


def test_snippet_of_a_run_gives_the_numbers_that_are_told(small_mnist, tmp_path):
    config = small_config(small_mnist)
    config["defaults"] |= {"epochs": 40, "lr": 0.05, "hidden": [16], "activation": {"name": "LeakyReLU"}}
    config["losses"] |= {
        "typed": "-mean(y * log(yhat) + (1 - y) * log(1 - yhat))",
        "typed-eps": {"formula": "mean(y * log(yhat + eps) + (1 - y) * log(1 - yhat + eps))", "eps": 1e-7},
    }
    config["normalizations"] |= {"raw": "x", "nothing": "x * 1e-30"}
    config["variants"] = {
        "raw": {"loss": "typed", "normalization": "raw"},
        "sign": {"loss": "typed-eps", "normalization": "unit", "seeds": [2]},
        "pixels": {"loss": "bce", "normalization": "nothing", "activation": {"name": "ELU", "alpha": 0.5}},
        "decay": {
            "loss": "bce",
            "normalization": "unit",
            "optimizer": {"name": "SGD", "weight_decay": 90.0, "momentum": 0.5},
        },
        "hidden": {"loss": "typed", "normalization": "raw", "hidden": [], "lr": 1e-3, "epochs": 60},
    }
    pipeline = Pipeline(tmp_path)
    variants = pipeline.diagnose(check(config))
    told = {}
    for name in config["variants"]:
        seeds = read_json(variants / name / "metrics.json")["seeds"]
        told[name] = [one for seed in seeds for one in seed["cures"]]
    assert all(told.values()), told
    paste(config, list(chain.from_iterable(told.values())), lambda pasted, _: pipeline.diagnose(check(pasted)))
    assert check(config).variants["raw"]["activation"] == ["LeakyReLU", []]
