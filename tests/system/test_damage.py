"""Files that the pipeline wrote and something else damaged: told in one line, and made anew by the command in it."""

import random
import re
import resource
import shutil
import subprocess
from pathlib import Path

import pytest
import report

from builders.cases import cases
from builders.places import ROOT
from builders.waiting import LONG
from builders.workflows import outputs
from common.archives import read_arrays
from common.errors import UserError
from common.files import SUMS, read_sealed, sealed, write
from common.tensors import read_tensors
from records.comparison import Change, Significance
from records.losses import LossChart, Rewrite
from records.metrics import Metrics
from records.strict import read
from running.lock import LOCK

GOOD = "results/variants/good"
READERS = {
    "results/data/digits.pt": read_tensors,
    "results/data/normalized/unit.pt": read_tensors,
    "results/data/source.json": lambda path: read(path, report.KINDS["source"]),
    f"{GOOD}/metrics.json": lambda path: read(path, Metrics),
    f"{GOOD}/history.csv": lambda path: report.read_history(path, read(path.with_name("metrics.json"), Metrics)),
    f"{GOOD}/predictions.npz": read_arrays,
    f"{GOOD}/broken.pt": read_tensors,
    f"{GOOD}/yhat.png": report.read_picture,
    "results/diagnosis/losses.json": lambda path: read(path, dict[str, LossChart]),
    "results/diagnosis/rewrites.json": lambda path: read(path, dict[str, Rewrite]),
    "results/diagnosis/pairs.json": lambda path: read(path, list[Change]),
    "results/diagnosis/significance.json": lambda path: read(path, Significance),
    "results/diagnosis/wrong.json": lambda path: read(path, report.KINDS["wrong"]),
    "results/diagnosis/kinds.json": lambda path: read(path, report.KINDS["kinds"]),
    "results/diagnosis/same_weights.csv": lambda path: report.read_same_weights(
        path, metrics_beside(path), ["bce", "negative-log"]
    ),
    "results/diagnosis/survival.csv": lambda path: report.read_survival(path, metrics_beside(path)),
    "results/diagnosis/pictures.npz": read_arrays,
    "results/vega.js": read_sealed,
}


def metrics_beside(path: Path) -> list[Metrics]:
    return [read(path.parents[1] / "variants" / name / "metrics.json", Metrics) for name in ("bad", "good")]


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
@pytest.mark.parametrize("file", READERS)
def test_damaged_file_is_one_line_that_names_it_and_what_to_do(copy, file, damage):
    path = copy / file
    READERS[file](path)  # as it is
    damage(path)
    with pytest.raises(UserError, match=r": damaged: .*; to make it anew: rm -r .* && snakemake --cores 4$") as told:
        READERS[file](path)
    assert str(told.value).startswith(f"{path}: ")


@pytest.mark.parametrize("file", READERS)
def test_byte_that_changed_is_told_or_changes_nothing(copy, file):
    path, chance = copy / file, random.Random(7)
    content, before = path.read_bytes(), repr(READERS[file](path))
    told = 0
    for _ in range(40):
        place = chance.randrange(len(content))
        path.write_bytes(content[:place] + bytes([content[place] ^ 1 << chance.randrange(8)]) + content[place + 1 :])
        try:
            assert repr(READERS[file](path)) == before, place
        except UserError:
            told += 1
    assert told > 5  # zip files have room between their entries


def test_table_whose_rows_are_not_those_of_the_metrics_is_told(copy):
    for file, edit in (
        (f"{GOOD}/history.csv", lambda lines: lines[:-1]),
        (f"{GOOD}/history.csv", lambda lines: [*lines, lines[-1]]),
        (f"{GOOD}/history.csv", lambda lines: [lines[0].replace("loss", "los"), *lines[1:]]),
        ("results/diagnosis/same_weights.csv", lambda lines: lines[:-1]),
        ("results/diagnosis/same_weights.csv", lambda lines: [lines[0], *lines[2:], lines[1]]),
        ("results/diagnosis/survival.csv", lambda lines: lines[:-1]),
        ("results/diagnosis/survival.csv", lambda lines: [*lines[:-1], lines[-1].replace("2", "1")]),
    ):
        path = copy / file
        path.with_name(SUMS).unlink(missing_ok=True)  # which would tell it first
        content = path.read_text()
        path.write_text("".join(edit(content.splitlines(keepends=True))))
        with pytest.raises(UserError, match=r"damaged: found .* row"):
            READERS[file](path)
        path.write_text(content)


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_damaged_checksums_are_told_by_what_reads_a_file_beside_them(copy, damage):
    path = copy / f"{GOOD}/metrics.json"
    damage(path.with_name(SUMS))
    if damage is delete:  # without any, nothing is held against them
        READERS[f"{GOOD}/metrics.json"](path)
    else:
        with pytest.raises(UserError, match=r"SHA256SUMS.*; to make it anew: rm -r .* && snakemake --cores 4$"):
            READERS[f"{GOOD}/metrics.json"](path)


@pytest.mark.parametrize("damage", DAMAGES if cases(0, 1) else [truncate, delete], ids=lambda damage: damage.__name__)
def test_damaged_checksums_are_told_and_made_anew(copy, finished, damage):
    damage(copy / GOOD / SUMS)
    result = copy.run("--cores", "2", "--forcerun", "plot")
    if damage is not delete:
        assert result.returncode == 1
        command = re.search(r"anew: (rm -r \S+) && snakemake", result.stderr)[1]
        subprocess.run(command, shell=True, check=True, cwd=copy.folder)
        copy.ok("--cores", "2")
    assert outputs(copy) == outputs(finished)
    subprocess.run(["sha256sum", "--check", "--quiet", SUMS], check=True, cwd=copy / GOOD)


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
        (f"{GOOD}/predictions.npz", truncate, "plot"),
        (f"{GOOD}/metrics.json", empty, "diagnose"),
        (f"{GOOD}/history.csv", truncate, "report"),
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
    named = (ROOT / "workflow/rules/common.smk").read_text()
    assert {path.name for path in promised if f'"{path.name}"' not in named} == {"unit.pt", LOCK}


def test_whatever_is_missing_is_made_again(copy, finished):
    one_of_each_rule = ["data/source.json", "data/digits.pt", "data/normalized/unit.pt", "variants/bad/model.pt"]
    one_of_each_rule += ["variants/good/yhat.png", "diagnosis/rewrites.json", "vega.js", "config.yaml"]
    for path in (copy / "results" / file for file in one_of_each_rule[:: cases(3, 1)]):
        away = path.with_suffix(".away")
        path.rename(away)
        assert copy.jobs() != {}, path
        away.rename(path)
    assert copy.jobs() == {}
    shutil.rmtree(copy / GOOD)
    shutil.rmtree(copy / "results/diagnosis")
    copy.ok("--cores", "2")
    assert outputs(copy) == outputs(finished)


def test_training_that_was_stopped_after_an_edit_that_is_undone_is_made_again(copy, finished):
    """Snakemake removes a job's outputs before it runs."""
    for path in (copy / GOOD).iterdir():
        if path.name != "yhat.png":
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
