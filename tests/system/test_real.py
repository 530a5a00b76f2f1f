"""The default config on the real MNIST files, held against the notebook's figures and a plain loop of its own."""

import copy
import csv
import gzip
import json

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from train import train

from builders.cases import cases
from builders.needs import needs_shared_mnist, on_x86
from builders.places import ROOT, SHARED
from builders.reading import read_json
from builders.training import LOGITS, settings
from builders.workflows import Workflow
from findings.forecast import forecast
from formulas.float32 import ONE_LOGIT
from formulas.parsing import parse_normalization
from training.fast import Pixels, pack
from training.normalization import normalize

pytestmark = needs_shared_mnist


@pytest.fixture(scope="module")
def real(tmp_path_factory) -> Workflow:
    """The default config.yaml, run on the real MNIST files."""
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    config["data"] |= {"mirrors": [str(SHARED / "mnist")], "fallback": "none"}
    workflow = Workflow(tmp_path_factory.mktemp("real"), config)
    workflow.ok("--cores", "4")
    return workflow


@pytest.fixture(scope="module")
def rows(real):
    with open(real / "results/summary.csv") as file:
        return {row["variant"]: row for row in csv.DictReader(file)}


def test_the_notebook_figures(rows):
    assert (rows["bce-raw"]["correct"], rows["bce-raw"]["n"]) == ("12655", "12665")
    assert (rows["manual-bce-raw"]["status"], rows["manual-bce-raw"]["diverged_epoch"]) == ("diverged", "0")
    assert rows["manual-bce-raw"]["accuracy"] == ""
    assert rows["manual-bce-unit"]["correct"] == "12661"
    assert round(float(rows["manual-bce-unit"]["accuracy"]), 4) == 0.9997
    assert {row["test_n"] for row in rows.values()} == {"2115"}
    assert int(rows["manual-bce-unit"]["test_correct"]) > 2100


def test_dividing_by_255_only_delays_the_nan(rows):
    assert rows["manual-bce-unit-long"]["status"] == "diverged"
    assert 230 <= int(rows["manual-bce-unit-long"]["diverged_epoch"]) <= 270


def test_source_is_recorded(real):
    source = json.loads((real / "results/data/source.json").read_text())
    assert (source["source"], source["fallback"]) == ("mnist", False)
    assert source["counts"]["train"]["0"] == 5923
    assert source["counts"]["train"]["1"] == 6742


def pixels(*classes) -> tuple[torch.Tensor, torch.Tensor]:
    """x (n, 784) and y (n, 1) of the training images, read here, not by the pipeline."""

    def read(name, skip):
        return np.frombuffer(gzip.decompress((SHARED / "mnist" / name).read_bytes()), np.uint8, offset=skip)

    images, labels = read("train-images-idx3-ubyte.gz", 16).reshape(-1, 784), read("train-labels-idx1-ubyte.gz", 8)
    x = torch.tensor(np.concatenate([images[labels == digit] for digit in classes])).float()
    y = np.repeat(np.float32([0, 1]), [(labels == digit).sum() for digit in classes])
    return x, torch.tensor(y).unsqueeze(1)


def plain_notebook_loop(loss_function, scale: float, epochs: int = 200):
    """The homework's code; it ends early at a loss that is NaN.

    Returns the losses, the network, x and y.
    """
    x, y = pixels(0, 1)
    x = x / scale
    torch.manual_seed(12345)
    network = torch.nn.Sequential(torch.nn.Linear(784, 64), torch.nn.ReLU(), torch.nn.Linear(64, 1), torch.nn.Sigmoid())
    optimizer = torch.optim.Adam(network.parameters(), lr=0.002)
    losses = []
    for _ in range(epochs):
        loss = loss_function(network(x), y)
        losses.append(loss.item())
        if not np.isfinite(losses[-1]):
            break
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return losses, network, x, y


def manual_bce(yhat, y):
    return -torch.mean(y * torch.log(yhat) + (1 - y) * torch.log(1 - yhat))


