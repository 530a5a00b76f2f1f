"""The lock on results, and the gate to Snakemake's internals."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import snakemake
import snakemake.script

from builders.places import ROOT
from common.errors import UserError
from running import internals, lock
from running.internals import lacking


@pytest.mark.parametrize(
    ("arguments", "looks"),
    [
        ([], False),
        (["--cores", "4"], False),
        (["--summary"], True),
        (["--summ"], True),
        (["-S"], True),
        (["-D"], True),
        (["--report"], True),
        (["--report", "page.html"], True),
        (["--report=page.html"], True),
        (["--report", "page.html", "--report-after-run", "--cores", "1"], False),
        (["--report", "page.html", "--report-af"], False),
        (["--list-changes", "params"], True),
        (["--dag", "mermaid-js"], True),
        (["--lint"], True),
        (["-l"], True),
        (["--delete-all-output"], False),
        (["--delete-temp-output"], False),
        (["--touch", "--cores", "1"], False),
        (["--unlock"], False),
        (["--cleanup-metadata", "results/report.html"], False),
        (["--list-nothing"], False),
        (["results/dag", "dag"], False),
    ],
)
def test_only_what_changes_nothing_goes_beside_a_run(arguments, looks):
    assert lock.has_one(arguments, lock.READS) == looks


def test_list_of_rules_needs_no_folder_that_can_be_written():
    assert lock.has_one(["--list-rules"], lock.LISTS) and lock.has_one(["--lint", "json"], lock.LISTS)
    assert not lock.has_one(["--summary"], lock.LISTS) and not lock.has_one(["--list-changes", "params"], lock.LISTS)


def test_options_that_look_are_those_of_snakemake():
    """Of each it knows the name; what it does is tried beside a run in tests/system."""
    text = subprocess.run([sys.executable, "-m", "snakemake", "--help"], capture_output=True, text=True, check=True)
    options = set(re.findall(r"(?<![\w-])--?[A-Za-z][\w-]*", text.stdout))
    assert options >= lock.READS | {lock.RUNS}


def holder(folder: Path) -> subprocess.Popen:
    """A process that holds the lock of a folder until it is killed."""
    text = f"""
import sys, time
sys.path.insert(0, {str(ROOT / "workflow/scripts")!r})
from pathlib import Path
from running.lock import take
take(Path({str(folder)!r}))
print("held", flush=True)
time.sleep(600)
"""
    process = subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    return process


def test_dead_process_holds_no_lock_and_a_link_is_the_same_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(lock, "_held", {})
    (tmp_path / "link").symlink_to(tmp_path / "results")
    process = holder(tmp_path / "results")
    for name in ("results", "link"):
        with pytest.raises(UserError, match=f"{name}: another run is alive here; snakemake -n, --summary and --report"):
            lock.take(tmp_path / name)
    process.kill()
    process.wait()
    assert lock.take(tmp_path / "link")
    assert lock.take(tmp_path / "results")  # of another workflow of the same process
    assert len(lock._held) == 1


def test_folder_that_cannot_be_used_is_one_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("results").write_text("")
    with pytest.raises(UserError, match=r"^results: found a file, expected a folder$"):
        lock.check_folders(Path(".snakemake"), Path("results"))
    Path("results").unlink()
    Path("results").symlink_to("nowhere")
    with pytest.raises(UserError, match=r"^results: found a link to nothing, expected a folder$"):
        lock.check_folders(Path("results"))
    Path("results").unlink()
    (tmp_path / "results" / lock.LOCK).mkdir(parents=True)
    with pytest.raises(UserError, match=r"^results/.mnist01.lock: cannot be written: Is a directory$"):
        lock.take(Path("results"))


def test_backup_of_a_killed_run_is_used_or_removed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    raw, backup = Path("results/data/raw"), Path("backups/results/data/raw")
    for content in ("old", "new"):
        backup.mkdir(parents=True)
        (backup / "images.gz").write_text("old")
        lock.restore(raw, Path("backups"))
        assert (raw / "images.gz").read_text() == content
        assert not backup.exists()
        (raw / "images.gz").write_text("new")
    lock.restore(raw, Path("backups"))


def test_internals_are_those_of_the_versions_that_the_tests_run_with():
    assert lacking() is None
    pins = re.findall(r"^snakemake==(\S+)$", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    assert pins == [internals.TESTED[-1]] == [snakemake.__version__]


def test_other_version_is_left_alone(monkeypatch):
    monkeypatch.setattr(snakemake, "__version__", "9.99.0")
    assert lacking() == f"Snakemake 9.99.0 was not tried, {internals.TESTED[-1]} was"


NAMES = [(module, name) for module, names in internals.NAMES.items() for name in names]


@pytest.mark.parametrize(("module", "name"), NAMES, ids=[".".join(pair) for pair in NAMES])
def test_name_that_is_gone_is_missed(monkeypatch, module, name):
    *owners, last = name.split(".")
    owner = internals.import_module(module)
    for part in owners:
        owner = getattr(owner, part)
    if "LogEvent" in owners:  # members of an enum cannot be deleted
        monkeypatch.setattr(internals.import_module(module), "LogEvent", object())
    else:
        for kind in [owner, *getattr(owner, "__mro__", ())[1:]]:  # it may be inherited
            if last in vars(kind):
                monkeypatch.delattr(kind, last)
    assert lacking().startswith(f"Snakemake has no {module}.")


@pytest.mark.parametrize("name", ["PythonScript.bench_record", "BenchmarkRecord.max_rss"])
def test_attribute_that_objects_no_longer_have_is_missed(monkeypatch, name):
    kind, attribute = name.split(".")
    module = next(module for module, of in internals.GIVEN if of == kind)
    found = getattr(internals.import_module(module), kind)

    def another(self):
        self.renamed = None

    monkeypatch.setattr(found, "__init__", another)
    assert lacking().startswith(f"Snakemake has no {module}.{kind}.")
    assert attribute in internals.GIVEN[module, kind]
