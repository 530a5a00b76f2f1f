"""The labelled cases, in full."""

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from builders.digits import draw_digits
from builders.needs import needs_shared_mnist
from builders.places import SHARED
from builders.reading import read_json
from builders.snippets import paste
from builders.workflows import Workflow

BENCH = SHARED / "bench"
LABELS = {}
if BENCH.is_dir():
    with open(BENCH / "labels.tsv") as file:
        LABELS = {row["variant"]: row for row in csv.DictReader(file, delimiter="\t")}


@needs_shared_mnist
@pytest.mark.skipif(not BENCH.is_dir(), reason="the labelled cases are not in ../shared/bench")
def test_labelled_cases_are_told_as_they_are_labelled(tmp_path):
    config = yaml.safe_load((BENCH / "cases.yaml").read_text())
    config["data"] = {"mirrors": [str(SHARED / "mnist")], "fallback": "none"}
    names = list(config["variants"])
    assert set(LABELS) == set(names)
    workflow = Workflow(tmp_path / "cases", config)
    workflow.ok("--cores", "2", *(f"results/variants/{name}/metrics.json" for name in names))
    seeds = {name: read_json(workflow / f"results/variants/{name}/metrics.json")["seeds"][0] for name in names}
    wrong = []
    for name, label in LABELS.items():
        kinds = {finding["kind"] for finding in seeds[name]["findings"]}
        alarms = {finding["kind"] for finding in seeds[name]["findings"] if finding["alarm"]}
        is_cause_found = all(set(one.split("|")) & kinds for one in filter(None, label["findings"].split(",")))
        if (seeds[name]["verdict"] == "good") != (label["verdict"] == "good") or not is_cause_found:
            wrong.append((name, seeds[name]["verdict"], sorted(alarms), label["findings"]))
    assert not wrong
    # Each bad one has a cure, and no good one has anything to cure.
    assert {name for name in names if seeds[name]["cures"]} == {n for n in names if LABELS[n]["verdict"] == "bad"}

    paste(config, [cure for seed in seeds.values() for cure in seed["cures"]], training_in(tmp_path / "pasted"))


def training_in(folder: Path) -> Callable[[dict, list[str]], Path]:
    def train(config: dict, names: list[str]) -> Path:
        workflow = Workflow(folder, config)
        workflow.ok("--cores", "2", *(f"results/variants/{name}/metrics.json" for name in names))
        return workflow / "results/variants"

    return train


@pytest.mark.skipif(not (BENCH / "sample").is_dir(), reason="the second labelled cases are not in ../shared/bench")
def test_second_labelled_cases_are_told_as_they_are_labelled(tmp_path):
    """The right verdict, the right cause as the first alarm, and a cure first that a person would choose."""
    config = yaml.safe_load((BENCH / "sample/digits-3-8.yaml").read_text())
    with open(BENCH / "sample/labels.tsv") as file:
        labels = {row["variant"]: row for row in csv.DictReader(file, delimiter="\t")}
    assert set(labels) == set(config["variants"])
    workflow = Workflow(tmp_path / "cases", config)
    workflow.ok("--cores", "2", *(f"results/variants/{name}/metrics.json" for name in labels))
    seeds = {name: read_json(workflow / f"results/variants/{name}/metrics.json")["seeds"][0] for name in labels}
    words = {name: "good" if one["verdict"] == "good" else "bad" for name, one in seeds.items()}
    judged = {name: row for name, row in labels.items() if row["verdict"] != "unclear"}
    assert {name: words[name] for name in judged} == {name: row["verdict"] for name, row in judged.items()}
    # Right answers never fail, and every model that is not good says why.
    assert not [name for name, one in seeds.items() if one["correct"] == one["n"] and one["verdict"] == "fails"]
    assert all(one["findings"][0]["alarm"] for one in seeds.values() if one["verdict"] != "good")
    first = {name: seeds[name]["findings"][0]["kind"] for name, row in judged.items() if row["verdict"] == "bad"}
    causes = {name: judged[name]["findings"].split("|") for name in first if judged[name]["findings"]}
    assert {name: first[name] for name, kinds in causes.items() if first[name] not in kinds} == {}
    chosen = {name: " + ".join(seeds[name]["cures"][0]["ways"]) if seeds[name]["cures"] else None for name in first}
    others = {name: chosen[name] for name in first if chosen[name] not in judged[name]["cure"].split("|")}
    assert len(others) <= 0.05 * len(first), others
    cures = [cure for seed in seeds.values() for cure in seed["cures"]]
    assert not [cure for seed in seeds.values() for cure in seed["cures"] if loses_images(cure, seed)]
    paste(config, cures, training_in(tmp_path / "pasted"))


