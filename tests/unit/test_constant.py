"""The best answer that is the same for all images, and the progress beyond it."""

import pytest
import torch

from builders.findings import outcome
from builders.training import LOGITS, formula
from losses.constant import constant_answers
from training.loss import build_loss


def test_best_single_answer_is_the_share_of_the_classes():
    y = torch.tensor([[0.0]] * 3 + [[1.0]])
    entropy = -(0.25 * torch.tensor(0.25).log() + 0.75 * torch.tensor(0.75).log()).item()
    found = constant_answers(build_loss(LOGITS), y)
    assert found.constant == pytest.approx(entropy, rel=1e-6)
    assert found.coin == pytest.approx(0.693147, rel=1e-5)
    assert found.floor == pytest.approx(0, abs=1e-9)
    summed = constant_answers(build_loss(formula("sum((yhat - y) ** 2)")), y)
    assert (summed.coin, summed.constant) == (1, pytest.approx(4 * 0.25 * 0.75, rel=1e-6))


@pytest.mark.parametrize(
    "text", ["mean((1 - 2 * y) * exp(99 * abs(logits)))", "sum(exp(minimum(99 * abs(logits), 709.7)) + 0 * y)"]
)
def test_answers_beyond_what_float64_holds_warn_of_nothing(text, recwarn):
    """A warning would stand on the terminal."""
    y = torch.tensor([[0.0]] * 3 + [[1.0]])
    constant_answers(build_loss(formula(text)), y)
    assert not recwarn.list


@pytest.mark.parametrize("text", ["sum(y * (1 - yhat)) / sum(y) + sum((1 - y) * yhat) / sum(1 - y)", "mean(yhat) ** 2"])
def test_answers_of_a_loss_that_is_no_plain_mean_are_those_of_all_images(text):
    y = torch.tensor([[0.0]] * 3 + [[1.0]])
    loss = build_loss(formula(text))
    found = constant_answers(loss, y)
    grid = [loss(y, z.sigmoid(), z).item() for z in (torch.full_like(y, logit / 8) for logit in range(-160, 161))]
    assert found.constant <= min(grid) + 1e-6
    assert found.constant == pytest.approx(min(grid), abs=1e-3)


def test_unbounded_loss_has_no_best_single_answer():
    result = outcome(formula("mean((1 - 2 * y) * logits)"), epochs=40)
    assert result.progress is None
    assert "no-better-than-constant" not in {finding.kind for finding in result.findings}


def test_progress_is_null_where_the_best_answers_gain_no_more_than_rounding():
    """L* and L∞ of these differ by what their own sums, or float32 means, round away."""
    for text in (
        "-mean(y * yhat * (1 - y) * (1 - yhat))",
        "mean(relu(-(2 * y - 1) * logits))",
        "mean(abs(logits - 0.3) ** 1.5) + mean(relu(-(2 * y - 1) * (logits - 0.3)))",
        "mean(abs(logits - 0.3) + 0 * y)",
        "mean((yhat - y) ** 2) * 1e-9 + 1000",
    ):
        assert outcome(formula(text), epochs=3).progress is None, text
    assert outcome(formula("1e-9 * mean((yhat - y) ** 2)"), epochs=3).progress is not None
