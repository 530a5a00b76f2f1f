"""The labelled cases, in full."""

import csv
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

    def train(pasted: dict, names: list[str]) -> Path:
        again = Workflow(tmp_path / "pasted", pasted)
        again.ok("--cores", "2", *(f"results/variants/{name}/metrics.json" for name in names))
        return again / "results/variants"

    paste(config, [cure for seed in seeds.values() for cure in seed["cures"]], train)


@pytest.mark.skipif(not (BENCH / "sample").is_dir(), reason="the second labelled cases are not in ../shared/bench")
def test_second_labelled_cases_are_told_as_they_are_labelled(tmp_path):
    """The right verdict, and the right cause as the first alarm."""
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
