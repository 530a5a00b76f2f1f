"""What a training came to, in one line for the terminal."""

import math

from common.english import amount
from diagnosis.records import Outcome

WORDS = ("good", "faulty", "fails", "NaN", "∞", "−∞")


def told(outcomes: list[Outcome], histories: list[list]) -> str:
    """'good, 12,665 of 12,665, test 2,114 of 2,115'; 'NaN at epoch 249: log(1 - yhat)'; of several seeds how many are
    what, the soonest that diverged, and the wrong test images of the others.

    histories: of each outcome its rows of history.
    """
    ended = [_ended(one, history) for one, history in zip(outcomes, histories, strict=True)]
    if len(outcomes) == 1:
        return _one(outcomes[0], ended[0])
    parts = []
    for word in [word for word in WORDS if word in ended]:
        alike = [one for one, its in zip(outcomes, ended, strict=True) if its == word]
        soonest = min(alike, key=lambda one: one.diverged_epoch or 0)
        parts.append(f"{word} {len(alike)} of {len(outcomes)}{_why(soonest, ' first' if len(alike) > 1 else '')}")
    finished = [one for one in outcomes if one.test_correct is not None]
    if finished:
        wrong = amount(sum(one.test_n - one.test_correct for one in finished) / len(finished))
        parts.append(f"test {wrong} of {finished[0].test_n:,} wrong{' on average' if len(finished) > 1 else ''}")
    return "; ".join(parts)


def _ended(one: Outcome, history: list) -> str:
    """Its verdict, or what its loss became; NaN, too, where only the last step broke the weights."""
    if one.status != "diverged":
        return one.verdict
    loss = history[one.diverged_epoch].loss if one.diverged_epoch < len(history) else math.nan
    return "NaN" if math.isnan(loss) else "∞" if loss > 0 else "−∞"


def _one(one: Outcome, ended: str) -> str:
    if one.correct is None:
        return f"{ended}{_why(one)}"
    test = "ŷ NaN" if one.test_correct is None else f"{one.test_correct:,} of {one.test_n:,}"
    return f"{ended}{_why(one)}, {one.correct:,} of {one.n:,}, test {test}"


def _why(one: Outcome, first: str = "") -> str:
    """The epoch and what broke; else the first alarm."""
    if one.status == "diverged":
        culprits = one.autopsy.culprits
        return f"{first} at epoch {one.diverged_epoch}: {culprits[0].expression if culprits else one.autopsy.cause}"
    alarms = [found.kind for found in one.findings if found.alarm]
    return f" ({alarms[0]})" if alarms else ""
