"""The records in the files of a run: each holds all that its file says; metrics.json against its JSON schema, too.

`python tests/unit/test_records.py` writes the schema anew.
"""

import json
import math
import sys
from pathlib import Path

import msgspec
import pytest
import yaml
from jsonschema import Draft202012Validator

# Where pytest looks for modules, too.
sys.path.append(str(Path(__file__).parents[1]))
sys.path.append(str(Path(__file__).parents[2] / "workflow/scripts"))

from builders.pipeline import Pipeline
from builders.places import ROOT
from builders.reading import from_json
from builders.workflows import small_config
from common.errors import UserError
from common.files import write_json
from experiment.config import check
from records.comparison import Change, Significance
from records.losses import LossFile
from records.metrics import Metrics
from records.strict import as_json, read_record
from records.training import Training

SCHEMA_FILE = ROOT / "workflow/schemas/metrics.schema.yaml"
HEADER = "# Of results/variants/{variant}/metrics.json. Made from workflow/scripts/records/metrics.py by\n"
HEADER += "# `python tests/unit/test_records.py`.\n"


def schema() -> dict:
    made = msgspec.json.schema(Metrics)
    for definition in made["$defs"].values():
        definition["additionalProperties"] = False
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made}


def as_text() -> str:
    return HEADER + yaml.safe_dump(schema(), sort_keys=False, allow_unicode=True, width=110)


def test_schema_is_that_of_the_records():
    assert SCHEMA_FILE.read_text(encoding="utf-8") == as_text(), "run: python tests/unit/test_records.py"
    Draft202012Validator.check_schema(schema())


@pytest.fixture(scope="module")
def results(tmp_path_factory, small_mnist) -> Path:
    """Of a variant that finishes and one that diverges."""
    pipeline = Pipeline(tmp_path_factory.mktemp("run"))
    pipeline.run(check(small_config(small_mnist)))
    return pipeline.folder / "results"


RECORDS = {
    "variants/*/*/training.json": Training,
    "variants/*/metrics.json": Metrics,
    "losses/*.json": LossFile,
    "comparison/changes.json": list[Change],
    "comparison/significance.json": Significance,
}


@pytest.mark.parametrize("files", RECORDS)
def test_record_holds_all_that_a_run_wrote(results, files):
    found = sorted(results.glob(files))
    assert len(found) == {"variants/*/*": 4, "variants/*": 2, "losses": 2}.get(files.rpartition("/")[0], 1)
    for path in found:
        assert json.loads(json.dumps(as_json(read_record(path, RECORDS[files])))) == json.loads(path.read_text())


def test_run_writes_what_the_schema_says(results):
    for name in ("good", "bad"):
        content = json.loads((results / f"variants/{name}/metrics.json").read_text())
        Draft202012Validator(yaml.safe_load(SCHEMA_FILE.read_text())).validate(content)


def test_schema_refuses_another_key_and_another_type(results):
    content = json.loads((results / "variants/good/metrics.json").read_text())
    for wrong in (content | {"more": 1}, content | {"variant": 1}, {"variant": "good"}):
        assert list(Draft202012Validator(schema()).iter_errors(wrong))


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b'{"variant": 1}', b'{"variant": "a", "counts": 3}'])
def test_damaged_file_is_told_in_one_line(tmp_path, content):
    path = tmp_path / "metrics.json"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"metrics\.json: damaged: not as the pipeline writes it: "):
        read_record(path, Metrics)


def test_nan_is_no_json(results, tmp_path):
    metrics = read_record(results / "variants/good/metrics.json", Metrics)
    content = as_json(metrics)
    content["seeds"][0]["final_loss"] = math.nan
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "metrics.json", as_json(from_json(content, Metrics)))
    assert not list(tmp_path.iterdir())


def test_list_is_strict_json_with_a_line_per_item(tmp_path):
    items = [{"a": [1.5, None]}, {"b": "ŷ"}]
    write_json(tmp_path / "list.json", items)
    start, *lines, end = (tmp_path / "list.json").read_text(encoding="utf-8").splitlines()
    assert (start, end) == ("[", "]") and [json.loads(line.rstrip(",")) for line in lines] == items
    write_json(tmp_path / "list.json", [])
    assert json.loads((tmp_path / "list.json").read_text()) == []
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "list.json", [{"a": math.nan}])


if __name__ == "__main__":
    SCHEMA_FILE.write_text(as_text(), encoding="utf-8")