@pytest.mark.parametrize(
    ("variant", "loss_function", "scale"),
    [("bce-raw", torch.nn.BCELoss(), 1.0), ("manual-bce-unit", manual_bce, 255.0)],
)
def test_pipeline_agrees_with_a_plain_notebook_loop(real, rows, variant, loss_function, scale):
    losses, network, x, y = plain_notebook_loop(loss_function, scale)
    with open(real / f"results/variants/{variant}/12345/history.csv") as file:
        history = [float(row["loss"]) for row in csv.DictReader(file)]
    assert float(rows[variant]["final_loss"]) == pytest.approx(losses[-1], rel=1e-5)
    np.testing.assert_allclose(history, losses, rtol=1e-5)
    with torch.no_grad():
        assert int(rows[variant]["correct"]) == int(((network(x) > 0.5) == (y == 1)).sum())


@pytest.mark.parametrize(
    ("classes", "normalization", "is_packed"),
    [
        ((0, 1), "1 - x / 255", True),  # a background that is not 0
        ((3, 8), "1 - x / 255", True),
        ((3, 8), "1 / (x + 0.001)", False),  # one that drowns what is lit, but not in pixels that are commonly lit
    ],
)
@on_x86
def test_any_background_trains_like_plain_pixels(classes, normalization, is_packed):
    x, y = pixels(*classes)
    x, _ = normalize(parse_normalization(normalization), x, x[:0])
    packed = pack(x)
    assert isinstance(packed, Pixels) == is_packed
    chosen = settings(hidden=[64], lr=0.002, epochs=40, loss_definition=LOGITS)
    data = {"x_train": x, "y_train": y, "x_test": x[:1], "y_test": y[:1]}
    models = [train(chosen, 12345, data | {"x_packed": form}) for form in (packed, x)]
    np.testing.assert_allclose(*([row.loss for row in model.history] for model in models), rtol=1e-5)


def test_predictions_are_the_same_bytes_whatever_the_cores(real, tmp_path):
    config = copy.deepcopy(real.config)
    config["variants"] = {"manual-bce-unit": config["variants"]["manual-bce-unit"]}
    alone = Workflow(tmp_path / "alone", config)
    predictions = "results/variants/manual-bce-unit/12345/predictions.npz"
    alone.ok("--cores", "1", predictions)
    assert (alone / predictions).read_bytes() == (real / predictions).read_bytes()


@pytest.mark.parametrize(
    ("variant", "scale", "low", "high"), [("manual-bce-raw", 1.0, 0, 0), ("manual-bce-unit-long", 255.0, 230, 270)]
)
def test_autopsy_agrees_with_a_plain_loop_on_every_count(real, variant, scale, low, high):
    (outcome,) = read_json(real / f"results/variants/{variant}/metrics.json")["seeds"]
    found = outcome["autopsy"]
    losses, network, x, y = plain_notebook_loop(manual_bce, scale, 400)
    epoch = len(losses) - 1
    assert low <= epoch <= high
    assert abs(found["epoch"] - epoch) <= 1
    with torch.no_grad():
        logits = network[:-1](x)
        yhat = logits.sigmoid()
        inner = torch.log(1 - yhat)
        nan = ((1 - y) * inner).isnan()
    assert found["cause"] == "loss"
    assert [culprit["expression"] for culprit in found["culprits"]] == ["log(1 - yhat)"]
    for label in (0, 1):
        of_class = y == label
        assert found["yhat_ones"][str(label)] == int((yhat[of_class] == 1).sum())
        assert found["yhat_zeros"][str(label)] == int((yhat[of_class] == 0).sum())
        assert found["culprits"][0]["holds"][str(label)] == {
            "nan": 0,
            "+inf": 0,
            "-inf": int(inner[of_class].isinf().sum()),
        }
        assert found["path"][1]["holds"][str(label)]["nan"] == int(nan[of_class].sum())
        assert found["logits"][str(label)]["max"] == pytest.approx(logits[of_class].max().item(), rel=1e-4)
    assert not nan[y == 0].any()  # only images that the network gets right make the NaN
    assert found["image"]["index"] == int(nan.flatten().nonzero()[0])
    if scale == 255.0:
        assert int(nan.sum()) == 1
        assert "sure of one correct 1" in found["sentence"]
    else:
        assert f"sure of {int(nan.sum()):,} correct 1s" in found["sentence"]


