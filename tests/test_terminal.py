"""What a run says in the terminal: the real snakemake in a pipe and on a pseudo-terminal."""

import io
import logging
import os
import pty
import re
import signal
import subprocess
import time

import pytest
from conftest import Workflow, small_config
from download import KEPT
from download import told as download_told
from mirrors import serving
from msgspec.structs import replace
from snakemake_interface_logger_plugins.common import LogEvent
from test_answer import DEFAULTS, diverged, metrics, outcome, settings
from test_cures import trial

from common.files import write_json
from common.terminal import INTERRUPTED, Terminal
from diagnosis.records import as_json
from diagnosis.told import told
from reporting.closing import closing
from training.history import Row
from training.progress import Progress

ROW = Row(0.25, 0.9, -1.0, 1.0, 0, 0)


@pytest.fixture(scope="module")
def said(tmp_path_factory, small_mnist) -> tuple[Workflow, str]:
    """A run in a pipe, and what it said."""
    config = small_config(small_mnist)
    config["defaults"] |= {"epochs": 30, "lr": 0.05, "hidden": [8]}
    workflow = Workflow(tmp_path_factory.mktemp("said") / "a {b}", config)
    return workflow, workflow.ok("--cores", "2").stderr


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


def test_run_says_a_line_per_job_and_what_came_out(said):
    text = said[1]
    lines = text.splitlines()
    jobs = [line for line in lines if re.match(r"\[ ?\d+/10 +0:\d\d\] \w", line)]
    assert [line.split("]")[0].split("/")[0].strip("[ ") for line in jobs] == [str(place) for place in range(1, 11)]
    assert len(lines) <= len(jobs) + 10, text
    assert "mnist01: 2 variants of 2 losses and 1 normalization; 10 jobs on 2 cores" in lines
    extract = next(line for line in jobs if "extract" in line)
    assert re.search(r"  [\d,]+ training images \(\d+ of 0 and \d+ of 1\), [\d,]+ test images  [\d.]+ s$", extract)
    good, bad = (next(line for line in jobs if f"train      {name}" in line) for name in ("good", "bad"))
    assert re.search(r"  good; test \S+ of [\d,]+ wrong on average  [\d.]+ s$", good)
    assert re.search(r"  diverged 2 of 2 first at epoch 0, NaN: log\(yhat - 1\)  [\d.]+ s$", bad)


def test_run_ends_with_the_answer_and_where_it_lies(said):
    workflow, text = said
    end = text.rstrip().splitlines()[-7:]
    page = workflow / "results/report.html"
    assert end[0] == "  good      1: good"
    assert end[1] == "  diverged  1: bad @0 (2 of 2)"
    assert end[-4] == f"  page      {page.as_uri()}"
    assert "%7Bb%7D" in end[-4]
    assert end[-2] == "  config    config.yaml"
    assert end[-3] == f"  table     {page.with_name('summary.csv')}"
    assert re.fullmatch(r"  took      \d+ s", end[-1])


def test_nothing_but_words_goes_into_a_pipe(said):
    assert not re.search(r"[\x1b\r]", said[1])


def test_log_of_each_job_holds_what_it_said(said):
    workflow, text = said
    logs = sorted((workflow / "results/logs").rglob("*.log"))
    assert len(logs) == 10
    for log in logs:
        last = log.read_text().splitlines()[-1]
        assert f"  {last}  " in text, log


def test_run_with_nothing_to_do_says_where_the_page_is(said):
    workflow, _ = said
    assert workflow.ok("--cores", "2").stderr.splitlines()[-1] == (
        f"nothing to do; the page is {(workflow / 'results/report.html').as_uri()}"
    )


def test_run_that_makes_no_page_does_not_say_so(said):
    text = said[0].ok("--cores", "2", "--forcerun", "plot", "--", "results/variants/good/yhat.png").stderr
    assert "[1/1" in text
    assert "page" not in text


def test_dry_run_gives_reasons_and_no_result(said):
    result = said[0].ok("--dry-run", "--forcerun", "report")
    assert "reason: Forced execution" in result.stdout + result.stderr
    assert "page  " not in result.stdout + result.stderr


