"""What is found about a training of two clouds of points."""

from builders.training import LOGITS, diagnosed, healthy, settings
from records.metrics import Finding, Outcome


def outcome(loss=LOGITS, parts=None, **changes) -> Outcome:
    changes = {"lr": 0.01, "epochs": 30} | changes
    return diagnosed(settings(loss_definition=loss, **changes), parts or healthy()).outcome


def found(*args, **changes) -> dict[str, Finding]:
    return {finding.kind: finding for finding in outcome(*args, **changes).findings}
