"""The real snakemake, in a subprocess, on small IDX files."""

import csv
import json
import subprocess

import numpy as np
import pytest
import torch

from builders.workflows import Workflow, read_summary, small_config
from reporting import provenance
from training.network import build_network

SUMMARY = """variant seed loss normalization status diverged_epoch correct n accuracy test_correct test_n
test_accuracy final_loss max_logit epochs seconds verdict findings hidden activation optimizer lr device"""


def test_files_are_those_of_the_contract(finished):
    results = finished / "results"
    digits = torch.load(results / "data/digits.pt", weights_only=True)
    assert digits["train_images"].shape == (80, 28, 28)
    assert digits["train_images"].dtype == torch.uint8
    assert digits["train_labels"].tolist() == [0] * 40 + [1] * 40

    normalized = torch.load(results / "data/normalized/unit.pt", weights_only=True)
    shapes = {name: (tuple(tensor.shape), tensor.dtype) for name, tensor in normalized.items()}
    assert shapes == {
        "x_train": ((80, 784), torch.float32),
        "y_train": ((80, 1), torch.float32),
        "x_test": ((20, 784), torch.float32),
        "y_test": ((20, 1), torch.float32),
    }
    with np.load(results / "data/digits.npz") as arrays:
        assert set(arrays.files) == {f"{part}_{what}" for part in ("train", "test") for what in ("images", "labels")}
        np.testing.assert_array_equal(arrays["train_images"], digits["train_images"])

    for variant in ("good", "bad"):
        folder = results / "variants" / variant
        assert {path.name for path in folder.iterdir()} == {"1", "2", "metrics.json", "yhat.png", "SHA256SUMS"}
        assert [outcome["seed"] for outcome in json.loads((folder / "metrics.json").read_text())["seeds"]] == [1, 2]
        assert (folder / "yhat.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("variant", ["good", "bad"])
@pytest.mark.parametrize("seed", [1, 2])
def test_files_of_a_model_are_those_of_the_contract(finished, variant, seed):
    folder, is_bad = finished / f"results/variants/{variant}/{seed}", variant == "bad"
    assert {path.name for path in folder.iterdir()} == {
        "model.pt",
        "broken.pt",
        "history.csv",
        "predictions.npz",
        "training.json",
        "training.npz",
        "SHA256SUMS",
    }
    with np.load(folder / "predictions.npz") as predictions:
        assert {name: (predictions[name].shape, predictions[name].dtype.name) for name in predictions.files} == {
            "train": ((80,), "float32"),
            "test": ((20,), "float32"),
        } | ({"last_finite": ((80,), "float32")} if is_bad else {})
    with np.load(folder / "training.npz") as tensors:
        of_all = {"logits"} | ({"broke_logits", "broke_yhat"} if is_bad else set())
        found = {name: (tensors[name].shape, tensors[name].dtype.name) for name in tensors.files}
        assert found == dict.fromkeys(of_all, ((80,), "float32")) | {"test_answers": ((20,), "bool")}
    settings = {"hidden": [4], "activation": ["ReLU", []]}
    weights = torch.load(folder / "model.pt", weights_only=True)
    broken = torch.load(folder / "broken.pt", weights_only=True)
    build_network(784, **settings, seed=seed).load_state_dict(weights)  # a plain state dict
    assert set(broken) == (set(weights) if is_bad else set())
    with open(folder / "history.csv") as file:
        history = list(csv.DictReader(file))
    assert [row["epoch"] for row in history] == [str(epoch) for epoch in range(5)]
    assert [row["epoch"] for row in history if row["test_wrong"]] == (["0"] if is_bad else ["0", "4"])
    record = json.loads((folder / "training.json").read_text())
    assert (record["variant"], record["seed"], record["settings"]["epochs"]) == (variant, seed, 5)
    assert record["diverged_epoch"] == (0 if is_bad else None)
    subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], check=True, cwd=folder)