def test_snakemake_s_own_text_is_a_flag_away_and_the_page_is_told_all_the_same(said):
    text = said[0].ok("--cores", "2", "--forcerun", "report", "--quiet", "reason").stderr
    assert "rule report:" in text
    assert "Finished jobid" in text
    assert "[1/1" not in text
    assert f"page      {(said[0] / 'results/report.html').as_uri()}" in text
    assert said[0].ok("--cores", "2", "--forcerun", "report", "--quiet", "all").stderr.count("\n") <= 1


def test_logger_plugin_may_take_over(said):
    text = said[0].ok("--cores", "2", "--forcerun", "report", "--logger", "rich").stderr
    assert "[1/1" not in text
    assert "page      " in text


def test_failed_run_ends_with_the_job_s_own_words(tmp_path, small_mnist):
    config = small_config(small_mnist)
    config["data"] = {"mirrors": [str(tmp_path / "nowhere")], "fallback": "none"}
    workflow = Workflow(tmp_path / "run", config)
    result = workflow.run("--cores", "2")
    assert result.returncode == 1
    end = result.stderr.rstrip().splitlines()[-2:]
    assert end[0] == "failed: download: see results/logs/download.log"
    assert end[1].startswith("error: data.mirrors: none gave all MNIST files, and data.fallback is none.")
    assert "Error in rule download" in result.stderr
    assert "page  " not in result.stderr


def test_terminal_shows_progress_and_colours_unless_no_color_is_set(tmp_path, small_mnist):
    config = small_config(small_mnist)
    config["defaults"] |= {"epochs": 12_000, "seeds": [1]}
    config["diagnosis"] = {"trials": 0}
    config["variants"] = {"good": config["variants"]["good"]}
    workflow = Workflow(tmp_path / "run", config)
    text = on_terminal(workflow, "--cores", "2")
    told = re.findall(r"\r\x1b\[Ktrain  good  epoch ([\d,]+) of 12,000, (\d+) s left  loss ([\d.e-]+)  wrong \d+", text)
    epochs = [int(epoch.replace(",", "")) for epoch, _, _ in told]
    assert len(epochs) > 1
    assert epochs == sorted(epochs)
    assert "\x1b[32mgood\x1b[0m" in text
    assert "epoch" not in (workflow / "results/logs/train/good.log").read_text()
    plain = on_terminal(workflow, "--cores", "2", "--forcerun", "report", NO_COLOR="1")
    assert "page      " in plain
    assert re.findall(r"\x1b\[\d+m", plain.split("mnist01:")[1]) == []


def test_line_of_progress_fits_the_terminal_and_is_rare(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "40")
    progress = Progress("train  " + "long" * 20, 100, 50)
    for epoch in range(50):
        progress(epoch, ROW)
    assert capsys.readouterr().err == ""
    progress.start, progress.next = time.monotonic() - 10, 0
    progress(49, ROW)
    progress(50, ROW)
    shown = capsys.readouterr().err
    assert len(shown) == len("\r\x1b[K") + 39


ROWS = [ROW] * 9


@pytest.mark.parametrize(
    ("outcomes", "rows", "line"),
    [
        ([outcome()], ROWS, "good, 99 of 100, test 19 of 20"),
        ([outcome(kind="stuck-images")], ROWS, "faulty (stuck-images), 99 of 100, test 19 of 20"),
        ([diverged()], [ROW] * 5 + [ROW._replace(loss=float("nan"))], "diverged at epoch 5, NaN: log(1 - yhat)"),
        ([diverged()], [ROW] * 5 + [ROW._replace(loss=float("-inf"))], "diverged at epoch 5, −∞: log(1 - yhat)"),
        ([diverged(epoch=9)], ROWS, "diverged at epoch 9, NaN: log(1 - yhat)"),
        (
            [outcome(1, 18), diverged(2, epoch=7), outcome(3, 19, kind="slow"), diverged(4, epoch=3)],
            [ROW._replace(loss=float("inf"))] * 9,
            "diverged 2 of 4 first at epoch 3, ∞: log(1 - yhat); test 1.5 of 20 wrong on average",
        ),
        (
            [outcome(1, 18), diverged(2)],
            [ROW._replace(loss=float("-inf"))] * 9,
            "diverged 1 of 2 at epoch 5, −∞: log(1 - yhat); test 2 of 20 wrong",
        ),
        (
            [outcome(seed, 981, test_n=2115) for seed in (1, 2)],
            ROWS,
            "good; test 1,134 of 2,115 wrong on average",
        ),
        (
            [outcome(1, 18), outcome(2, 19, kind="slow"), outcome(3, 19, kind="slow")],
            ROWS,
            "faulty 2 of 3 (slow); test 1.3 of 20 wrong on average",
        ),
    ],
)
def test_training_is_told_in_a_line(outcomes, rows, line):
    assert told(metrics(a=outcomes)[0], [rows] * len(outcomes)) == line


