"""Which losses are safe, and at which logits others are not finite: by evaluation, and held against torch."""

import math

import pytest
import torch

from builders.losses import MANUAL_BCE
from builders.training import data, diagnosed, settings
from builders.training import formula as definition
from formulas.float32 import ONE_LOGIT, ZERO_LOGIT
from losses.facts import limits
from losses.sign_chart import sign_chart
from training.loss import Loss, build_loss

SAFE = {
    "BCELoss": ["module", "BCELoss", [], "yhat"],
    "BCEWithLogitsLoss": ["module", "BCEWithLogitsLoss", [], "logits"],
    "epsilon": definition("-mean(y * log(yhat + eps) + (1 - y) * log(1 - yhat + eps))", eps=1e-7),
    "softplus": definition("mean(softplus(logits) - y * logits)"),
    "class mean": definition("sum(y * (1 - yhat)) / sum(y) + sum((1 - y) * yhat) / sum(1 - y)"),
}


@pytest.mark.parametrize("name", SAFE)
def test_safe_loss_is_found_safe(name):
    loss = build_loss(SAFE[name])
    assert not unsafe(loss)
    assert limits(sign_chart(loss)) == {"upper": None, "lower": None}


EDGES = {0: ZERO_LOGIT, 1: ONE_LOGIT}  # the logits at which ŷ becomes exactly 0 and 1


def unsafe(loss: Loss) -> set[tuple[int, int]]:
    """(y, ŷ) for which loss or gradient is not finite just beyond the logit at which ŷ becomes exactly 0 or 1."""
    # A hair beyond, for 24 ln 2 is no float32.
    edges = [(label, yhat, logit * (1 + 1e-6)) for label in sign_chart(loss).labels for yhat, logit in EDGES.items()]
    return {
        (label.label, yhat)
        for label, yhat, logit in edges
        for interval in label.intervals
        if interval.low <= logit <= interval.high and not interval.is_finite
    }


UNSAFE = {
    MANUAL_BCE: {(0, 0), (0, 1), (1, 0), (1, 1)},
    "-mean(log(where(y == 1, yhat, 1 - yhat)))": {(0, 1), (1, 0)},
    "-mean(where(y == 1, log(yhat), log(1 - yhat)))": {(0, 1), (1, 0), (0, 0), (1, 1)},  # its gradient is 0 · inf
    # an epsilon that float32 loses next to 1
    "-mean(y * log(yhat + 1e-9) + (1 - y) * log(1 - (yhat - 1e-9)))": {(0, 1), (1, 1)},
}


@pytest.mark.parametrize("formula", UNSAFE)
def test_answers_that_are_unsafe_are_found_by_evaluation(formula):
    assert unsafe(build_loss(definition(formula))) == UNSAFE[formula]


def test_limit_that_a_run_approaches_is_found_by_evaluation():
    found = limits(sign_chart(build_loss(definition(MANUAL_BCE))))
    assert found["upper"] == pytest.approx(ONE_LOGIT, rel=1e-4)
    assert found["lower"] == pytest.approx(ZERO_LOGIT, rel=1e-4)
    found = limits(sign_chart(build_loss(definition("mean(exp(logits * (1 - 2 * y)) + exp(logits))"))))
    assert found["upper"] == pytest.approx(math.log(torch.finfo(torch.float32).max), rel=1e-4)
    assert found["lower"] is None


def test_sigmoid_becomes_exactly_1_and_0_where_the_derivation_says():
    for logit, value in ((ONE_LOGIT, 1), (ZERO_LOGIT, 0)):
        beyond, before = (torch.full((64, 1), logit * (1 + sign * 1e-6)).sigmoid() for sign in (1, -1))
        assert (beyond == value).all()
        assert (before != value).all()


def test_no_forecast_where_the_loss_holds_its_images_back():
    """PoissonNLLLoss is not finite at logit 88.7, but least at 0 for y = 1, and at -inf for y = 0."""
    poisson = settings(loss_definition=["module", "PoissonNLLLoss", [], "logits"], epochs=60)
    outcome = diagnosed(poisson, data()).outcome
    assert outcome.forecast.epoch is None
    assert "holds its images back" in outcome.forecast.why
