"""Is the learning rate to blame? Found by training again, in full, at another one."""

from itertools import pairwise

from diagnosis.evidence import Evidence, Task, Trial
from diagnosis.kinds import kind
from diagnosis.records import Finding, finding
from training.history import Row, count_correct
from training.loop import loss_and_wrong, train
from training.network import build_network
from training.optimizer import build_optimizer
from training.repeats import Repeats

# What another learning rate cannot mend: the loss itself, the pixels, other settings.
NO_RATE_HELPS = {
    "wrong-way",
    "ignores-class",
    "ignores-labels",
    "no-gradient",
    "unbounded",
    "equal-images",
    "conflicting-images",
    "no-influence",
    "decay",
    "momentum",
}
EPS = {"Adam": 1e-8, "AdamW": 1e-8, "NAdam": 1e-8, "RAdam": 1e-8, "Adamax": 1e-8, "RMSprop": 1e-8, "Adagrad": 1e-10}


def rose(history: list[Row]) -> bool:
    """Whether the loss was larger after a step than before it."""
    return any(after.loss > before.loss for before, after in pairwise(history))


def rate_to_try(evidence: Evidence, findings: list[Finding]) -> float | None:
    """The learning rate at which another training would tell something: a tenth where the loss rose after a step, ten
    times as much where it never did; None where the model is good, or its rate cannot be to blame."""
    alarms = {finding.kind for finding in findings if finding.alarm}
    if not alarms - {"will-diverge"} or alarms & NO_RATE_HELPS:
        return None
    if evidence.autopsy and evidence.autopsy.cause not in ("network", "step"):
        return None
    factor = 0.1 if evidence.autopsy or rose(evidence.run.history) else 10
    return float(f"{evidence.task.settings['lr'] * factor:.6g}")


def try_rate(task: Task, seed: int, lr: float) -> Trial:
    """Train a seed from the start, in full, at another learning rate."""
    settings, x, y = task.settings, task.data["x_packed"], task.data["y_train"]
    network = build_network(task.data["x_train"].shape[1], settings["hidden"], settings["activation"], seed)
    optimizer = build_optimizer(settings["optimizer"], lr, network.parameters())
    run = train(network, optimizer, task.loss, x, y, settings["epochs"], Repeats(network, settings["optimizer"]))
    correct = None if run.diverged_epoch is not None else count_correct(run.yhat, y)
    return Trial(lr=lr, loss=loss_and_wrong(network, task.loss, x, y)[0], correct=correct, rose=rose(run.history))


def _ends_better(trial: Trial, evidence: Evidence) -> bool:
    if trial.correct is None:
        return False
    return evidence.autopsy is not None or (trial.loss < evidence.end.loss and trial.correct > evidence.right)


@kind(
    "rate-too-large",
    means="the loss rose after a step, and a tenth of the learning rate, tried in full, ends better",
    why="each step goes beyond the valley that it aims at",
    helps="the learning rate that was tried",
)
def rate_too_large(evidence: Evidence) -> Finding | None:
    trial = evidence.trial
    if trial is None or trial.lr > evidence.task.settings["lr"] or not _ends_better(trial, evidence):
        return None
    n = len(evidence.y)
    sentence = f"The loss rose after a step; at a tenth of the learning rate, {trial.lr:g}, tried in full, "
    sentence += f"{trial.correct:,} of {n:,} images are right in the end."
    facts = {"value": trial.lr, "against": evidence.task.settings["lr"], "count": trial.correct, "of": n}
    return finding("rate-too-large", sentence, **facts)


@kind(
    "slow",
    means="ten times the learning rate, tried in full, ends better, and its loss never rises; or all gradients are far "
    "below the optimizer's eps, which then shortens each step",
    why="steps too short for the epochs that they are given",
    helps="the learning rate that was tried, or more epochs; a loss that is not scaled down",
)
def slow(evidence: Evidence) -> Finding | None:
    name, arguments = evidence.task.settings["optimizer"]
    eps = dict(arguments).get("eps", EPS.get(name, 0))
    largest = max(gradient.abs().max().item() for gradient in evidence.start.gradients)
    learned_little = evidence.progress is not None and evidence.progress < 0.5
    if learned_little and 0 < largest < eps / 10:
        sentence = (
            f"The largest gradient before the first step is {largest:.3g}, far below the eps of {name}, {eps:g}, "
        )
        sentence += "which is added to what a step is divided by: every step is that much shorter."
        return finding("slow", sentence, value=largest, against=eps)
    trial = evidence.trial
    if trial is None or trial.lr < evidence.task.settings["lr"] or trial.rose or not _ends_better(trial, evidence):
        return None
    n = len(evidence.y)
    sentence = f"At ten times the learning rate, {trial.lr:g}, tried in full, the loss never rises and "
    sentence += f"{trial.correct:,} of {n:,} images are right in the end."
    facts = {"value": trial.lr, "against": evidence.task.settings["lr"], "count": trial.correct, "of": n}
    return finding("slow", sentence, **facts)
