"""What of the machine and its user a run must not depend on, and what it says of what it cannot do without."""

import errno
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from builders.pngs import pack, write_pngs
from builders.waiting import LONG
from builders.workflows import Workflow, copy_project, outputs, small_config
from common.errors import logged, why_not_written
from running.dates import bring_back
from running.lock import LOCK


def test_run_does_not_depend_on_the_user_s_environment(copy, finished, tmp_path):
    """PYTHONPATH has packages that are called as the project's own are, and modules as its rules are."""
    for name in ("common", "reporting", "training"):
        (tmp_path / "others" / name).mkdir(parents=True)
        (tmp_path / "others" / name / "__init__.py").write_text("raise ImportError('not this one')")
    (tmp_path / "others/report.py").write_text("raise ImportError('not this one')")
    shutil.rmtree(copy / "results")
    environment = os.environ | {
        "PYTHONPATH": str(tmp_path / "others"),
        "PYTHONOPTIMIZE": "2",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "HOME": str(tmp_path / "nowhere"),
        "TMPDIR": str(tmp_path / "nowhere"),
        "PYTHONHASHSEED": "7",
        "OMP_NUM_THREADS": "3",
        "MKL_NUM_THREADS": "2",
        "LC_ALL": "C",
        "TZ": "Asia/Kathmandu",
    }
    result = copy.run("--cores", "1", env=environment)
    assert result.returncode == 0, result.stdout + result.stderr
    assert outputs(copy) == outputs(finished)


@pytest.mark.parametrize(
    ("place", "kind", "found"),
    [
        (".snakemake", "file", "error: .snakemake: found a file, expected a folder"),
        ("results", "file", "error: results: found a file, expected a folder"),
        (f"results/{LOCK}", "folder", f"error: results/{LOCK}: cannot be written: Is a directory"),
    ],
)
def test_lock_of_a_wrong_kind_is_one_line(copy, place, kind, found):
    path = copy / place
    shutil.rmtree(path, ignore_errors=True)
    path.unlink(missing_ok=True)
    path.mkdir() if kind == "folder" else path.write_text("")
    for arguments in (["--cores", "1"], ["--dry-run"])[: 2 if place == ".snakemake" else 1]:
        result = copy.run(*arguments)
        assert result.returncode == 1
        assert result.stderr.splitlines()[-1].startswith(found)
        assert "Traceback" not in result.stderr + result.stdout


def run(folder, *arguments, **options):
    command = [sys.executable, "-m", "snakemake", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=LONG, **options)


def test_brace_in_the_project_s_path_is_one_line(tmp_path):
    folder = tmp_path / "br{a}ce"
    copy_project(folder, "config.yaml")
    result = run(folder, "-n")
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1] == (
        f"error: {folder}: found a brace in the project's path, which Snakemake would read as a wildcard"
    )


def test_project_is_run_through_a_link(tmp_path):
    copy_project(tmp_path / "real", "config.yaml")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    for folder, arguments in ((tmp_path / "link", []), (tmp_path, ["-s", "link/Snakefile"])):
        result = run(folder, "-n", *arguments, env=os.environ | {"PWD": str(folder)})
        assert result.returncode == 0, result.stderr
        assert "train" in result.stdout


READ_ONLY = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && cd "$0" && exec "$@"'


@pytest.mark.skipif(
    subprocess.run(["unshare", "--mount", "true"], check=False).returncode != 0 if shutil.which("unshare") else True,
    reason="a folder cannot be mounted as read-only here",
)
def test_project_that_may_only_be_read_is_looked_at(copy):
    """Even in a dry run Snakemake itself writes."""
    read_only = ["unshare", "--mount", "sh", "-c", READ_ONLY, str(copy.folder)]

    def run(*arguments: str) -> subprocess.CompletedProcess:
        command = [*read_only, *copy.command(*arguments)]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)

    for arguments in (["--list-rules"], ["--lint"]):
        result = run(*arguments)
        assert (result.returncode, "Traceback" in result.stderr) == (0, False), result.stderr
    for arguments in (["--dry-run"], ["--cores", "1"], ["--summary"]):
        result = run(*arguments)
        assert result.returncode == 1
        assert result.stderr.splitlines()[-1].startswith("error: .snakemake: cannot be written"), result.stderr
        assert "Traceback" not in result.stderr
    read_only[-1] = str(copy / "results")
    result = run("--cores", "1", "--forcerun", "report")
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1] == "error: results: cannot be written; name another --directory"


