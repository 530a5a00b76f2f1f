"""What a run says in a pipe."""

import re

import pytest

from builders.workflows import Workflow, small_config


@pytest.fixture(scope="module")
def said(tmp_path_factory, small_mnist) -> tuple[Workflow, str]:
    """A run in a pipe, and what it said."""
    config = small_config(small_mnist)
    config["defaults"] |= {"epochs": 30, "lr": 0.05, "hidden": [8]}
    workflow = Workflow(tmp_path_factory.mktemp("said") / "a {b}", config)
    return workflow, workflow.ok("--cores", "2").stderr


# The parts of a line that say which job, and what came out.
CAME_OUT = {
    "chart      bce": r"safe; can be typed better",
    "chart      negative-log": "not finite for images that are right",
    "train      good 2": r"\d+ of 80 right, test \d+ of 20",
    "train      bad 1": r"NaN at epoch 0 of 30",
    "diagnose   good": r"good; test \S+ of [\d,]+ wrong on average",
    "diagnose   bad": r"diverged 2 of 2, first at epoch 0, NaN: log\(yhat - 1\)",
    "compare  ": "1 change compared; 2 losses at the weights of 2 broken models",
}


def test_run_says_a_line_per_job_and_what_came_out(said):
    text = said[1]
    lines = text.splitlines()
    jobs = [line for line in lines if re.match(r"\[ ?\d+/16 +\d:\d\d\] \w", line)]
    assert [line.split("]")[0].split("/")[0].strip("[ ") for line in jobs] == [str(place) for place in range(1, 17)]
    assert len(lines) <= len(jobs) + 11, text
    assert "mnist01: 2 variants of 2 losses and 1 normalization; 16 jobs on 2 cores" in lines
    extract = next(line for line in jobs if "extract" in line)
    assert re.search(r"  [\d,]+ training images \(\d+ of 0 and \d+ of 1\), [\d,]+ test images  [\d.]+ s$", extract)
    for job, came_out in CAME_OUT.items():
        (line,) = [line for line in jobs if f"] {job}  " in line]
        assert re.search(rf"] {job}  +{came_out}  [\d.]+ s$", line)


def test_run_ends_with_the_answer_and_where_it_lies(said):
    workflow, text = said
    end = text.rstrip().splitlines()[-8:]
    page = workflow / "results/report.html"
    assert re.fullmatch(
        r"  answer    Use good: the only one that trains well, [\d.]+ of 20 test images right on average.", end[0]
    )
    assert end[1] == "  good      1: good"
    assert end[2] == "  diverged  1: bad @0 (2 of 2)"
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
    assert len(logs) == 16
    for log in logs:
        last = log.read_text().splitlines()[-1]
        assert f"  {last}  " in text, log


def test_run_with_nothing_to_do_says_where_the_page_is(said):
    workflow, _ = said
    assert workflow.ok("--cores", "2").stderr.splitlines()[-1] == (
        f"nothing to do; the page is {(workflow / 'results/report.html').as_uri()}"
    )


def test_dry_run_gives_reasons_and_no_result(said):
    result = said[0].ok("--dry-run", "--forcerun", "report")
    assert "reason: Forced execution" in result.stdout + result.stderr
    assert "page  " not in result.stdout + result.stderr


def test_failed_run_ends_with_the_job_s_own_words(tmp_path, small_mnist):
    config = small_config(small_mnist)
    config["data"] = {"mirrors": [str(tmp_path / "nowhere")], "fallback": "none"}
    workflow = Workflow(tmp_path / "run", config)
    result = workflow.run("--cores", "2")
    assert result.returncode == 1
    end = result.stderr.rstrip().splitlines()[-2:]
    assert end[0] == "failed: download: see results/logs/download.log"
    assert end[1].startswith("error: data.mirrors: none gave all MNIST files, and data.fallback is none.")
    assert len({line for line in result.stderr.splitlines() if line.startswith("error: ")}) == 1  # from the job, too
    assert "Error in rule download" in result.stderr
    assert "Traceback" not in result.stderr
    assert "page  " not in result.stderr
