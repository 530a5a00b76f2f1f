"""The real snakemake, in a subprocess, on small IDX files."""

import csv
import json

import numpy as np
import pytest
import torch

from builders.digits import md5_of
from builders.workflows import Workflow, outputs, read_summary, small_config

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
    for variant in ("good", "bad"):
        folder = results / "variants" / variant
        assert {path.name for path in folder.iterdir()} == {
            "model.pt",
            "broken.pt",
            "history.csv",
            "predictions.npz",
            "metrics.json",
            "yhat.png",
            "SHA256SUMS",
        }
        with np.load(folder / "predictions.npz") as predictions:
            assert {name: (predictions[name].shape, predictions[name].dtype.name) for name in predictions.files} == {
                "train": ((2, 80), "float32"),
                "test": ((2, 20), "float32"),
            } | ({"last_finite": ((2, 80), "float32")} if variant == "bad" else {})
        assert set(torch.load(folder / "model.pt", weights_only=True)) == {1, 2}
        with open(folder / "history.csv") as file:
            history = list(csv.DictReader(file))
        assert [(row["seed"], row["epoch"]) for row in history] == [(s, str(e)) for s in "12" for e in range(5)]
        counted = [row["epoch"] for row in history if row["test_wrong"]]
        assert counted == (["0", "4"] * 2 if variant == "good" else ["0", "0"])
        assert [outcome["seed"] for outcome in json.loads((folder / "metrics.json").read_text())["seeds"]] == [1, 2]
        assert (folder / "yhat.png").read_bytes().startswith(b"\x89PNG")


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


def test_second_run_does_nothing(finished):
    assert finished.jobs() == {}
    assert "nothing to do" in finished.ok("--cores", "4").stderr


def test_added_variant_runs_train_plot_and_report_for_it_alone(copy):
    copy.config["variants"]["more"] = {"loss": "bce", "normalization": "unit", "epochs": 3}
    copy.write_config()
    assert copy.jobs() == {"train": 1, "diagnose": 1, "plot": 1, "report": 1}
    before = {path: path.stat().st_mtime_ns for path in (copy / "results/variants/good").iterdir()}
    copy.ok("--cores", "4")
    assert [row["variant"] for row in read_summary(copy)] == ["bad", "bad", "good", "good", "more", "more"]
    assert before == {path: path.stat().st_mtime_ns for path in (copy / "results/variants/good").iterdir()}
    assert copy.jobs() == {}


def test_without_mirrors_and_fallback_the_run_stops_with_one_clear_line(small_mnist, tmp_path):
    config = small_config(small_mnist)
    config["data"] |= {"mirrors": ["http://127.0.0.1:9/", "nowhere"], "fallback": "none"}
    workflow = Workflow(tmp_path / "offline", config)
    result = workflow.run("--cores", "4")
    assert result.returncode == 1
    errors = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert len(set(errors)) == 1  # from the job, and again at the end
    assert "http://127.0.0.1:9/: train-images-idx3-ubyte.gz: Connection refused" in errors[0]
    assert "nowhere: train-images-idx3-ubyte.gz: No such file or directory" in errors[0]
    assert "Traceback" not in result.stderr
    assert not (workflow / "results/data/raw").exists() or not list((workflow / "results/data/raw").glob("*.gz"))


def test_failing_download_loses_nothing(copy, finished):
    copy.config["data"]["mirrors"] = ["nowhere"]
    copy.config["data"]["md5"]["t10k-labels-idx1-ubyte.gz"] = "0" * 32
    copy.write_config()
    result = copy.run("--cores", "4")
    assert result.returncode == 1
    assert md5_of(copy / "results/data/raw") == md5_of(finished / "results/data/raw")
    assert outputs(copy) == outputs(finished)


def test_error_in_config_stops_before_any_job(tmp_path, small_mnist):
    config = small_config(small_mnist)
    config["variants"]["good"]["los"] = "bce"
    workflow = Workflow(tmp_path / "bad", config)
    result = workflow.run("--cores", "4")
    assert result.returncode == 1
    said = [line for line in result.stderr.splitlines() if not line.startswith("Using workflow specific profile")]
    assert said == ["error: config: variants.good: unknown key 'los'; did you mean 'loss'?"]
    assert not (workflow / "results").exists()


def test_command_line_overrides_any_key(finished):
    assert finished.jobs("--config", 'defaults={"epochs": 6}') == {"train": 2, "diagnose": 1, "plot": 2, "report": 1}
    assert finished.jobs("--config", 'defaults={"epochs": 5}') == {}


def test_one_variant_can_be_asked_for(copy):
    (copy / "results/variants/good/metrics.json").unlink()
    copy.ok("--cores", "1", "results/variants/good/metrics.json")
    assert (copy / "results/variants/good/metrics.json").exists()


@pytest.mark.parametrize(
    ("file", "said"),
    [
        (
            "results/variants/goood/metrics.json",
            "a file of variant 'goood' is asked for; found no such",
        ),
        ("results/data/normalized/.pt", None),
        (
            "results/data/normalized/raw.pt",
            "a file of normalization 'raw' is asked for; found no",
        ),
    ],
)
def test_file_of_what_config_yaml_has_not_is_told_in_a_line(copy, file, said):
    told = copy.run("--cores", "1", file)
    assert told.returncode == 1
    last = told.stderr.strip().splitlines()[-1]
    assert last.startswith(f"error: {said}") if said else "No rule to produce" in last
    assert list((copy / ".snakemake/locks").iterdir()) == []


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


@pytest.mark.parametrize(
    "content",
    [b"\xff\xfe\x00junk", b"variants: [", b"just text", b"- 1", b"a: &a [*a]", b"variants: {x: {loss: 1}}\n" * 2, b""],
)
def test_damaged_config_file_is_one_line_and_status_1(tmp_path, content):
    workflow = Workflow(tmp_path, {})
    (tmp_path / "config.yaml").write_bytes(content)
    result = workflow.run("--dry-run")
    assert result.returncode == 1
    lines = [line for line in result.stderr.splitlines() if not line.startswith(("Using workflow", "Config file"))]
    assert len(lines) == 1
    assert lines[0].startswith("error: config")
    assert result.stdout == ""