def test_summary_has_a_row_per_variant_and_seed_and_no_accuracy_for_the_diverged(finished):
    rows = read_summary(finished)
    assert list(rows[0]) == SUMMARY.split()
    assert [rows[0][key] for key in ("hidden", "activation", "optimizer", "lr")] == ["4", "ReLU", "Adam", "0.002"]
    assert [(row["variant"], row["seed"]) for row in rows] == [("bad", "1"), ("bad", "2"), ("good", "1"), ("good", "2")]
    for row in rows:
        if row["variant"] == "bad":
            assert (row["status"], row["diverged_epoch"], row["n"]) == ("diverged", "0", "80")
            assert not any(row[key] for key in ("correct", "accuracy", "test_correct", "test_accuracy", "final_loss"))
        else:
            assert (row["status"], row["diverged_epoch"]) == ("finished", "")
            assert float(row["accuracy"]) == int(row["correct"]) / 80
            assert float(row["test_accuracy"]) == int(row["test_correct"]) / 20


def test_added_variant_runs_its_own_jobs_and_those_of_all_alone(copy):
    copy.config["variants"]["more"] = {"loss": "bce", "normalization": "unit", "epochs": 3}
    copy.write_config()
    assert copy.jobs() == {"train": 2, "diagnose": 1, "plot": 1, "compare": 1, "report": 1}
    before = {path: path.stat().st_mtime_ns for path in (copy / "results/variants/good").rglob("*")}
    copy.ok("--cores", "4")
    assert [row["variant"] for row in read_summary(copy)] == ["bad", "bad", "good", "good", "more", "more"]
    assert before == {path: path.stat().st_mtime_ns for path in (copy / "results/variants/good").rglob("*")}


def test_error_in_config_stops_before_any_job(tmp_path, small_mnist):
    config = small_config(small_mnist)
    config["variants"]["good"]["los"] = "bce"
    workflow = Workflow(tmp_path / "bad", config)
    result = workflow.run("--cores", "4")
    assert result.returncode == 1
    said = [line for line in result.stderr.splitlines() if not line.startswith("Using workflow specific profile")]
    assert said == ["error: config: variants.good: unknown key 'los'; did you mean 'loss'?"]
    assert not (workflow / "results").exists()


def test_snakemake_report_is_made(copy):
    copy.ok("--report", "report.html")
    page = (copy / "report.html").read_text()
    assert "results/variants/good/yhat.png" in page
    assert "results/summary.csv" in page


def test_page_is_self_contained_and_shows_every_variant(finished):
    page = (finished / "results/report.html").read_text()
    for variant in ("good", "bad"):
        assert f'id="variant-{variant}"' in page
        assert f"variants/{variant}/metrics.json" in page
    assert page.count('class="plot many" src="data:image/png;base64,') == 2
    assert "✕ diverged 2 of 2" in page


def test_page_has_the_seconds_of_every_job_that_it_waits_for(finished):
    folder = finished / "results/benchmarks"
    variants = {name: {"normalization": "unit", "seeds": [1, 2]} for name in ("good", "bad")}
    names = provenance.job_names(variants, ["bce", "negative-log"])
    jobs = {row["rule"]: row["jobs"] for row in provenance.seconds_per_rule(folder, names)}
    assert jobs["train"] == 4
    assert sum(jobs.values()) == len(list(folder.rglob("*.tsv"))) - 1  # that of the report itself


def test_page_shows_a_new_comment_once_it_is_made_anew_and_says_where_the_command_line_said_more(copy):
    path, (comment, more) = copy / "config.yaml", ("# good is the best", "The run used more than this")
    path.write_text(f"{path.read_text()}{comment}\n")
    assert copy.jobs() == {}
    shown = (copy / "results/report.html").read_text()
    assert "config.yaml, as it was" in shown
    assert comment not in shown and more not in shown
    anew = ["--cores", "1", "--forcerun", "report"]
    copy.ok(*anew)
    shown = (copy / "results/report.html").read_text()
    assert comment in shown and more not in shown
    copy.ok(*anew, "--config", 'variants={"bad": {"note": "a riddle"}}')
    shown = (copy / "results/report.html").read_text()
    assert comment in shown and more in shown and "note: a riddle" in shown
