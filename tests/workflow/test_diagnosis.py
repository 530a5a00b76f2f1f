"""What the rule diagnose makes of a run."""

import csv
import math

import pytest
import torch

from builders.workflows import Workflow, small_config
from common.files import read_json
from diagnosis.records import Change, read

MANUAL_BCE = "-mean(y * log(yhat) + (1 - y) * log(1 - yhat))"


def test_normalization_that_makes_nan_is_attributed_to_its_place(small_mnist, tmp_path):
    config = small_config(small_mnist)
    config["normalizations"] = {
        "unit": "x / 255",
        "constant": "x / 255 + (pixel_std - pixel_std) / (max - 255 - max + 255)",
    }
    config["losses"]["bce"] = {"module": "BCELoss"}
    config["variants"] = {"nan": {"loss": "bce", "normalization": "constant", "seeds": [1]}}
    workflow = Workflow(tmp_path / "nan", config)
    workflow.ok("--cores", "2")
    (outcome,) = read_json(workflow / "results/variants/nan/metrics.json")["seeds"]
    found = outcome["autopsy"]
    assert (outcome["status"], found["cause"]) == ("diverged", "normalization")
    assert [c["expression"] for c in found["culprits"]] == ["(pixel_std - pixel_std) / (max - 255 - max + 255)"]
    assert "max - 255 - max + 255 was exactly 0, and 0 / 0 is NaN" in found["sentence"]


@pytest.fixture(scope="module")
def diagnosed(small_mnist, tmp_path_factory) -> Workflow:
    """Variants that diverge at a known place, and one that does not."""
    config = small_config(small_mnist)
    config["defaults"] |= {"epochs": 40, "lr": 0.05, "hidden": [16]}
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
    workflow = Workflow(tmp_path_factory.mktemp("diagnosed"), config)
    workflow.ok("--cores", "4")
    return workflow


def read_csv(path) -> list[dict]:
    with open(path) as file:
        return list(csv.DictReader(file))


def test_every_loss_is_evaluated_at_the_weights_that_broke(diagnosed):
    rows = read_csv(diagnosed / "results/diagnosis/same_weights.csv")
    manual = {row["loss"]: row for row in rows if (row["variant"], row["seed"]) == ("manual", "1")}
    assert set(manual) == set(diagnosed.config["losses"])
    assert not math.isfinite(float(manual["manual-bce"]["value"]))
    assert math.isfinite(float(manual["bce"]["value"])) and math.isfinite(float(manual["bce"]["gradient_norm"]))
    # Held against torch alone.
    weights = torch.load(diagnosed / "results/variants/manual/broken.pt", weights_only=True)[1]
    network = torch.nn.Sequential(torch.nn.Linear(784, 16), torch.nn.ReLU(), torch.nn.Linear(16, 1), torch.nn.Sigmoid())
    network.load_state_dict(weights)
    parts = torch.load(diagnosed / "results/data/normalized/raw.pt", weights_only=True)
    loss = torch.nn.BCELoss()(network(parts["x_train"]), parts["y_train"])
    loss.backward()
    norm = math.sqrt(sum(float(p.grad.square().sum()) for p in network.parameters()))
    assert float(manual["bce"]["value"]) == pytest.approx(loss.item(), rel=1e-5)
    assert float(manual["bce"]["gradient_norm"]) == pytest.approx(norm, rel=1e-4)


def test_survival_counts_the_seeds_that_are_finite(diagnosed):
    rows = read_csv(diagnosed / "results/diagnosis/survival.csv")
    assert len(rows) == 4 * 40
    for row in rows:
        outcomes = read_json(diagnosed / f"results/variants/{row['variant']}/metrics.json")["seeds"]
        alive = [one for one in outcomes if one["diverged_epoch"] is None or one["diverged_epoch"] > int(row["epoch"])]
        assert (int(row["finite"]), row["seeds"]) == (len(alive), "2")


def test_pairs_of_a_run_count_what_diverged_on_either_side(diagnosed):
    changes = read(diagnosed / "results/diagnosis/pairs.json", list[Change])
    (change,) = [one for one in changes if one.values == ["manual-bce", "product"]]
    assert (change.key, change.models, change.diverged) == ("loss", 2, (2, 2))
    assert (change.better, change.worse, change.equal, change.difference, change.p_value) == (0, 0, 0, None, None)
    (pair,) = change.pairs
    assert (pair.a, pair.b, pair.wrong, pair.p_value) == ("manual", "product", ([None] * 2, [None] * 2), None)
