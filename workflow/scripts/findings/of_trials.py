"""Is the learning rate to blame? Found by a training in full at another one."""

from itertools import pairwise

from findings.evidence import Evidence, OtherRate
from findings.finders import finds
from records.metrics import Finding, finding
from training.history import Row

EPS = {"Adam": 1e-8, "AdamW": 1e-8, "NAdam": 1e-8, "RAdam": 1e-8, "Adamax": 1e-8, "RMSprop": 1e-8, "Adagrad": 1e-10}


def rose(history: list[Row]) -> bool:
    """Whether the loss was larger after a step than before it."""
    return any(after.loss > before.loss for before, after in pairwise(history))


def _ends_better(other: OtherRate, evidence: Evidence) -> bool:
    if other.correct is None:
        return False
    return evidence.autopsy is not None or (other.loss < evidence.end.loss and other.correct > evidence.right)


@finds("rate-too-large")
def find_rate_too_large(evidence: Evidence) -> Finding | None:
    other = evidence.other_rate
    if other is None or other.lr > evidence.task.settings["lr"] or not _ends_better(other, evidence):
        return None
    n = len(evidence.y)
    sentence = f"The loss rose after a step; at a tenth of the learning rate, {other.lr:g}, tried in full, "
    sentence += f"{other.correct:,} of {n:,} images are right in the end."
    facts = {"value": other.lr, "against": evidence.task.settings["lr"], "count": other.correct, "of": n}
    return finding("rate-too-large", sentence, **facts)


@finds("slow")
def find_slow(evidence: Evidence) -> Finding | None:
    name, arguments = evidence.task.settings["optimizer"]
    eps = dict(arguments).get("eps", EPS.get(name, 0))
    largest = max(gradient.abs().max().item() for gradient in evidence.first_gradients)
    learned_little = evidence.progress is not None and evidence.progress < 0.5
    if learned_little and 0 < largest < eps / 10:
        sentence = (
            f"The largest gradient before the first step is {largest:.3g}, far below the eps of {name}, {eps:g}, "
        )
        sentence += "which is added to what a step is divided by: every step is that much shorter."
        return finding("slow", sentence, value=largest, against=eps)
    other = evidence.other_rate
    if other is None or other.lr < evidence.task.settings["lr"] or other.rose or not _ends_better(other, evidence):
        return None
    n = len(evidence.y)
    sentence = f"At ten times the learning rate, {other.lr:g}, tried in full, the loss never rises and "
    sentence += f"{other.correct:,} of {n:,} images are right in the end."
    facts = {"value": other.lr, "against": evidence.task.settings["lr"], "count": other.correct, "of": n}
    return finding("slow", sentence, **facts)
