"""Files that the pipeline wrote and something else damaged: told in one line, and made anew by the command in it."""

import random
import re
import resource
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import report
import torch
from msgspec.structs import replace

from builders.cases import cases
from builders.waiting import LONG
from builders.workflows import outputs
from common.archives import read_arrays
from common.errors import UserError
from common.files import SUMS, read_sealed, sealed, write
from common.tensors import read_tensors
from records.losses import LossFile
from records.metrics import read_metrics
from records.strict import read_record
from records.training import MODEL_FILES
from reporting.pictures import Pictures
from running.lock import LOCK
from training.trained import Trained, load

GOOD = "results/variants/good"
MODEL = f"{GOOD}/1"  # one of its models
LOSSES = ["bce", "negative-log"]


def read_model(path: Path) -> Trained:
    """What the job diagnose reads of the model that has this file."""
    return load(path.parent)


def read_history(path: Path):
    """What the report reads of a model's history."""
    metrics = read_metrics(path.parents[1] / "metrics.json", [1, 2])
    return report.read_histories([path], replace(metrics, seeds=metrics.seeds[:1]))


def read_same_weights(path: Path):
    folder = path.parents[1] / "variants"
    metrics = [read_metrics(folder / name / "metrics.json", [1, 2]) for name in ("bad", "good")]
    return report.read_same_weights(path, metrics, LOSSES)


READERS = {
    "results/data/digits.pt": read_tensors,
    "results/data/digits.npz": lambda path: Pictures(path).arrays,
    "results/data/normalized/unit.pt": read_tensors,
    "results/data/source.json": lambda path: read_record(path, report.KINDS["source"]),
    "results/losses/bce.json": lambda path: read_record(path, LossFile),
    **{f"{MODEL}/{file}": read_model for key, file in MODEL_FILES.items() if key != "sums"},
    "results/variants/bad/2/broken.pt": read_model,
    f"{GOOD}/metrics.json": lambda path: read_metrics(path, [1, 2]),
    f"{GOOD}/yhat.png": report.read_picture,
    "results/comparison/changes.json": lambda path: read_record(path, report.KINDS["changes"]),
    "results/comparison/significance.json": lambda path: read_record(path, report.KINDS["significance"]),
    "results/comparison/wrong.json": lambda path: read_record(path, report.KINDS["wrong"]),
    "results/comparison/same_weights.csv": read_same_weights,
    "results/vega.js": read_sealed,
}
# What another job reads otherwise.
ALSO = [(f"{MODEL}/history.csv", read_history), (f"{MODEL}/predictions.npz", read_arrays)]
FILES = [*READERS.items(), *ALSO]
BY_FILE = pytest.mark.parametrize(("file", "reader"), FILES, ids=[file for file, _ in FILES])


