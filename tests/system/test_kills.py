"""Runs that are killed or interrupted, again and again, at any moment: the next plain run ends in the same bytes."""

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time

import psutil
import pytest

from builders.cases import cases
from builders.mirrors import serving
from builders.places import ROOT
from builders.processes import gone
from builders.workflows import Workflow, outputs, small_config
from common.errors import PROCESS_IDS, RUN
from images.mnist import MNIST_FILES
from running.lock import LOCK

MOST = 8  # files that a run may make before it is killed
DIGITS = "results/data/digits.pt"


def files(workflow: Workflow) -> set[str]:
    """All there is under results/ and .snakemake/, what is not renamed yet included."""
    found = set()
    for top in ("results", ".snakemake"):
        for folder, _, names in os.walk(workflow / top):
            found.update(os.path.join(folder, name) for name in names)  # noqa: PTH118 (a hundred times a second)
    return found


def run_until(workflow: Workflow, count: int, *arguments: str) -> bool:
    """Whether a run ended before it had made `count` files; else it is killed as it makes that one."""
    before = files(workflow)
    process = subprocess.Popen(
        workflow.command("--cores", "2", *arguments),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    end = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < end:
        if len(files(workflow) - before) >= count:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return False
        time.sleep(0.001)
    assert process.wait(1) == 0
    return True


def kill_again_and_again(workflow: Workflow, seed: int, most: int) -> int:
    """How often a run was killed, each time as it made one of its next files, before one ended (or `most`)."""
    chance = random.Random(seed)
    kills = 0
    while kills < most and not run_until(workflow, chance.randint(1, MOST + kills)):
        kills += 1
    return kills


@pytest.mark.parametrize("seed", range(cases(1, 16)))
def test_run_that_is_killed_again_and_again_ends_in_the_same_bytes(
    finished, small_mnist, tmp_path, record_property, seed
):
    workflow = Workflow(tmp_path / "killed", small_config(small_mnist))
    kills = kill_again_and_again(workflow, seed, cases(8, 40))
    workflow.ok("--cores", "2")
    assert outputs(workflow) == outputs(finished)
    assert workflow.jobs() == {}
    left = [path for path in (workflow / "results").rglob(".*") if path.name not in (".snakemake_timestamp", LOCK)]
    assert left == []
    record_property("table", f"{kills} kills, none lost")


def test_edit_that_was_killed_and_undone_is_undone(copy, finished):
    copy.config["variants"]["good"]["epochs"] = 7
    copy.write_config()
    assert not run_until(copy, 3)
    del copy.config["variants"]["good"]["epochs"]
    copy.write_config()
    copy.ok("--cores", "2")
    assert outputs(copy) == outputs(finished)


@pytest.mark.skipif(sys.platform != "linux", reason="jobs end with their run on Linux alone")
@pytest.mark.parametrize("kind", ["fork", "plain", "of a shell"])
def test_job_ends_with_its_run(small_mnist, tmp_path, monkeypatch, kind):
    workflow = Workflow(tmp_path / "run", small_config(small_mnist))
    workflow.config["defaults"]["epochs"] = 2_000_000
    target, log = "variants/good/1/training.json", "train/good/1.log"
    if kind == "of a shell":  # as an old bash, or one that has activated an environment
        (tmp_path / "bash").write_text(f'#!/bin/sh\n{shutil.which("bash")} "$@"\nexit $?\n')
        (tmp_path / "bash").chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    with serving(small_mnist) as url:
        if kind != "fork":
            workflow.config["data"] |= {"mirrors": [f"{url}/held-at-0"], "timeout": 60}
            target, log = "data/digits.pt", "download.log"
        workflow.write_config()
        nothing = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "start_new_session": True}
        run = subprocess.Popen(workflow.command("--cores", "1", f"results/{target}"), **nothing)
        end = time.monotonic() + 120
        while not (workflow / "results/logs" / log).exists() and time.monotonic() < end:
            time.sleep(0.02)
        jobs = psutil.Process(run.pid).children(recursive=True)
        run.kill()
        alive = [job.pid for job in jobs if not gone(job.pid)]
    run.wait()
    for pid in alive:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    assert jobs and not alive


