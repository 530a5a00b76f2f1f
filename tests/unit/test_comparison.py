"""The tables of a comparison, the tests behind them, and the words in which they are shown."""

import csv
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import binomtest

from builders.answers import entry
from builders.losses import MANUAL_BCE
from builders.pipeline import Pipeline
from builders.reading import read_json
from builders.workflows import small_config
from common.english import with_article
from comparing.statistics import mcnemar
from experiment.config import check
from records.comparison import Change
from records.strict import read_record
from reporting.page import p_value
from reporting.summary import summarize


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
