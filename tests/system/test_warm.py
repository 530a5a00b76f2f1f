"""Runs whose jobs are forks of one process."""

import contextlib
import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from builders.workflows import Workflow, copy_project, outputs, small_config
from running.warm import TORCH, WARM_SCRIPTS

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="jobs are forks on Linux alone")


@pytest.fixture
def project(tmp_path, small_mnist) -> Workflow:
    """A copy of the project, whose forks write down what they are for."""
    snakefile = copy_project(tmp_path)
    forks = tmp_path / "workflow/scripts/running/forks.py"
    text = forks.read_text().replace(
        "    signal.signal(signal.SIGINT, handler)\n",
        "    print(job['script'], os.getppid(), file=open('forked', 'a'))\n    signal.signal(signal.SIGINT, handler)\n",
    )
    assert text.count("'forked'") == 1
    forks.write_text(text)
    return Workflow(tmp_path / "run", small_config(small_mnist), snakefile)


def forked(workflow: Workflow) -> list[str]:
    """The rules of the jobs so far, of each line that is whole."""
    path = workflow / "forked"
    lines = path.read_text().splitlines(keepends=True) if path.exists() else []
    return sorted(line.split()[0].rpartition(".")[0].rpartition(".")[2] for line in lines if line.endswith("\n"))


def test_run_forks_its_jobs_and_benchmarks_them(project, finished):
    project.ok("--cores", "2")
    twice = ["chart", "diagnose", "plot"]
    assert forked(project) == sorted(["extract", "normalize", "compare", *2 * twice, *4 * ["train"]])
    assert set(forked(project)) == set(WARM_SCRIPTS)
    assert outputs(project) == outputs(finished)
    _, row = (project / "results/benchmarks/train/good/1.tsv").read_text().splitlines()
    assert float(row.split()[2]) > 20  # MB


def test_run_without_forks_gives_the_same_bytes(project, finished):
    forks = project.snakefile.parent / "workflow/scripts/running/forks.py"
    forks.write_text("raise SystemExit(1)")
    project.ok("--cores", "2")
    assert outputs(project) == outputs(finished)


def test_run_goes_on_when_the_process_is_killed(project, finished):
    process = subprocess.Popen(
        project.command("--cores", "1"), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    end = time.monotonic() + 120
    while not forked(project) and time.monotonic() < end:
        time.sleep(0.005)
    os.kill(int((project / "forked").read_text().split()[1]), signal.SIGKILL)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 0, said
    (before,) = [rule for rule in forked(project) if rule != "plot"]
    assert WARM_SCRIPTS[before] is TORCH
    assert forked(project).count("plot") == 2  # another's forks
    assert outputs(project) == outputs(finished)


def in_session(session: int) -> list[int]:
    found = []
    for pid in psutil.pids():
        with contextlib.suppress(ProcessLookupError):
            found += [pid] * (os.getsid(pid) == session)
    return found


def test_ctrl_c_leaves_no_process(project, finished):
    project.config["defaults"]["epochs"] = 200_000
    project.write_config()
    process = subprocess.Popen(
        project.command("--cores", "1", "results/variants/good/1/training.json"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    end = time.monotonic() + 120
    while "train" not in forked(project) and time.monotonic() < end:
        time.sleep(0.02)
    time.sleep(0.5)
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(60) != 0
    end = time.monotonic() + 20
    while in_session(process.pid) and time.monotonic() < end:
        time.sleep(0.05)
    assert in_session(process.pid) == []


def test_jobs_of_this_machine_start_without_a_limit_unless_one_is_asked_for(copy):
    report = ["--cores", "1", "--forcerun", "report", "--verbose"]
    assert "Submitting maximum" not in copy.ok(*report).stderr
    assert "Submitting maximum 7 job(s) over 2" in copy.ok(*report, "--max-jobs-per-timespan", "7/2s").stderr
