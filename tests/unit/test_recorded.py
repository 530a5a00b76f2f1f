"""Models of other settings or code than now: what is said of them, whatever Snakemake knows."""

import json
from pathlib import Path

import pytest

from experiment.recorded import command, notice, trained_otherwise

SETTINGS = {"loss": "bce", "normalization": "unit", "lr": 0.1, "epochs": 5}


@pytest.fixture
def results(tmp_path) -> Path:
    for name in ("a", "b"):
        record = {"settings": SETTINGS, "seeds": [{"seed": 1}, {"seed": 2}], "classes": [0, 1], "code": "0123456789"}
        path = tmp_path / "variants" / name / "metrics.json"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(record))
    return tmp_path


def told(results: Path, but=(), code="0123456789", classes=(0, 1), **changed) -> dict:
    settings = SETTINGS | {"seeds": [1, 2]}
    return trained_otherwise({"a": settings | changed, "b": settings}, list(classes), code, results, but)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, {}),
        ({"lr": 0.2}, {"a": ["lr=0.1"]}),
        ({"lr": 0.2, "epochs": 6}, {"a": ["lr=0.1", "epochs=5"]}),
        ({"seeds": [1, 2, 3]}, {"a": ["seeds=[1, 2]"]}),
        ({"classes": (3, 8)}, {"a": ["classes=[0, 1]"], "b": ["classes=[0, 1]"]}),
        ({"code": "9876543210"}, {"a": ["other code"], "b": ["other code"]}),
        ({"code": "9876543210", "lr": 0.2}, {"a": ["lr=0.1", "other code"], "b": ["other code"]}),
        ({"code": "9876543210", "but": ["a"]}, {"b": ["other code"]}),
    ],
)
def test_what_differs_is_named(results, changed, said):
    assert told(results, **changed) == said


@pytest.mark.parametrize("content", [None, b"", b"[]", b"{}", b"\xff", b'{"settings": 1, "classes": [], "seeds": []}'])
def test_file_that_is_missing_or_damaged_tells_nothing(results, content):
    path = results / "variants/a/metrics.json"
    path.unlink() if content is None else path.write_bytes(content)
    assert told(results, lr=0.2) == {}


def test_model_of_a_version_that_recorded_no_code_is_of_other_code(results):
    (results / "variants/a/metrics.json").write_text(json.dumps({"settings": SETTINGS, "seeds": [{"seed": 1}]}))
    assert told(results) == {"a": ["seeds=[1]", "other code"]}


def variants(*names: str) -> dict:
    return dict.fromkeys(names, SETTINGS)


def test_notice_is_one_line_with_what_trains_them():
    assert notice({}, variants("a")) is None
    assert notice({"a": ["lr=0.1"]}, variants("a", "b")) == (
        "1 variant was trained with other settings or code than now: a (lr=0.1); to train anew: snakemake --cores 4 "
        "--forcerun results/variants/a/metrics.json"
    )
    many = {f"v{place}": ["epochs=5"] for place in range(200)}
    line = notice(many, variants(*many, "last"))
    assert "200 variants were" in line
    assert line.endswith("and 170 more; to train anew: snakemake --cores 4 --forcerun normalize")


@pytest.mark.parametrize(
    ("differs", "first"),
    [
        ("epochs=5", []),
        ('normalization_definition=["x", []]', ["results/data/normalized/unit.pt"]),
    ],
)
def test_what_a_model_is_trained_on_is_made_anew_where_that_differs(differs, first):
    files = [*first, "results/variants/a/metrics.json"]
    assert command({"a": [differs]}, variants("a", "b")) == f"snakemake --cores 4 --forcerun {' '.join(files)}"


@pytest.mark.parametrize("differs", ["classes=[0, 1]", "other code"])
def test_images_are_extracted_anew_where_classes_or_code_differ(differs):
    found = {"a": ["lr=0.1"], "b": [differs]}
    assert command(found, variants("a", "b", "c")) == "snakemake --cores 4 --forcerun extract"