def plain(value):
    """The same, so that it is equal where every number in it is."""
    match value:
        case torch.Tensor() | np.ndarray():
            array = np.asarray(value)
            return array.dtype, array.shape, array.tobytes()
        case dict():
            return {name: plain(of) for name, of in value.items()}
        case Trained():
            return plain(vars(value))
    return repr(value)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def truncate(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def delete(path: Path) -> None:
    path.unlink()


def replace_by_folder(path: Path) -> None:
    path.unlink()
    (path / "inside").mkdir(parents=True)


def replace_by_noise(path: Path) -> None:
    path.write_bytes(random.Random(1).randbytes(5000))


DAMAGES = [empty, truncate, delete, replace_by_folder, replace_by_noise]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
@BY_FILE
def test_damaged_file_is_one_line_that_names_it_and_what_to_do(copy, file, reader, damage):
    path = copy / file
    reader(path)  # as it is
    damage(path)
    with pytest.raises(UserError, match=r": damaged: .*; to make it anew: rm -r .* && snakemake --cores 4$") as told:
        reader(path)
    assert str(told.value).startswith(f"{path}: ")


@BY_FILE
def test_byte_that_changed_is_told_or_changes_nothing(copy, file, reader):
    path, chance = copy / file, random.Random(7)
    content, before = path.read_bytes(), plain(reader(path))
    told = 0
    for _ in range(40):
        place = chance.randrange(len(content))
        path.write_bytes(content[:place] + bytes([content[place] ^ 1 << chance.randrange(8)]) + content[place + 1 :])
        try:
            assert plain(reader(path)) == before, place
        except UserError:
            told += 1
    assert told > 5  # zip files have room between their entries


def test_table_whose_rows_are_not_those_of_its_record_is_told(copy):
    history, same_weights = f"{MODEL}/history.csv", "results/comparison/same_weights.csv"
    for file, edit in (
        (history, lambda lines: lines[:-1]),
        (history, lambda lines: [*lines, lines[-1]]),
        (history, lambda lines: [lines[0].replace("loss", "los"), *lines[1:]]),
        (history, lambda lines: [lines[0], *lines[2:], lines[1]]),
        (same_weights, lambda lines: lines[:-1]),
        (same_weights, lambda lines: [lines[0], *lines[2:], lines[1]]),
    ):
        path = copy / file
        path.with_name(SUMS).unlink(missing_ok=True)  # which would tell it first
        content = path.read_text()
        path.write_text("".join(edit(content.splitlines(keepends=True))))
        for reader in (reader for of, reader in FILES if of == file):
            with pytest.raises(UserError, match=r"damaged: found .* row"):
                reader(path)
        path.write_text(content)


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
@pytest.mark.parametrize(
    ("file", "sums"),
    [
        (f"{GOOD}/metrics.json", f"{GOOD}/{SUMS}"),
        (f"{MODEL}/training.json", f"{MODEL}/{SUMS}"),
        ("results/losses/bce.json", "results/losses/bce.json.sha256"),
    ],
)
def test_damaged_checksums_are_told_by_what_reads_a_file_beside_them(copy, file, sums, damage):
    damage(copy / sums)
    if damage is delete:  # without any, nothing is held against them
        READERS[file](copy / file)
    else:
        told = rf"{Path(sums).name}.*; to make it anew: rm -r .* && snakemake --cores 4$"
        with pytest.raises(UserError, match=told):
            READERS[file](copy / file)


@pytest.mark.parametrize("damage", DAMAGES if cases(0, 1) else [truncate, delete], ids=lambda damage: damage.__name__)
@pytest.mark.parametrize(("folder", "reader"), [(MODEL, "plot"), (GOOD, "compare")][: cases(1, 2)])
def test_damaged_checksums_are_told_and_made_anew(copy, finished, folder, reader, damage):
    damage(copy / folder / SUMS)
    result = copy.run("--cores", "2", "--forcerun", reader)
    if damage is not delete:
        assert result.returncode == 1
        command = re.search(r"anew: (rm -r \S+) && snakemake", result.stderr)[1]
        subprocess.run(command, shell=True, check=True, cwd=copy.folder)
        copy.ok("--cores", "2")
    assert outputs(copy) == outputs(finished)
    subprocess.run(["sha256sum", "--check", "--quiet", SUMS], check=True, cwd=copy / folder)


def test_picture_that_lacks_its_last_byte_is_told(copy):
    path = copy / f"{GOOD}/yhat.png"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(UserError, match="not a whole PNG image"):
        report.read_picture(path)


def test_seal_is_that_of_any_text(tmp_path):
    path = tmp_path / "script.js"
    for text in ("", "\n", "a // b\n// c\n", "é\r\n"):
        write(path, sealed(text))
        assert read_sealed(path) == text


@pytest.mark.parametrize(
    ("file", "damage", "reader"),
    [
        ("results/data/digits.pt", truncate, "normalize"),
        ("results/data/normalized/unit.pt", replace_by_noise, "train"),
        (f"{MODEL}/predictions.npz", truncate, "plot"),
        (f"{MODEL}/training.json", empty, "diagnose"),
        (f"{MODEL}/training.npz", truncate, "diagnose"),
        ("results/losses/bce.json", truncate, "diagnose"),
        (f"{GOOD}/metrics.json", empty, "compare"),
        ("results/variants/bad/1/broken.pt", replace_by_noise, "compare"),
        (f"{MODEL}/history.csv", truncate, "report"),
        ("results/comparison/changes.json", truncate, "report"),
        ("results/data/digits.npz", replace_by_noise, "report"),
        (f"{GOOD}/yhat.png", empty, "report"),
        ("results/vega.js", truncate, "report"),
    ][:: cases(3, 1)],
)
def test_job_that_reads_a_damaged_file_says_so_and_the_command_in_it_mends_it(copy, finished, file, damage, reader):
    damage(copy / file)
    result = copy.run("--cores", "2", "--forcerun", reader)
    said = result.stdout + result.stderr
    assert result.returncode == 1
    assert "Traceback" not in said
    errors = {line for line in said.splitlines() if line.startswith("error: ")}
    assert len(errors) == 1, said
    command = errors.pop().partition("to make it anew: ")[2]
    assert command == f"rm -r {file} && snakemake --cores 4"
    ours = " ".join(copy.command("--cores", "2"))
    subprocess.run(command.replace("snakemake --cores 4", ours), shell=True, check=True, cwd=copy.folder, timeout=LONG)
    assert outputs(copy) == outputs(finished)
    assert copy.jobs() == {}


def test_default_target_names_every_file(finished):
    files = [path for path in (finished / "results").rglob("*") if path.is_file()]
    promised = [path for path in files if not {"logs", "benchmarks", "raw"} & set(path.parts)]
    text = finished.ok("--dry-run", "--forceall").stdout
    named = set(re.search(r"rule all:\n +input: (.*)", text)[1].split(", "))
    assert {str(path.relative_to(finished.folder)) for path in promised} - named == {f"results/{LOCK}"}
    assert len(promised) == len(named) + 1


def test_whatever_is_missing_is_made_again(copy, finished):
    one_of_each_rule = ["data/source.json", "data/digits.npz", "data/normalized/unit.pt", "losses/negative-log.json"]
    one_of_each_rule += ["variants/bad/2/training.npz", "variants/good/metrics.json", "variants/good/yhat.png"]
    one_of_each_rule += ["comparison/wrong.json", "vega.js", "config.yaml"]
    for path in (copy / "results" / file for file in one_of_each_rule[:: cases(3, 1)]):
        away = path.with_suffix(".away")
        path.rename(away)
        assert copy.jobs() != {}, path
        away.rename(path)
    assert copy.jobs() == {}
    for folder in (GOOD, "results/losses", "results/comparison"):
        shutil.rmtree(copy / folder)
    copy.ok("--cores", "2")
    assert outputs(copy) == outputs(finished)


def test_training_that_was_stopped_after_an_edit_that_is_undone_is_made_again(copy, finished):
    """Snakemake removes a job's outputs before it runs."""
    for path in (copy / MODEL).iterdir():
        path.unlink()
    assert copy.jobs()["train"] == 1
    copy.ok("--cores", "2")
    assert outputs(copy) == outputs(finished)


def test_what_a_killed_forerunner_left_is_removed(tmp_path):
    left = tmp_path / ".a[1].json.1234.tmp"
    others = [tmp_path / ".a1.json.1234.tmp", tmp_path / ".b.json.1234.tmp"]
    for path in (left, *others):
        path.write_text("half")
    write(tmp_path / "a[1].json", "whole")
    assert sorted(tmp_path.iterdir()) == sorted([*others, tmp_path / "a[1].json"])


def test_place_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"/file/a.json: cannot be written: (File exists|Not a directory)$"):
        write(tmp_path / "file/a.json", "whole")
    (tmp_path / "folder/a.json").mkdir(parents=True)
    with pytest.raises(UserError, match=r"/folder/a.json: cannot be written: Is a directory$"):
        write(tmp_path / "folder/a.json", "whole")
    assert [path.name for path in (tmp_path / "folder").iterdir()] == ["a.json"]


def test_disk_that_is_full_is_one_line_and_the_next_run_goes_on(copy, finished):
    """A limit on the size of a file is met as a full disk is: in the middle of writing."""
    page = (copy / "results/report.html").read_bytes()
    limit = (200_000, 200_000)
    limited = {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limit)}
    result = copy.run("--cores", "1", "--forcerun", "report", **limited)
    assert result.returncode == 1
    assert "error: results/report.html: cannot be written: File too large" in result.stderr
    assert "Traceback" not in result.stdout + result.stderr
    assert [path.name for path in (copy / "results").glob(".*")] == [LOCK]
    copy.ok("--cores", "1")
    assert len(page) - 2000 < (copy / "results/report.html").stat().st_size < len(page) + 2000
    assert outputs(copy) == outputs(finished)
