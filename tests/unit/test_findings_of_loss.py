"""The findings that a loss alone decides, each kind on a case that has it and beside one that has not."""

import pytest

from builders.findings import found, outcome
from builders.training import formula

# formula, optimizer, lr, epochs: kinds that must be found, and whether they are an alarm
OF_LOSSES = {
    "the wrong sign": ("mean(y * log(yhat + 1e-7) + (1 - y) * log(1 - yhat + 1e-7))", {"wrong-way": True}),
    "labels 0 and 1 in a hinge for -1 and 1": ("mean(relu(1 - y * logits))", {"ignores-class": True}),
    "a clamp beyond ŷ": ("mean(clamp(yhat, 2, 3)) + mean(0 * y)", {"no-gradient": True, "unchanged": True}),
    "no y": ("mean(yhat ** 2)", {"ignores-labels": True, "one-class": True}),
    "a squared error on logits": ("mean((logits - y) ** 2)", {"border-optimum": True}),
    "a logit that nothing holds back": (
        "mean(minimum(softplus(logits), 0.1) - y * logits)",
        {"unbounded": True, "one-class": True},
    ),
    "a margin": ("mean(softplus(logits) - y * logits) + 0.5", {"floor": False}),
    "a ratio of means": ("mean((yhat - y) ** 2) / mean(yhat + 1)", {"not-per-image": False}),
    "flat at the start": ("mean(relu(abs(yhat - y) - 0.9))", {"frozen": None, "unchanged": None}),
}


@pytest.mark.parametrize("name", OF_LOSSES)
def test_kind_of_a_loss_is_found_by_its_chart(name):
    text, expected = OF_LOSSES[name]
    kinds = found(formula(text), epochs=150, lr=0.05)
    for kind, alarm in expected.items():
        if alarm is not None:
            assert kinds[kind].alarm is alarm, kinds
    well = found()
    assert not set(expected) & set(well)


@pytest.mark.parametrize(
    ("text", "sentence", "labels"),
    [
        (
            "-mean(y * log(yhat) + (1 - y) * log(1 - yhat) + yhat * log(y) + (1 - yhat) * log(1 - y))",
            "The loss of an image of 0 and 1 is not finite, whatever the answer: `log(y)` is −∞ for 0, `log(1 - y)` is"
            " −∞ for 1.",
            [0, 1],
        ),
        (
            "mean(softplus(logits) + sqrt(y - 1))",
            "The loss of an image of 0 is not finite, whatever the answer: `sqrt(y - 1)` is NaN.",
            [0],
        ),
    ],
)
def test_loss_that_is_finite_at_no_logit_is_one_finding_with_its_sub_expression(text, sentence, labels):
    kinds = found(formula(text))
    assert (kinds["never-finite"].sentence, kinds["never-finite"].labels) == (sentence, labels)
    assert not {"border-optimum", "floor", "unbounded"} & set(kinds)
    assert "never-finite" not in found(formula("mean(softplus(logits) - y * logits)"))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "mean(relu(1 + (2 * y - 1) * logits))",
            "The best logit of a 0 is 1 or more, on the other side; the best logit of a 1 is −1 or less, on the other"
            " side.",
        ),
        ("mean((logits - y) ** 2)", "The best logit of a 0 is 0, the border itself, where ŷ is a half."),
        # Of a kink at 0, whose right end float32 finds at 1.4e-45.
        (
            "mean(abs(logits) + y * softplus(-3 * logits))",
            "The best logit of a 0 is 0, the border itself, where ŷ is a half.",
        ),
        (
            "mean((logits + 2 * y - 1) ** 2)",
            "The best logit of a 0 is 1, on the other side; the best logit of a 1 is −1, on the other side.",
        ),
        (
            "mean(relu(abs(logits - 3) - 2) * (1 - y) + y * softplus(-logits))",
            "The best logits of a 0 are 1 to 5, on the other side.",
        ),
    ],
)
def test_best_logits_on_the_other_side_are_named_by_the_end_nearest_to_the_border(text, sentence):
    assert found(formula(text), epochs=2)["border-optimum"].sentence == sentence


def test_class_without_a_gradient_is_found_beside_logits_at_which_the_loss_is_nan():
    """0 · log 0 is NaN far out; the images of y = 0 are ignored all the same."""
    assert found(formula("-mean(y * log(yhat))"), epochs=60)["ignores-class"].labels == [0]


def test_wrong_sign_stands_before_the_nan_that_it_leads_to():
    result = outcome(formula("mean(y * log(yhat) + (1 - y) * log(1 - yhat))"), epochs=400, lr=0.05)
    assert result.status == "diverged"
    assert [finding.kind for finding in result.findings][:2] == ["wrong-way", "diverged"]


def test_hinge_ignores_the_right_class_and_freezes():
    result = outcome(formula("mean(relu(1 - y * logits))"), epochs=150)
    kinds = {finding.kind: finding for finding in result.findings}
    assert kinds["ignores-class"].labels == [0]
    assert result.verdict == "fails"
    assert kinds["frozen"].epoch > 0
    assert kinds["frozen"].count == kinds["stuck-images"].count == result.n - result.correct


def test_unbounded_loss_is_no_alarm_while_the_model_is_right():
    finding = found(formula("mean((1 - 2 * y) * logits)"), epochs=40)["unbounded"]
    assert (finding.alarm, finding.labels) == (False, [0, 1])