def test_forecasts_from_200_epochs_meet_what_happens_up_to_epoch_400(real, tmp_path, record_property):
    wanted = cases(5, 10)
    seeds = [12345, *range(1, wanted + 2)]
    config = copy.deepcopy(real.config) | {"diagnosis": {"trials": 0}}
    config["variants"] = {
        f"half-{half}": {"loss": "manual-bce", "normalization": "unit", "epochs": 400, "seeds": seeds[half::2]}
        for half in (0, 1)
    }
    workflow = Workflow(tmp_path, config)
    workflow.ok("--cores", "2", *(f"results/variants/{name}/metrics.json" for name in config["variants"]))
    rows = []
    for name in config["variants"]:
        for outcome in read_json(workflow / f"results/variants/{name}/metrics.json")["seeds"]:
            true = outcome["diverged_epoch"]
            history = pd.read_csv(workflow / f"results/variants/{name}/{outcome['seed']}/history.csv")
            logits = history["max_logit"].tolist()
            if true > 200:  # the others had nothing left to foretell
                rows.append((outcome["seed"], true, forecast(logits[:200], ONE_LOGIT)))
    rows = sorted(rows, key=lambda row: seeds.index(row[0]))[:wanted]
    errors = [abs(found.epoch - true) / true for _, true, found in rows]
    covered = [found.low <= true <= found.high for _, true, found in rows]
    lines = [
        " seed  first NaN  forecast from 200 epochs  error",
        *(
            f"{seed:5}  {true:9}  {found.epoch} ({found.low} to {found.high}){error:16.1%}"
            for (seed, true, found), error in zip(rows, errors, strict=True)
        ),
        f"median error {np.median(errors):.1%}, the truth covered {sum(covered)} times of {len(rows)}",
    ]
    record_property("table", "\n".join(lines))
    assert len(rows) == wanted
    assert np.median(errors) <= 0.04
    assert sum(covered) >= 0.8 * wanted


def test_finished_run_of_an_unsafe_loss_says_when_it_would_diverge(real):
    (outcome,) = read_json(real / "results/variants/manual-bce-unit/metrics.json")["seeds"]
    (longer,) = read_json(real / "results/variants/manual-bce-unit-long/metrics.json")["seeds"]
    found = outcome["forecast"]
    assert found["low"] <= longer["diverged_epoch"] <= found["high"]
    assert outcome["margin"] == pytest.approx(ONE_LOGIT - outcome["max_logit"])
    for safe in ("bce-raw", "bce-logits-raw", "manual-bce-eps-raw"):
        (outcome,) = read_json(real / f"results/variants/{safe}/metrics.json")["seeds"]
        assert outcome["forecast"]["why"].startswith("safe")


@pytest.mark.parametrize("classes", [[4, 9], [3, 8]][: cases(1, 2)])
def test_other_digits_train(real, tmp_path, classes):
    config = copy.deepcopy(real.config)
    config["data"]["classes"] = classes
    config["variants"] = {"bce-unit": {"loss": "bce", "normalization": "unit", "epochs": 40}}
    workflow = Workflow(tmp_path, config)
    workflow.ok("--cores", "2")
    with open(workflow / "results/summary.csv") as file:
        (row,) = csv.DictReader(file)
    counts = json.loads((workflow / "results/data/source.json").read_text())["counts"]
    assert int(row["n"]) == sum(counts["train"][str(digit)] for digit in classes)
    assert 0.9 < float(row["test_accuracy"]) < 1
    assert (
        f"<h1>{classes[0]} or {classes[1]}: does it train well?</h1>" in (workflow / "results/report.html").read_text()
    )