def test_line_of_a_job_is_one_write_and_a_missing_log_no_error(tmp_path):
    class Stream(io.StringIO):
        writes = 0

        def write(self, text):
            self.writes += 1
            return super().write(text)

    logger, stream = logging.Logger("snakemake"), Stream()
    own = logging.StreamHandler(stream)
    own.name = "DefaultStreamHandler"
    logger.addHandler(own)
    Terminal(logger, "before", 4, tmp_path / "page.html", is_brief=True)
    logger.info("stats", extra={"event": LogEvent.RUN_INFO, "stats": {"total": 2, "all": 1}})
    facts = {"event": LogEvent.JOB_INFO, "jobid": 3, "rule_name": "train", "wildcards": {"variant": "a"}}
    logger.info("job", extra=facts | {"log": [str(tmp_path / "gone.log")]})
    logger.info("finished", extra={"event": LogEvent.JOB_FINISHED, "job_id": 3})
    logger.info("who knows what this is")
    assert stream.writes == 3
    assert re.sub(r"\d+\.\d", "0.0", stream.getvalue()) == (
        "before; 1 job\n[1/1  0:00] train      a     0.0 s\nwho knows what this is\n"
    )


def heard(tmp_path) -> tuple[logging.Logger, Terminal, io.StringIO]:
    """A run's logger, and what is said of it."""
    logger, stream = logging.Logger("snakemake"), io.StringIO()
    own = logging.StreamHandler(stream)
    own.name = "DefaultStreamHandler"
    logger.addHandler(own)
    return logger, Terminal(logger, "before", 4, tmp_path / "page.html", is_brief=True), stream


def test_job_that_was_tried_again_has_not_failed_and_one_that_did_is_named_once(tmp_path):
    logger, terminal, stream = heard(tmp_path)
    log = tmp_path / "train.log"
    log.write_text("warning: so far so good\nerror: the disk is full\n")
    for jobid in (1, 2):
        facts = {"jobid": jobid, "rule_name": "train", "wildcards": {"variant": f"v{jobid}"}, "log": [str(log)]}
        logger.info("job", extra=facts | {"event": LogEvent.JOB_INFO})
        for _ in range(2):
            logger.log(logging.INFO, "error", extra=facts | {"event": LogEvent.JOB_ERROR})
    logger.info("finished", extra={"event": LogEvent.JOB_FINISHED, "job_id": 1})
    terminal.close_with_errors()
    assert stream.getvalue().endswith(f"\n\nfailed: train v2: see {log}\nerror: the disk is full\n")
    assert stream.getvalue().count("failed: train") == 1


@pytest.mark.parametrize(
    ("end", "why"),
    [
        ("died with <Signals.SIGKILL: 9>.", ": killed by signal 9: was memory full?"),
        ("died with <Signals.SIGTERM: 15>.", ": killed by signal 15"),
        ("died with unknown signal 35.", ": killed by signal 35"),
        ("returned non-zero exit status 137.", ": killed by signal 9: was memory full?"),
        ("returned non-zero exit status 1.", ""),
        ("returned non-zero exit status 128.", ""),
    ],
)
def test_job_that_was_killed_says_so_and_names_no_empty_log(tmp_path, end, why):
    logger, terminal, stream = heard(tmp_path)
    (tmp_path / "empty.log").touch()
    logs = [str(tmp_path / name) for name in ("empty.log", "missing.log")]
    facts = {"jobid": 1, "rule_name": "train", "wildcards": {"variant": "v1"}, "log": logs}
    logger.info("job", extra=facts | {"event": LogEvent.JOB_INFO})
    logger.error(f"RuleException:\nCommand 'python 9' {end}", extra={"event": LogEvent.ERROR})
    logger.error("error", extra=facts | {"event": LogEvent.JOB_ERROR})
    terminal.close_with_errors()
    assert stream.getvalue().endswith(f"\n\nfailed: train v1{why}\n")


