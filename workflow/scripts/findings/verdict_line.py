"""What became of the models of a variant, in one line for the terminal."""

import math

from common.english import amount, symbol
from records.metrics import Autopsy, Metrics, Outcome

# The page's, in few words.
BROKE = {
    "loss": "the loss",
    "gradient": "the gradient was beyond float32",
    "step": "a step was too large",
    "network": "weights or logits grew too large",
    "normalization": "the pixels are not finite, or too large",
    "optimizer": "a division or root of the optimizer's own",
    "decay": "the weight decay makes weights grow",
    "momentum": "the momentum makes steps grow",
    "device": "the accelerator's arithmetic",
}


def told(metrics: Metrics, histories: list[list]) -> str:
    """'good, 12,665 of 12,665, test 2,114 of 2,115'; 'diverged at epoch 249, NaN: log(1 - yhat)'; of several models in
    how many of them, the soonest of those, and the wrong test images of all that have an answer.

    histories: of each seed its rows of history.
    """
    alike = [model for model in metrics.seeds if model.word == metrics.word]
    first = min(alike, key=lambda model: model.diverged_epoch or 0)
    comma = ", first" if len(alike) > 1 else "," if len(metrics.seeds) > 1 else ""
    why = _why(first, histories[metrics.seeds.index(first)], comma)
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


def _why(model: Outcome, history: list, comma: str) -> str:
    """The epoch, what the loss became and what broke; else the first alarm."""
    if model.status == "diverged":
        return f"{comma} at epoch {model.diverged_epoch:,}, {_became(model, history)}: {_broke(model.autopsy)}"
    alarms = [finding.kind for finding in model.findings if finding.alarm]
    return f" ({alarms[0]})" if alarms else ""


def _broke(autopsy: Autopsy) -> str:
    """The sub-expression, where one is to blame."""
    expression = autopsy.culprits[0].expression if autopsy.culprits else ""
    if not expression or autopsy.cause not in ("loss", "gradient"):
        return BROKE[autopsy.cause]
    return expression if autopsy.cause == "loss" else f"the derivative of {expression}"


def _became(model: Outcome, history: list) -> str:
    """What its loss became; NaN, too, where only the last step broke the weights."""
    loss = history[model.diverged_epoch].loss if model.diverged_epoch < len(history) else math.nan
    return symbol(loss)
