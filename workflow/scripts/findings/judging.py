"""From a trained model to what metrics.json says of it."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from autopsy.autopsy import autopsy
from findings.evidence import Evidence, state_at_end, state_at_start
from findings.findings import findings, verdict
from findings.forecast import next_divergence
from findings.task import Task
from formulas.float32 import ONE_LOGIT
from records.metrics import Outcome
from training.trained import Trained

# Settings, seed and data to a model: what train.py does, which trials and some autopsies do again.
Train = Callable[[dict, int, dict], Trained]


@dataclass(frozen=True)
class Judged:
    """A model with what is known of it and what that comes to."""

    outcome: Outcome
    evidence: Evidence


def judged(trained: Trained, task: Task, train: Train) -> Judged:
    evidence = gather(trained, task, train)
    return Judged(judge(evidence), evidence)


def gather(trained: Trained, task: Task, train: Train) -> Evidence:
    """On the CPU, in float32 and float64, which not every accelerator has."""
    finished = trained.diverged_epoch is None
    start, first_gradients = state_at_start(trained.record.seed, task)
    return Evidence(
        task=task,
        trained=trained,
        start=start,
        first_gradients=first_gradients,
        end=state_at_end(trained, task) if finished else None,
        forecast=next_divergence(task.chart, trained) if finished else None,
        autopsy=None if finished else autopsy(trained, task.loss, task.data, task.settings, train),
    )


def judge(evidence: Evidence) -> Outcome:
    record, history, finished = evidence.trained.record, evidence.trained.history, evidence.autopsy is None
    n, test_n = (sum(of) for of in (record.counts.train, record.counts.test))
    correct, test_correct = (record.correct, record.test_correct) if finished else (None, None)
    logits = [row.max_logit for row in history] + [evidence.trained.logits.max().item()]
    max_logit = max(filter(math.isfinite, logits), default=None)
    found = findings(evidence)
    return Outcome(
        seed=record.seed,
        status="finished" if finished else "diverged",
        diverged_epoch=record.diverged_epoch,
        correct=correct,
        n=n,
        accuracy=None if correct is None else correct / n,
        test_correct=test_correct,
        test_n=test_n,
        test_accuracy=None if test_correct is None else test_correct / test_n,
        final_loss=history[-1].loss if finished else None,
        max_logit=max_logit,
        epochs=record.settings.epochs,
        seconds=record.seconds,
        margin=None if max_logit is None else ONE_LOGIT - max_logit,
        forecast=evidence.forecast,
        autopsy=evidence.autopsy,
        verdict=verdict(evidence, found),
        progress=evidence.progress,
        findings=found,
    )