def test_ctrl_c_is_told_once_and_what_failed_before_it_all_the_same(tmp_path):
    logger, terminal, stream = heard(tmp_path)
    for jobid, end in enumerate(["exit status 1.", "with <Signals.SIGINT: 2>."]):
        if jobid:
            logger.info("Terminating processes on user request, this might take some time.")
        logger.error(f"'python' died {end}", extra={"event": LogEvent.ERROR})
        facts = {"jobid": jobid, "rule_name": f"rule{jobid}", "log": []}
        logger.error("Error in rule", extra=facts | {"event": LogEvent.JOB_ERROR})
    terminal.end(KeyboardInterrupt, KeyboardInterrupt(), None)
    terminal.close_with_errors()
    logger.error("WorkflowError:\nAt least one job did not complete successfully.")
    assert stream.getvalue() == f"'python' died exit status 1.\nError in rule\n\nfailed: rule0\n{INTERRUPTED}\n"


@pytest.fixture(params=["forks", "plain"])
def waiting(request, tmp_path, small_mnist) -> tuple[Workflow, list[str], str]:
    """A workflow of which a job takes as long as it may; what is to be made, and that job's log."""
    config = small_config(small_mnist)
    config["defaults"]["epochs"] = 2_000_000
    if request.param == "forks":
        return Workflow(tmp_path / "run", config), ["results/variants/good/metrics.json"], "results/logs/train/good.log"
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
    end = time.monotonic() + 120
    while not (workflow / log).exists() and run.poll() is None and time.monotonic() < end:
        time.sleep(0.02)
    os.killpg(run.pid, signal.SIGINT)
    text = run.communicate(timeout=120)[0]
    assert run.returncode != 0
    _, lines = text.split(" cores\n")
    assert [line for line in lines.splitlines() if line[0] != "["] == [INTERRUPTED], text


def test_nothing_is_said_of_failures_where_there_are_none(tmp_path):
    _, terminal, stream = heard(tmp_path)
    terminal.close_with_errors()
    assert stream.getvalue() == ""


def test_record_that_is_not_understood_does_not_end_the_run(tmp_path, capsys):
    logger, _, _ = heard(tmp_path)
    logger.info("finished", extra={"event": LogEvent.JOB_FINISHED, "job_id": 7})
    assert "KeyError" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("files", "line"),
    [
        ({"a": "/folder", "b": "/folder"}, "10 images from /folder, checksums right"),
        ({"a": KEPT, "b": KEPT}, "10 images, kept from an earlier run, checksums right"),
        ({"a": "http://x/", "b": KEPT}, "10 images from http://x/, some kept from an earlier run, checksums right"),
    ],
)
def test_download_says_where_the_images_come_from(files, line):
    record = {"source": "mnist", "fallback": False, "counts": {"train": {"0": 4, "1": 4}, "test": {"0": 2}}}
    assert download_told(record | {"files": {name: {"origin": origin} for name, origin in files.items()}}) == line


def test_cure_of_a_seed_is_told_as_such(tmp_path):
    cure = trial("`mean(a\n  + b)`", snippet="variants:\n  a-1: {lr: 0.1}\n")
    first = replace(outcome(1, kind="stuck-images"), cures=[cure], tried=[])
    entry = metrics(a=[first, outcome(2)])[0]
    write_json(tmp_path / "variants/a/metrics.json", as_json(entry))
    write_json(tmp_path / "diagnosis/losses.json", {})
    write_json(tmp_path / "diagnosis/kinds.json", {"stuck-images": {"means": "so"}})
    lines = closing(tmp_path, {"a": settings()}, DEFAULTS)
    assert lines == ["  faulty    1: a (1 of 2)", "  cure      of a, seed 1: mean(a + b): 80 of 100 right"]
    write_json(tmp_path / "variants/a/metrics.json", as_json(metrics(a=outcome())[0]))
    assert closing(tmp_path, {"a": settings()}, DEFAULTS) == ["  good      1: a"]
