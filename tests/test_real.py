"""The default config on the real MNIST files, held against the notebook's figures and a plain loop of its own."""

import copy
import csv
import json

import numpy as np
import pytest
import torch
from conftest import SHARED, Workflow, needs_shared_mnist

pytestmark = needs_shared_mnist


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


def plain_notebook_loop(loss_function, scale: float) -> tuple[list[float], np.ndarray]:
    """The homework's code on files that are read here, not by the pipeline: losses, and yhat after 200 epochs."""
    import gzip

    def read(name, skip):
        return np.frombuffer(gzip.decompress((SHARED / "mnist" / name).read_bytes()), np.uint8, offset=skip)

    images, labels = read("train-images-idx3-ubyte.gz", 16).reshape(-1, 784), read("train-labels-idx1-ubyte.gz", 8)
    x = torch.tensor(np.concatenate([images[labels == 0], images[labels == 1]])).float() / scale
    y = torch.cat([torch.zeros(5923, 1), torch.ones(6742, 1)])
    torch.manual_seed(12345)
    network = torch.nn.Sequential(torch.nn.Linear(784, 64), torch.nn.ReLU(), torch.nn.Linear(64, 1), torch.nn.Sigmoid())
    optimizer = torch.optim.Adam(network.parameters(), lr=0.002)
    losses = []
    for _ in range(200):
        loss = loss_function(network(x), y)
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        return losses, network(x).flatten().numpy()


def manual_bce(yhat, y):
    return -torch.mean(y * torch.log(yhat) + (1 - y) * torch.log(1 - yhat))


@pytest.mark.parametrize(
    ("variant", "loss_function", "scale"),
    [("bce-raw", torch.nn.BCELoss(), 1.0), ("manual-bce-unit", manual_bce, 255.0)],
)
def test_pipeline_agrees_with_a_plain_notebook_loop(real, rows, variant, loss_function, scale):
    losses, yhat = plain_notebook_loop(loss_function, scale)
    with open(real / f"results/variants/{variant}/history.csv") as file:
        history = [float(row["loss"]) for row in csv.DictReader(file)]
    assert float(rows[variant]["final_loss"]) == pytest.approx(losses[-1], rel=1e-5)
    np.testing.assert_allclose(history, losses, rtol=1e-5)
    y = np.repeat([0, 1], [5923, 6742])
    assert int(rows[variant]["correct"]) == ((yhat > 0.5) == y).sum()


@pytest.mark.parametrize("classes", [[4, 9], [3, 8]])
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
    assert f"Telling {classes[0]} from {classes[1]}" in (workflow / "results/report.html").read_text()


@pytest.mark.skipif(not (SHARED / "mnist_png.tgz").exists(), reason="mnist_png.tgz is not in ../shared")
def test_png_archive_gives_the_figures_of_the_idx_files(real, tmp_path):
    config = copy.deepcopy(real.config)
    config["data"]["source"] = str(SHARED / "mnist_png.tgz")
    config["variants"] = {"manual-bce-unit": config["variants"]["manual-bce-unit"]}
    workflow = Workflow(tmp_path, config)
    workflow.ok("--cores", "2")
    with open(workflow / "results/summary.csv") as file:
        (row,) = csv.DictReader(file)
    assert (row["correct"], row["n"]) == ("12661", "12665")