def loses_images(cure: dict, patient: dict) -> bool:
    """More than luck would have it; a training image may be lost for a test image."""
    if patient["correct"] is None:
        return False
    right, before = (one["correct"] + one["test_correct"] for one in (cure, patient))
    return (cure["p_value"] < 0.05 and cure["test_correct"] < patient["test_correct"]) or right < 0.99 * before


def test_two_faults_at_once_are_cured(tmp_path):
    """Five of six, with the default four trials."""
    swapped, ignored = "mean(softplus(logits) - (1 - y) * logits)", "mean((1 - y) * softplus(logits))"
    config = {
        "data": {"source": "sample", "classes": [3, 8]},
        "normalizations": {"raw": "x", "unit": "x / 255", "twice": "x / 255 / 255"},
        "losses": {
            "typed": "-mean(y * log(yhat) + (1 - y) * log(1 - yhat))",
            "swapped": swapped,
            "ignored": ignored,
            "double": {"module": "BCEWithLogitsLoss"},
            "sum": {"module": "BCEWithLogitsLoss", "input": "logits", "reduction": "sum"},
        },
        "variants": {
            "typed-and-rate": {"loss": "typed", "normalization": "raw", "lr": 10.0},
            "swapped-and-slow": {"loss": "swapped", "normalization": "unit", "lr": 1e-6},
            "ignored-and-pixels": {"loss": "ignored", "normalization": "twice"},
            "dead-and-typed": {
                "loss": "typed",
                "normalization": "unit",
                "activation": {"name": "Threshold", "threshold": 5, "value": 0},
            },
            "decay-and-double": {
                "loss": "double",
                "normalization": "unit",
                "optimizer": {"name": "AdamW", "weight_decay": 200.0},
            },
            "deep-and-sum": {
                "loss": "sum",
                "normalization": "unit",
                "hidden": [64] * 6,
                "activation": "Sigmoid",
                "optimizer": "SGD",
                "lr": 0.1,
            },
        },
    }
    workflow = Workflow(tmp_path / "doubles", config)
    names = list(config["variants"])
    workflow.ok("--cores", "2", *(f"results/variants/{name}/metrics.json" for name in names))
    seeds = {name: read_json(workflow / f"results/variants/{name}/metrics.json")["seeds"][0] for name in names}
    assert all(one["verdict"] != "good" for one in seeds.values())
    assert len([name for name in names if seeds[name]["cures"]]) >= 5
    assert all(len(one["cures"]) + len(one["tried"]) <= 4 for one in seeds.values())
    cures = [cure for seed in seeds.values() for cure in seed["cures"]]
    assert {2} == {len(seeds[name]["cures"][0]["ways"]) for name in names[:5] if seeds[name]["cures"]}
    paste(config, cures, training_in(tmp_path / "pasted"))


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        (lambda images: np.rot90(images, 1, (1, 2)), "test-unlike-training", "turned by a quarter to the left"),
        (lambda images: 255 - images, "test-unlike-training", "inverted"),
        (None, "wrong-way-on-test", "exchanged"),  # the folders
    ],
    ids=["turned", "inverted", "exchanged"],
)
def test_test_images_of_another_kind_are_named_and_shown(tmp_path, change, kind, words):
    generator, folder = np.random.default_rng(3), tmp_path / "mnist_png"
    for part, count in (("training", 60), ("testing", 30)):
        for digit in (0, 1):
            images = draw_digits(np.full(count, digit), generator)
            name = str(digit) if change or part == "training" else str(1 - digit)
            (folder / part / name).mkdir(parents=True)
            for number, image in enumerate(change(images) if change and part == "testing" else images):
                Image.fromarray(image).save(folder / part / name / f"{number}.png")
    workflow = Workflow(
        tmp_path / "run",
        {
            "data": {"source": str(folder)},
            "defaults": {"epochs": 60},
            "normalizations": {"unit": "x / 255"},
            "losses": {"bce": {"module": "BCEWithLogitsLoss", "input": "logits"}},
            "variants": {"one": {"loss": "bce", "normalization": "unit"}},
        },
    )
    workflow.ok("--cores", "2")
    (model,) = read_json(workflow / "results/variants/one/metrics.json")["seeds"]
    assert model["correct"] == 120
    assert model["findings"][0]["kind"] == kind and words in model["findings"][0]["sentence"]
    page = (workflow / "results/report.html").read_text()
    are_shown = [f'<symbol id="{part}-mean"' in page for part in ("train", "test")]
    assert are_shown == [kind == "test-unlike-training"] * 2
