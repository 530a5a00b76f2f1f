"""What became of the models of a variant, in one line for the terminal."""

import math

from common.english import amount, symbol
from records.metrics import Metrics, Outcome


def told(metrics: Metrics, histories: list[list]) -> str:
    """'good, 12,665 of 12,665, test 2,114 of 2,115'; 'diverged at epoch 249, NaN: log(1 - yhat)'; of several models in
    how many of them, the soonest of those, and the wrong test images of all that have an answer.

    histories: of each seed its rows of history.
    """
    alike = [model for model in metrics.seeds if model.word == metrics.word]
    first = min(alike, key=lambda model: model.diverged_epoch or 0)
    why = _why(first, histories[metrics.seeds.index(first)], ", first" if len(alike) > 1 else "")
    parts = [f"{metrics.state}{why}"]
    if len(metrics.seeds) == 1:
        return ", ".join(parts + _counts(first))
    finished = [model for model in metrics.seeds if model.test_correct is not None]
    if finished:
        wrong = amount(sum(model.test_n - model.test_correct for model in finished) / len(finished))
        parts.append(f"test {wrong} of {finished[0].test_n:,} wrong{' on average' if len(finished) > 1 else ''}")
    return "; ".join(parts)


def _counts(model: Outcome) -> list[str]:
    if model.correct is None:
        return []
    test = "ŷ NaN" if model.test_correct is None else f"{model.test_correct:,} of {model.test_n:,}"
    return [f"{model.correct:,} of {model.n:,}", f"test {test}"]


def _why(model: Outcome, history: list, first: str) -> str:
    """The epoch, what the loss became and what broke; else the first alarm."""
    if model.status == "diverged":
        culprits = model.autopsy.culprits
        broke = culprits[0].expression if culprits else model.autopsy.cause
        return f"{first} at epoch {model.diverged_epoch}, {_became(model, history)}: {broke}"
    alarms = [finding.kind for finding in model.findings if finding.alarm]
    return f" ({alarms[0]})" if alarms else ""


def _became(model: Outcome, history: list) -> str:
    """What its loss became; NaN, too, where only the last step broke the weights."""
    loss = history[model.diverged_epoch].loss if model.diverged_epoch < len(history) else math.nan
    return symbol(loss)