@pytest.mark.skipif(not PROCESS_IDS.exists(), reason="jobs end with their run on Linux alone")
@pytest.mark.parametrize(
    ("process", "process_ids", "status"),
    [("ended", "here", 1), ("alive", "here", 0), ("ended", "of a container", 0), ("ended", "", 0)],
)
def test_job_whose_run_has_ended_does_nothing_unless_it_cannot_know(tmp_path, process, process_ids, status):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    pid = {"ended": ended.pid, "alive": os.getpid()}[process]
    run = f"{pid} {str(PROCESS_IDS.readlink()) if process_ids == 'here' else process_ids}"
    text = f"from common.errors import logged\nwith logged({str(tmp_path / 'log')!r}): pass"
    environment = os.environ | {RUN: run, "PYTHONPATH": str(ROOT / "workflow/scripts")}
    assert subprocess.run([sys.executable, "-c", text], env=environment, check=False).returncode == status
    assert (tmp_path / "log").exists() == (status == 0)


@pytest.fixture
def downloading(small_mnist, tmp_path) -> Workflow:
    """A workflow that has made nothing."""
    return Workflow(tmp_path / "main", small_config(small_mnist))


def end_during_download(workflow: Workflow, files: int, is_killed: bool) -> None:
    """Let a run go on until so many files are there and it waits for the next one; then end it."""
    process = subprocess.Popen(
        workflow.command("--cores", "1", DIGITS),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    log, raw = workflow / "results/logs/download.log", workflow / "results/data/raw"
    end = time.monotonic() + 120
    while not (log.exists() and len(list(raw.glob("t*"))) == files) and time.monotonic() < end:
        time.sleep(0.01)
    time.sleep(0.3)
    assert process.poll() is None
    if is_killed:
        os.killpg(process.pid, signal.SIGKILL)
    else:
        for _ in range(2):  # Ctrl-C
            os.killpg(process.pid, signal.SIGINT)
            time.sleep(0.2)
    process.wait(60)


def origins(workflow: Workflow) -> list[str]:
    files = json.loads((workflow / "results/data/source.json").read_text())["files"]
    return [file["origin"] for file in files.values()]


@pytest.mark.parametrize("is_killed", [True, False])
@pytest.mark.parametrize("files", range(0, len(MNIST_FILES), cases(3, 1)))
def test_first_download_that_is_ended_goes_on(downloading, small_mnist, files, is_killed):
    workflow, settings = downloading, downloading.config["data"]
    with serving(small_mnist) as url:
        settings |= {"mirrors": [f"{url}/held-at-{files}"], "timeout": 60}
        workflow.write_config()
        end_during_download(workflow, files, is_killed)
        kept = {path.name for path in (workflow / "results/data/raw").glob("t*")}
        settings |= {"mirrors": [f"{url}/good"], "timeout": 15}
        workflow.write_config()
        workflow.ok("--cores", "1", DIGITS)
    assert len(kept) == files
    assert origins(workflow) == ["kept from an earlier run"] * files + [f"{url}/good"] * (len(MNIST_FILES) - files)
    assert workflow.jobs(DIGITS) == {}


@pytest.mark.parametrize("is_killed", [True, False])
@pytest.mark.parametrize("files", range(0, len(MNIST_FILES), cases(3, 1)))
def test_later_download_that_is_ended_goes_on(downloading, small_mnist, files, is_killed):
    workflow, settings = downloading, downloading.config["data"]
    workflow.ok("--cores", "1", DIGITS)
    digits = (workflow / DIGITS).read_bytes()
    for name in MNIST_FILES[files:]:
        (workflow / "results/data/raw" / name).write_bytes(b"damaged")
    with serving(small_mnist) as url:
        settings |= {"mirrors": [f"{url}/held-at-{files}"], "timeout": 60}
        workflow.write_config()
        end_during_download(workflow, len(MNIST_FILES), is_killed)
        settings |= {"mirrors": [f"{url}/good"], "timeout": 15}
        workflow.write_config()
        workflow.ok("--cores", "1", DIGITS)
    assert origins(workflow) == ["kept from an earlier run"] * files + [f"{url}/good"] * (len(MNIST_FILES) - files)
    assert (workflow / DIGITS).read_bytes() == digits
    assert workflow.jobs(DIGITS) == {}
