"""Models of other settings or code than now: what is said of them, whatever Snakemake knows."""

import json
from pathlib import Path

import pytest

from experiment.recorded import command, notice, trained_otherwise

SETTINGS = {"loss": "bce", "normalization": "unit", "lr": 0.1, "epochs": 5}


@pytest.fixture
def results(tmp_path) -> Path:
    for model in ("a/1", "a/2", "b/1"):
        record = {"settings": SETTINGS, "classes": [0, 1], "code": "0123456789"}
        path = tmp_path / "variants" / model / "training.json"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(record))
    (tmp_path / "data").mkdir()
    (tmp_path / "data/source.json").write_text(json.dumps({"source": "mnist", "fallback": False}))
    return tmp_path


def test_sample_in_place_of_mirrors_that_did_not_answer_is_no_other_source(results):
    (results / "data/source.json").write_text(json.dumps({"source": "sample", "fallback": True}))
    assert told(results) == {}


def told(results: Path, but=(), code="0123456789", classes=(0, 1), source="mnist", **changed) -> dict:
    data = {"classes": list(classes), "source": source}
    variants = {"a": SETTINGS | {"seeds": [1, 2]} | changed, "b": SETTINGS | {"seeds": [1]}}
    return trained_otherwise(variants, data, code, results, but)


def each(*said: str, models=("a/1", "a/2", "b/1")) -> dict:
    return {model: list(said) for model in models}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, {}),
        ({"lr": 0.2}, each("lr=0.1", models=["a/1", "a/2"])),
        ({"lr": 0.2, "epochs": 6}, each("lr=0.1", "epochs=5", models=["a/1", "a/2"])),
        ({"classes": (3, 8)}, each("classes=[0, 1]")),
        ({"source": "sample"}, each('source="mnist"')),
        ({"code": "9876543210"}, each("other code")),
        (
            {"code": "9876543210", "lr": 0.2},
            each("lr=0.1", "other code", models=["a/1", "a/2"]) | each("other code", models=["b/1"]),
        ),
        ({"code": "9876543210", "but": ["a/1", "b/1"]}, each("other code", models=["a/2"])),
    ],
)
def test_what_differs_is_named(results, changed, said):
    assert told(results, **changed) == said


@pytest.mark.parametrize("seeds", [[], [1], [2, 1], [1, 2, 3], [9]])
def test_models_that_were_not_asked_for_or_are_not_there_are_no_others(results, seeds):
    assert told(results, seeds=seeds) == {}
    assert told(results, seeds=seeds, lr=0.2) == each(
        "lr=0.1", models=[f"a/{seed}" for seed in seeds if seed in (1, 2)]
    )


@pytest.mark.parametrize("content", [None, b"", b"[]", b"{}", b"\xff", b'{"settings": 1, "classes": [], "code": ""}'])
def test_file_that_is_missing_or_damaged_tells_nothing(results, content):
    path = results / "variants/a/1/training.json"
    path.unlink() if content is None else path.write_bytes(content)
    assert told(results, lr=0.2) == each("lr=0.1", models=["a/2"])


def test_model_whose_record_has_no_code_is_of_other_code(results):
    (results / "variants/a/1/training.json").write_text(json.dumps({"settings": SETTINGS, "classes": [0, 1]}))
    assert told(results) == {"a/1": ["other code"]}


def variants(*names: str) -> dict:
    return dict.fromkeys(names, SETTINGS)


def test_notice_is_one_line_with_what_trains_them():
    assert notice({}, variants("a"), Path.cwd()) is None
    assert notice({"a/2": ["lr=0.1"]}, variants("a", "b"), Path.cwd()) == (
        "1 model was trained with other settings or code than now: a/2 (lr=0.1); to train anew: snakemake --cores 4 "
        "--forcerun results/variants/a/2/training.json"
    )
    many = {f"v{place}/1": ["epochs=5"] for place in range(200)}
    line = notice(many, variants(*(f"v{place}" for place in range(200)), "last"), Path.cwd())
    assert "200 models were" in line
    assert line.endswith("and 170 more; to train anew: snakemake --cores 4 --forcerun normalize")


@pytest.mark.parametrize(
    ("differs", "first"),
    [
        ("epochs=5", []),
        ('normalization_definition=["x", []]', ["results/data/normalized/unit.pt"]),
    ],
)
def test_what_a_model_is_trained_on_is_made_anew_where_that_differs(differs, first):
    files = [*first, "results/variants/a/1/training.json", "results/variants/a/2/training.json"]
    found = {"a/1": [differs], "a/2": [differs]}
    assert command(found, variants("a", "b"), Path.cwd()) == f"snakemake --cores 4 --forcerun {' '.join(files)}"


@pytest.mark.parametrize(
    ("differs", "rule"), [("classes=[0, 1]", "extract"), ("other code", "extract"), ('source="sample"', "download")]
)
def test_images_are_made_anew_where_their_settings_or_the_code_differ(differs, rule):
    found = {"a/1": ["lr=0.1"], "b/1": [differs]}
    assert command(found, variants("a", "b", "c"), Path.cwd()) == f"snakemake --cores 4 --forcerun {rule}"


def test_command_names_a_working_directory_that_is_not_the_project_s(tmp_path, monkeypatch):
    folder = tmp_path / "my run"
    folder.mkdir()
    monkeypatch.chdir(folder)
    assert command({"a/1": ["other code"]}, variants("a"), tmp_path) == (
        f"snakemake --cores 4 --directory '{folder}' --forcerun extract"
    )
