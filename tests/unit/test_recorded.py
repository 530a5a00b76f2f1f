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
    (tmp_path / "data").mkdir()
    (tmp_path / "data/source.json").write_text(json.dumps({"source": "mnist", "fallback": False}))
    return tmp_path


def test_sample_in_place_of_mirrors_that_did_not_answer_is_no_other_source(results):
    (results / "data/source.json").write_text(json.dumps({"source": "sample", "fallback": True}))
    assert told(results) == {}


def told(results: Path, but=(), code="0123456789", classes=(0, 1), source="mnist", **changed) -> dict:
    settings, data = SETTINGS | {"seeds": [1, 2]}, {"classes": list(classes), "source": source}
    return trained_otherwise({"a": settings | changed, "b": settings}, data, code, results, but)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, {}),
        ({"lr": 0.2}, {"a": ["lr=0.1"]}),
        ({"lr": 0.2, "epochs": 6}, {"a": ["lr=0.1", "epochs=5"]}),
        ({"seeds": [1, 2, 3]}, {"a": ["seeds=[1, 2]"]}),
        ({"classes": (3, 8)}, {"a": ["classes=[0, 1]"], "b": ["classes=[0, 1]"]}),
        ({"source": "sample"}, {"a": ['source="mnist"'], "b": ['source="mnist"']}),
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
    assert notice({}, variants("a"), Path.cwd()) is None
    assert notice({"a": ["lr=0.1"]}, variants("a", "b"), Path.cwd()) == (
        "1 variant was trained with other settings or code than now: a (lr=0.1); to train anew: snakemake --cores 4 "
        "--forcerun results/variants/a/metrics.json"
    )
    many = {f"v{place}": ["epochs=5"] for place in range(200)}
    line = notice(many, variants(*many, "last"), Path.cwd())
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
    assert (
        command({"a": [differs]}, variants("a", "b"), Path.cwd()) == f"snakemake --cores 4 --forcerun {' '.join(files)}"
    )


@pytest.mark.parametrize(
    ("differs", "rule"), [("classes=[0, 1]", "extract"), ("other code", "extract"), ('source="sample"', "download")]
)
def test_images_are_made_anew_where_their_settings_or_the_code_differ(differs, rule):
    found = {"a": ["lr=0.1"], "b": [differs]}
    assert command(found, variants("a", "b", "c"), Path.cwd()) == f"snakemake --cores 4 --forcerun {rule}"


def test_command_names_a_working_directory_that_is_not_the_project_s(tmp_path, monkeypatch):
    folder = tmp_path / "my run"
    folder.mkdir()
    monkeypatch.chdir(folder)
    assert command({"a": ["other code"]}, variants("a"), tmp_path) == (
        f"snakemake --cores 4 --directory '{folder}' --forcerun extract"
    )
