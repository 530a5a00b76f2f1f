"""What is said of a run in the terminal: a line per job, progress, failures, the end."""

import io
import logging
import math
import re
import warnings
from collections.abc import Callable
from types import SimpleNamespace
from typing import get_args

import chart
import pytest
import torch
from download import KEPT, source_line
from msgspec.structs import replace
from snakemake_interface_logger_plugins.common import LogEvent

from builders.records import DEFAULTS, PLAIN, diverged, metrics, outcome, settings, trial
from common.files import write_json
from comparing.significance import significance
from findings.verdict_line import BROKE, told
from records.metrics import Autopsy, Outcome
from records.strict import as_json
from reporting.closing import closing
from running.terminal import INTERRUPTED, Terminal
from training.ending import came_to
from training.history import Row
from training.loss import build_loss
from training.progress import Progress

ROW = Row(0.25, 0.9, -1.0, 1.0, 0, 0)


def test_line_of_progress_fits_the_terminal_and_is_rare(monkeypatch, capsys):
    clock = SimpleNamespace(now=100.0)
    monkeypatch.setattr("training.progress.time", SimpleNamespace(monotonic=lambda: clock.now))
    monkeypatch.setenv("COLUMNS", "40")
    progress = Progress("train  " + "long" * 20, 100, 50)
    clock.now += 0.9
    progress(48, ROW)
    assert capsys.readouterr().err == ""
    clock.now += 0.2
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
            "diverged 2 of 4, first at epoch 3, ∞: log(1 - yhat); test 1.5 of 20 wrong on average",
        ),
        (
            [outcome(1, 18), diverged(2)],
            [ROW._replace(loss=float("-inf"))] * 9,
            "diverged 1 of 2, at epoch 5, −∞: log(1 - yhat); test 2 of 20 wrong",
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


def following(logger, folder, mixture=None, is_run=True) -> Terminal:
    return Terminal(logger, "before", 4, folder / "page.html", is_run, is_brief=True, mixture=lambda but: mixture)


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
    following(logger, tmp_path)
    logger.info("stats", extra={"event": LogEvent.RUN_INFO, "stats": {"total": 2, "all": 1}})
    facts = {"event": LogEvent.JOB_INFO, "jobid": 3, "rule_name": "train", "wildcards": {"variant": "a", "seed": "7"}}
    logger.info("job", extra=facts | {"log": [str(tmp_path / "gone.log")]})
    logger.info("finished", extra={"event": LogEvent.JOB_FINISHED, "job_id": 3})
    logger.info("who knows what this is")
    assert stream.writes == 3
    assert re.sub(r"\d+\.\d", "0.0", stream.getvalue()) == (
        "before; 1 job\n[1/1  0:00] train      a 7   0.0 s\nwho knows what this is\n"
    )


def heard(tmp_path, mixture=None) -> tuple[logging.Logger, Terminal, io.StringIO]:
    """A run's logger, and what is said of it."""
    logger, stream = logging.Logger("snakemake"), io.StringIO()
    own = logging.StreamHandler(stream)
    own.name = "DefaultStreamHandler"
    logger.addHandler(own)
    return logger, following(logger, tmp_path, mixture), stream


def test_job_that_was_tried_again_has_not_failed_and_one_that_did_is_named_once(tmp_path):
    logger, terminal, stream = heard(tmp_path)
    log = tmp_path / "train.log"
    log.write_text("warning: so far so good\nerror: the disk is full\n")
    for jobid in (1, 2):
        facts = {
            "jobid": jobid,
            "rule_name": "train",
            "wildcards": {"variant": "v", "seed": f"{jobid}"},
            "log": [str(log)],
        }
        logger.info("job", extra=facts | {"event": LogEvent.JOB_INFO})
        for _ in range(2):
            logger.log(logging.INFO, "error", extra=facts | {"event": LogEvent.JOB_ERROR})
    logger.info("finished", extra={"event": LogEvent.JOB_FINISHED, "job_id": 1})
    terminal.close_with_errors()
    assert stream.getvalue().endswith(f"\n\nfailed: train v 2: see {log}\nerror: the disk is full\n")
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
    facts = {"jobid": 1, "rule_name": "train", "wildcards": {"variant": "v", "seed": "1"}, "log": logs}
    logger.info("job", extra=facts | {"event": LogEvent.JOB_INFO})
    logger.error(f"RuleException:\nCommand 'python 9' {end}", extra={"event": LogEvent.ERROR})
    logger.error("error", extra=facts | {"event": LogEvent.JOB_ERROR})
    terminal.close_with_errors()
    assert stream.getvalue().endswith(f"\n\nfailed: train v 1{why}\n")


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


def test_nothing_is_said_of_failures_where_there_are_none(tmp_path):
    _, terminal, stream = heard(tmp_path)
    terminal.close_with_errors()
    assert stream.getvalue() == ""


def test_record_that_is_not_understood_leaves_the_terminal_to_snakemake(tmp_path, capsys):
    logger, _, stream = heard(tmp_path)
    finished = {"event": LogEvent.JOB_FINISHED, "job_id": 7}
    for _ in range(2):
        logger.info("finished", extra=finished)
    assert capsys.readouterr().err == "warning: Snakemake's own lines are shown: KeyError: 7\n"
    assert stream.getvalue() == "finished\n"


def test_models_of_other_settings_are_told_where_nothing_is_to_be_done_and_at_the_end_of_a_plan(tmp_path, capsys):
    logger = logging.Logger("snakemake")
    asked = []
    Terminal(logger, "", 4, tmp_path / "page.html", is_run=False, is_brief=False, mixture=asked.append)
    for jobid, (variant, seed) in enumerate([("a", "1"), ("a", "2"), ("b", "1")]):
        of = {"variant": variant, "seed": seed}
        facts = {"event": LogEvent.JOB_INFO, "jobid": jobid, "rule_name": "train", "wildcards": of, "log": []}
        logger.info("job", extra=facts)
    logger.info("This was a dry-run (flag -n). The order of jobs does not reflect the order of execution.")
    logger.info("Nothing to be done (all requested files are present and up to date).")
    assert asked == [["a/1", "a/2", "b/1"], ()]
    assert capsys.readouterr().err == ""
    logger, _, _ = heard(tmp_path, mixture="1 model was")
    logger.info("Nothing to be done (all requested files are present and up to date).")
    assert capsys.readouterr().err == "warning: 1 model was\n"


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
    assert source_line(record | {"files": {name: {"origin": origin} for name, origin in files.items()}}) == line


@pytest.mark.parametrize(
    ("cause", "culprits", "words"),
    [
        ("decay", [], "the weight decay makes weights grow"),
        ("momentum", ["(logits - y) ** 2"], "the momentum makes steps grow"),
        ("gradient", ["sqrt(yhat)"], "the derivative of sqrt(yhat)"),
        ("gradient", [], "the gradient was beyond float32"),
        ("loss", ["log(yhat)"], "log(yhat)"),
    ],
)
def test_cause_of_a_divergence_is_told_in_words(cause, culprits, words):
    model = diverged(epoch=1234)
    steps = [replace(model.autopsy.path[0], expression=expression) for expression in culprits]
    model = replace(model, autopsy=replace(model.autopsy, cause=cause, culprits=steps))
    assert told(metrics(a=model)[0], [ROWS]) == f"diverged at epoch 1,234, NaN: {words}"


def test_every_cause_of_an_autopsy_has_words():
    assert set(BROKE) == set(get_args(get_args(Autopsy.__annotations__["cause"])[0]))


@pytest.mark.parametrize(
    ("epoch", "loss", "line"),
    [
        (None, 0.1, "78 of 80 right, test 19 of 20"),
        (3, math.nan, "NaN at epoch 3 of 2,000"),
        (3, -math.inf, "−∞ at epoch 3 of 2,000"),
        (2000, 0.1, "NaN after the last of 2,000 steps"),
    ],
)
def test_training_says_counts_or_the_epoch_of_nan(epoch, loss, line):
    counts = SimpleNamespace(train=(40, 40), test=(10, 10))
    record = SimpleNamespace(settings=SimpleNamespace(epochs=2000), diverged_epoch=epoch, counts=counts)
    record.correct, record.test_correct = 78, 19
    assert came_to(SimpleNamespace(record=record, history=[ROW._replace(loss=loss)] * 4)) == line


@pytest.fixture
def closed(tmp_path) -> Callable:
    """The last lines of a run of these variants, all of one loss."""
    loss = tmp_path / "losses/bce.json"
    chart.main(PLAIN.loss_definition, {"chart": loss, "sums": loss.with_name(f"{loss.name}.sha256")})

    def lines(trials=4, fallback=False, **seeds) -> list[str]:
        entries = metrics(**seeds)
        for entry in entries:
            write_json(tmp_path / f"variants/{entry.variant}/metrics.json", as_json(entry))
        wrong = {entry.variant: {"test": dict(map(_missed, entry.seeds))} for entry in entries}
        write_json(tmp_path / "comparison/significance.json", as_json(significance(entries, wrong)))
        retry = "snakemake --cores 4 --forcerun download"
        write_json(tmp_path / "data/source.json", {"fallback": fallback, "retry": retry})
        return closing(tmp_path, dict.fromkeys(seeds, settings()), trials, DEFAULTS)

    return lines


def _missed(model: Outcome) -> tuple[str, list[int]]:
    return str(model.seed), list(range(model.test_wrong or 0))


def test_last_lines_begin_with_the_answer_and_end_with_what_is_not_mnist(closed):
    lines = closed(fallback=True, a=outcome(), b=diverged())
    assert lines[0] == "  answer    Use a: the only one that trains well, 19 of 20 test images right."
    assert lines[-2:] == [
        "  images    a small sample, since no mirror answered: these are not MNIST's figures",
        "            to try the mirrors again: snakemake --cores 4 --forcerun download",
    ]
    assert not any("MNIST" in line for line in closed(a=outcome()))


def test_names_are_cut_from_the_worst_end(closed):
    finished = {f"v{wrong}": outcome(test_correct=20 - wrong) for wrong in (7, 1, 0, 3, 2, 6, 5, 4)}
    assert closed(**finished)[1] == "  good      8: v0, v1, v2, v3, v4, v5 and 2 more"
    gone = {f"d{epoch}": diverged(epoch=epoch) for epoch in (8, 2, 5)}
    assert closed(**gone)[1] == "  diverged  3: d2 @2, d5 @5, d8 @8"


def test_cure_of_a_seed_is_told_as_such(closed):
    cure = trial("`mean(a\n  + b)`", snippet="variants:\n  a-1: {lr: 0.1}\n")
    first = replace(outcome(1, kind="stuck-images"), cures=[cure], tried=[])
    lines = closed(a=[first, outcome(2)])
    assert lines[1:] == ["  faulty    1: a (1 of 2)", "  cure      of a, seed 1: mean(a + b): 99 → 80 of 100 right"]
    assert closed(a=outcome())[1:] == ["  good      1: a"]


def test_cure_of_the_most_variants_is_told_with_whom_it_does_not_cure(closed):
    snippet = "losses:\n  bce-1: mean(f)\nvariants:\n  a-1: {lr: 0.1}\n"
    one, two = (outcome(kind="stuck-images", cures=[trial(text, snippet=snippet)]) for text in ("`f`", "`g`"))
    lines = closed(a=one, b=two, c=two, d=outcome(kind="stuck-images"))
    assert lines[1:] == [
        "  faulty    4: a, b, c, d",
        "  cure      of bce, 3 variants: g: 80 of 100 right; tried on 2, cures 2; no such seed was tried of d",
        "  cure      of a: f: 99 → 80 of 100 right",
    ]
    still, frozen = outcome(kind="stuck-images"), replace(two, findings=outcome(kind="frozen").findings)
    lines = closed(a=one, b=frozen, c=frozen, d=still, e=still)
    assert lines[2] == "  cure      of bce, 2 variants: g: 80 of 100 right; tried on 2, cures 2"
    assert closed(d=outcome(kind="stuck-images"), e=outcome(kind="stuck-images"))[1:] == ["  faulty    2: d, e"]


def test_three_cures_are_told_and_the_rest_is_counted(closed):
    snippet = "losses:\n  bce-1: mean(f)\nvariants:\n  a-1: {lr: 0.1}\n"
    cured = {text: outcome(kind="stuck-images", cures=[trial(f"`{text}`", snippet=snippet)]) for text in "fghij"}
    lines = closed(**cured)
    assert [line for line in lines if line.startswith("  cure")] == [
        f"  cure      of {text}: {text}: 99 → 80 of 100 right" for text in "fgh"
    ]
    assert lines[-1] == "            of 2 more causes: on the page"


def test_form_that_was_not_tried_is_told_as_such(closed):
    (*_, line) = closed(trials=0, a=outcome(kind="stuck-images"))
    assert line.startswith("  better    of a: mean(")
    assert line.endswith("−100; not tried: diagnosis.trials is 0")


def test_kldivloss_says_nothing_of_another_reduction():
    images = torch.rand(4, 1)
    with warnings.catch_warnings(record=True) as heard_warnings:
        warnings.simplefilter("always")
        loss = build_loss(["module", "KLDivLoss", [], "logits"])(images, images, images)
    assert loss.isfinite() and heard_warnings == []
