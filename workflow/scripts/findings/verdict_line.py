"""What a training came to, in one line for the terminal."""

import math

from common.english import amount, symbol
from records.metrics import Metrics, Outcome


def told(metrics: Metrics, histories: list[list]) -> str:
    """'good, 12,665 of 12,665, test 2,114 of 2,115'; 'diverged at epoch 249, NaN: log(1 - yhat)'; of several models in
    how many of them, the soonest of those, and the wrong test images of all that have an answer.

    histories: of each seed its rows of history.
    """
    alike = [one for one in metrics.seeds if one.word == metrics.word]
    first = min(alike, key=lambda one: one.diverged_epoch or 0)
    why = _why(first, histories[metrics.seeds.index(first)], "first " if len(alike) > 1 else "")
    parts = [f"{metrics.state}{why}"]
    if len(metrics.seeds) == 1:
        return ", ".join(parts + _counts(first))
    finished = [one for one in metrics.seeds if one.test_correct is not None]
    if finished:
        wrong = amount(sum(one.test_n - one.test_correct for one in finished) / len(finished))
        parts.append(f"test {wrong} of {finished[0].test_n:,} wrong{' on average' if len(finished) > 1 else ''}")
    return "; ".join(parts)


def _counts(one: Outcome) -> list[str]:
    if one.correct is None:
        return []
    test = "ŷ NaN" if one.test_correct is None else f"{one.test_correct:,} of {one.test_n:,}"
    return [f"{one.correct:,} of {one.n:,}", f"test {test}"]


def _why(one: Outcome, history: list, first: str) -> str:
    """The epoch, what the loss became and what broke; else the first alarm."""
    if one.status == "diverged":
        culprits = one.autopsy.culprits
        broke = culprits[0].expression if culprits else one.autopsy.cause
        return f" {first}at epoch {one.diverged_epoch}, {_became(one, history)}: {broke}"
    alarms = [found.kind for found in one.findings if found.alarm]
    return f" ({alarms[0]})" if alarms else ""


def _became(one: Outcome, history: list) -> str:
    """What its loss became; NaN, too, where only the last step broke the weights."""
    loss = history[one.diverged_epoch].loss if one.diverged_epoch < len(history) else math.nan
    return symbol(loss)
