"""Beyond one machine: the same bytes through a real Slurm and through a generic scheduler."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from builders import slurm
from builders.places import ROOT
from builders.waiting import LONG, wait_for
from builders.workflows import Workflow, copy_project
from cures.of_settings import LONGER
from experiment.config import check

PROFILE = ["--profile", str(ROOT / "profiles/slurm")]
BYTES = ("1/predictions.npz", "2/history.csv", "2/model.pt", "yhat.png")


def needs(plugin: str):
    is_there = importlib.util.find_spec(f"snakemake_executor_plugin_{plugin}")
    return pytest.mark.skipif(not is_there, reason=f"snakemake-executor-plugin-{plugin.replace('_', '-')} is not here")


def results(workflow: Workflow, *names: str) -> dict[str, bytes]:
    folder = workflow / "results/variants"
    return {f"{name}/{file}": (folder / name / file).read_bytes() for name in names for file in BYTES}


def queue(state: str) -> list[str]:
    """Job numbers in that state whose snakemake trains."""
    form = ["--noheader", f"--states={state}", "--format=%i %k"]
    listed = subprocess.run(["squeue", *form], capture_output=True, text=True, check=True).stdout
    return [line.split()[0] for line in listed.splitlines() if "train" in line]


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    with slurm.running(tmp_path_factory.mktemp("slurm")):
        yield


@pytest.mark.skipif(bool(slurm.is_missing()), reason=f"no Slurm can be started: {slurm.is_missing()}")
@needs("slurm")
def test_slurm_gives_the_same_bytes_and_a_job_that_was_killed_is_tried_again(node, finished, tmp_path):
    workflow = Workflow(tmp_path / "run", finished.config)
    # This one has no accounting, which sacct asks.
    command = workflow.command(*PROFILE, "--slurm-status-command", "squeue", "--slurm-no-account")
    with (tmp_path / "said").open("w") as said, subprocess.Popen(command, stdout=said, stderr=said) as run:
        training = wait_for(lambda: queue("RUNNING") or run.poll() is not None, 0.1)
        assert training is not True, (tmp_path / "said").read_text()
        subprocess.run(["scancel", "--signal=KILL", "--full", training[0]], check=True)
        assert run.wait(LONG) == 0, (tmp_path / "said").read_text()
    text = (tmp_path / "said").read_text()
    assert "Trying to restart job" in text
    assert results(workflow, "good", "bad") == results(finished, "good", "bad")
    assert f"page      {(workflow / 'results/report.html').as_uri()}" in text
    # What needs a network, and what is over in a moment, ran here.
    submitted = {path.name for path in (workflow / ".snakemake/slurm_logs").iterdir()}
    assert submitted >= {"rule_train"}
    assert not submitted & {"rule_download", "rule_vega", "rule_report"}


@needs("cluster_generic")
def test_generic_scheduler_gives_the_same_bytes(finished, tmp_path):
    submit = tmp_path / "submit"
    submit.write_text('#!/bin/sh\nnohup sh "$1" > "$1.log" 2>&1 &\necho $!\n')
    submit.chmod(0o755)
    workflow = Workflow(tmp_path / "run", finished.config)
    executor = ["--executor", "cluster-generic", "--cluster-generic-submit-cmd", str(submit), "--jobs", "2"]
    made = "results/variants/good/yhat.png"
    text = workflow.ok(*executor, "--seconds-between-status-checks", "1", "--", made).stderr
    assert results(workflow, "good") == results(finished, "good")
    assert "[6/6" in text


@needs("cluster_generic")
@pytest.mark.skipif(not shutil.which("rsync"), reason="the fs storage plugin copies with rsync, which is not here")
def test_jobs_leave_the_machine_without_a_shared_file_system(finished, tmp_path):
    """An input flagged as local would keep them here, without a word."""
    ended = f"{tmp_path}/ended.$(basename $1)"
    scripts = {
        "submit": f'(sh "$1" > "{ended}.log" 2>&1; echo $? > "{ended}") > /dev/null 2>&1 & echo "$1"',
        "status": f'[ -f "{ended}" ] || exec echo running; [ "$(cat "{ended}")" = 0 ] && echo success || echo failed',
    }
    for name, text in scripts.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    # What is deployed has to lie in the working directory.
    workflow = Workflow(tmp_path / "run", finished.config, copy_project(tmp_path / "run"))
    options = ["--executor", "cluster-generic", "--jobs", "1", "--seconds-between-status-checks", "1"]
    options += ["--cluster-generic-submit-cmd", str(tmp_path / "submit")]
    options += ["--cluster-generic-status-cmd", str(tmp_path / "status"), "--job-deploy-sources"]
    options += ["--default-storage-provider", "fs", "--default-storage-prefix", str(tmp_path / "storage")]
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])  # jobs ask it for python
    result = workflow.run(*options, "--shared-fs-usage", "none", "--until", "extract", env=os.environ | {"PATH": path})
    assert result.returncode == 0, result.stderr
    assert [path.name.split(".")[2] for path in tmp_path.glob("ended.*.sh")] == ["extract"]
    digits = "results/data/digits.pt"
    assert (tmp_path / "storage" / digits).read_bytes() == (finished / digits).read_bytes()


def test_every_job_says_how_much_memory_and_time_it_may_take(finished):
    text = finished.ok("--dry-run", "--forceall").stdout
    jobs = re.split(r"\n(?=rule )", text.split("rule all:")[0])[1:]
    asked = {job.split(":")[0].removeprefix("rule "): job for job in jobs}
    assert set(asked) == {
        "download",
        "extract",
        "normalize",
        "chart",
        "train",
        "diagnose",
        "plot",
        "compare",
        "vega",
        "report",
    }
    for rule, job in asked.items():
        assert re.search(r"mem_mb=\d+", job), rule
        assert re.search(r"runtime=\d+", job), rule
    assert finished.jobs("--forceall", "--resources", "mem_mb=4000", "runtime=100", "--retries", "1")["train"] == 4


def test_longer_trainings_may_take_longer(finished, tmp_path):
    long = Workflow(tmp_path / "long", finished.config | {"defaults": finished.config["defaults"] | {"epochs": 10**6}})
    text = long.ok("--dry-run").stdout
    trainings = {"train": 1, "diagnose": 1 + LONGER * check(long.config).diagnosis["trials"]}
    for rule, count in trainings.items():
        minutes = int(re.search(r"runtime=(\d+)", text.split(f"rule {rule}:")[1])[1])
        assert minutes == 10 + 10**6 * count // 600, rule