def in_the_future(path: Path) -> bool:
    return path.lstat().st_mtime > time.time()


def test_files_of_the_future_are_brought_back_and_a_run_goes_on(copy, finished):
    everything = [copy / "results", *(copy / "results").rglob("*")]
    for place, path in enumerate(everything):
        os.utime(path, (time.time() + 5000 + place,) * 2)
    order = sorted((copy / "results").rglob("*"), key=lambda path: path.lstat().st_mtime)
    copy.config["variants"]["good"]["lr"] = 0.1
    copy.write_config()
    result = copy.ok("--cores", "2")
    assert (
        f"warning: results: found {len(order) + 1:,} dates in the future, set to now in the same order" in result.stderr
    )
    assert copy.jobs() == {}
    assert not any(map(in_the_future, everything))
    del copy.config["variants"]["good"]["lr"]
    copy.write_config()
    result = copy.ok("--cores", "2")
    assert "in the future" not in result.stderr
    assert outputs(copy) == outputs(finished)


def test_dates_of_the_future_keep_their_order(tmp_path):
    for name, seconds in {"old": -90, "b": 200, "a": 100, "c": 300}.items():
        (tmp_path / name).write_text("")
        os.utime(tmp_path / name, (time.time() + seconds,) * 2)
    assert bring_back(tmp_path) == 3
    dates = {path.name: path.stat().st_mtime for path in tmp_path.iterdir()}
    assert sorted(dates, key=dates.get) == ["a", "b", "old", "c"]
    assert dates["c"] - dates["a"] == pytest.approx(200, abs=1)
    assert not any(map(in_the_future, tmp_path.iterdir()))
    assert bring_back(tmp_path) == bring_back(tmp_path / "none") == 0


def test_project_and_archive_of_the_future(small_mnist, tmp_path):
    snakefile = copy_project(tmp_path)
    for path in tmp_path.rglob("*"):
        os.utime(path, (time.time() + 5000,) * 2)
    archive = pack(write_pngs(tmp_path / "mnist_png"), tmp_path / "images.tgz")
    config = small_config(small_mnist) | {"data": {"source": str(archive)}}
    del config["variants"]["bad"]
    workflow = Workflow(tmp_path / "run", config, snakefile)
    workflow.ok("--cores", "2")
    assert workflow.jobs() == {}
    os.utime(archive, (time.time() + 5000,) * 2)
    result = workflow.run("--cores", "2")
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1] == f"error: data.source: {archive}: found a date in the future; touch it"


def test_log_on_a_full_disk_ends_no_job(capsys):
    with logged("/dev/full") as say:
        print("warning: of a mirror", file=sys.stderr)
        say("what came out")
    assert capsys.readouterr().err == "warning: of a mirror\n"


def test_disk_that_is_full_is_named(tmp_path, monkeypatch):
    """The one of the path's folders that a disk is mounted at."""
    monkeypatch.setattr(os.path, "ismount", lambda place: str(place) in ("/", str(tmp_path)))
    path = tmp_path / "a/b.json"
    full, other = OSError(errno.ENOSPC, "No space left on device"), OSError(errno.EACCES, "Permission denied")
    assert why_not_written(path, full) == f"{path}: cannot be written: No space left on device (the disk at {tmp_path})"
    assert why_not_written(path, other) == f"{path}: cannot be written: Permission denied"
    assert why_not_written("b.json", full).endswith("(the disk at /)")
