"""What a run says on a pseudo-terminal, and when it is interrupted."""

import os
import pty
import re
import signal
import subprocess

import pytest

from builders.mirrors import serving
from builders.waiting import LONG, wait_for
from builders.workflows import Workflow, small_config
from running.terminal import INTERRUPTED


def on_terminal(workflow: Workflow, *arguments: str, **environment) -> str:
    """What a run shows on a terminal of 100 columns."""
    ours, its = pty.openpty()
    process = subprocess.Popen(
        workflow.command(*arguments),
        stdin=subprocess.DEVNULL,
        stdout=its,
        stderr=its,
        env=os.environ | {"COLUMNS": "100", "TERM": "xterm"} | environment,
    )
    os.close(its)
    shown = b""
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:  # the other end is closed
            break
        if not piece:
            break
        shown += piece
    os.close(ours)
    assert process.wait() == 0, shown.decode()
    return shown.decode()


def test_terminal_shows_progress_and_colours_unless_no_color_is_set(tmp_path, small_mnist):
    config = small_config(small_mnist)
    config["defaults"] |= {"epochs": 12_000, "seeds": [1]}
    config["diagnosis"] = {"trials": 0}
    config["variants"] = {"good": config["variants"]["good"]}
    workflow = Workflow(tmp_path / "run", config)
    text = on_terminal(workflow, "--cores", "2")
    told = re.findall(r"\r\x1b\[Ktrain  good 1  epoch ([\d,]+) of 12,000, \d+ s left  loss [\d.e-]+  wrong \d+", text)
    epochs = [int(epoch.replace(",", "")) for epoch in told]
    assert len(epochs) > 1
    assert epochs == sorted(epochs)
    assert "\x1b[32mgood\x1b[0m" in text
    assert "epoch" not in (workflow / "results/logs/train/good/1.log").read_text()
    plain = on_terminal(workflow, "--cores", "2", "--forcerun", "report", NO_COLOR="1")
    assert "page      " in plain
    assert re.findall(r"\x1b\[\d+m", plain.split("mnist01:")[1]) == []


@pytest.fixture(params=["forks", "plain"])
def waiting(request, tmp_path, small_mnist) -> tuple[Workflow, list[str], str]:
    """A workflow of which a job takes as long as it may; what is to be made, and that job's log."""
    config = small_config(small_mnist)
    config["defaults"]["epochs"] = 2_000_000
    if request.param == "forks":
        made = ["results/variants/good/1/training.json"]
        return Workflow(tmp_path / "run", config), made, "results/logs/train/good/1.log"
    url = request.getfixturevalue("silent")
    config["data"] |= {"mirrors": [url], "timeout": 60}
    return Workflow(tmp_path / "run", config), ["results/data/digits.pt"], "results/logs/download.log"


@pytest.fixture
def silent(small_mnist):
    with serving(small_mnist) as url:
        yield f"{url}/held-at-0"


def test_ctrl_c_is_one_line(waiting):
    workflow, made, log = waiting
    # Its terminal, where Ctrl-C reaches all processes.
    command = workflow.command("--cores", "2", *made)
    run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True)
    wait_for(lambda: (workflow / log).exists() or run.poll() is not None)
    os.killpg(run.pid, signal.SIGINT)
    text = run.communicate(timeout=LONG)[0]
    assert run.returncode != 0
    _, lines = text.split(" cores\n")
    assert [line for line in lines.splitlines() if line[0] != "["] == [INTERRUPTED], text


def test_run_that_makes_no_page_does_not_say_so(copy):
    text = copy.ok("--cores", "2", "--forcerun", "plot", "--", "results/variants/good/yhat.png").stderr
    assert "[1/1" in text
    assert "page" not in text


def test_snakemake_s_own_text_is_a_flag_away_and_the_page_is_told_all_the_same(copy):
    text = copy.ok("--cores", "2", "--forcerun", "report", "--quiet", "reason").stderr
    assert "rule report:" in text
    assert "Finished jobid" in text
    assert "[1/1" not in text
    assert f"page      {(copy / 'results/report.html').as_uri()}" in text
    assert copy.ok("--cores", "2", "--forcerun", "report", "--quiet", "all").stderr.count("\n") <= 1


def test_logger_plugin_may_take_over(copy):
    text = copy.ok("--cores", "2", "--forcerun", "report", "--logger", "rich").stderr
    assert "[1/1" not in text
    assert "page      " in text
