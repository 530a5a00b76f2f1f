"""The findings that a loss alone decides, each kind on a case that has it and beside one that has not."""

import pytest
import torch

from builders.findings import found, outcome
from builders.training import changed, data, formula, positive
from findings.of_loss import _best_border
from losses.blindness import is_blind_to_labels, is_blind_to_shift
from losses.facts import logit_text
from losses.sign_chart import sign_chart
from training.loss import build_loss

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
            "The loss of an image of 0 or of 1 is not finite, whatever the answer: `log(y)` is −∞ for 0, `log(1 - y)`"
            " is −∞ for 1.",
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


def clear() -> dict:
    """Two clouds that hardly touch."""
    return changed(lambda parts: [parts[f"x_{part}"].add_(3 * parts[f"y_{part}"]) for part in ("train", "test")])


def test_unbounded_loss_is_no_alarm_while_the_model_is_right():
    finding = found(formula("mean(softplus(minimum(logits, 80)) - y * logits)"), clear())["unbounded"]
    assert (finding.alarm, finding.labels) == (False, [1])


def test_unbounded_loss_under_which_answers_stay_poor_is_an_alarm():
    """13 of 40 test images are wrong, where the cross-entropy gets 6 wrong."""
    assert found(formula("mean((1 - 2 * y) * logits)"), epochs=40)["unbounded"].alarm


RANKED = "softplus(sum((1 - y) * logits) / sum(1 - y) - sum(y * logits) / sum(y))"


def test_loss_of_differences_alone_leaves_the_border_to_chance():
    wide = {"hidden": [16], "epochs": 60, "lr": 0.01}
    fact = found(formula(RANKED), clear(), **wide)["blind-to-shift"]
    # Pixels that are all above 0 push every logit to one side.
    alarm = found(formula(RANKED), changed(positive), **wide)["blind-to-shift"]
    assert "blind-to-shift" not in found()
    assert alarm.alarm and alarm.count < alarm.against
    assert f", and {alarm.against} would be with the border at logit {logit_text(alarm.value)}." in alarm.sentence
    assert not fact.alarm and "with the border" not in fact.sentence


@pytest.mark.parametrize(
    ("text", "to_shift", "to_labels"),
    [
        ("mean(relu(12 - (2 * y - 1) * logits))", False, False),  # a straight line near 0
        ("mean(relu(5000 - (2 * y - 1) * logits))", False, False),
        ("log(sum(exp(logits))) - log(sum(y * exp(logits)))", True, False),  # where float64 has numbers
        (RANKED, True, False),
        ("-mean((2 * y - 1) * logits)", True, False),  # of as many images of one class as of the other
        ("(mean(yhat) - mean(y)) ** 2", False, True),
        ("mean(yhat ** 2)", False, True),
        ("mean(softplus(logits) - y * logits)", False, False),
        ("1e-30 * mean(softplus(logits) - y * logits)", False, False),
        ("mean(clamp(yhat, 2, 3))", False, False),  # which depends on no answer at all
        ("mean(log(yhat - 1))", False, False),
    ],
)
def test_what_a_loss_cannot_tell_apart_is_found_by_asking_it(text, to_shift, to_labels):
    loss, y = build_loss(formula(text)), (torch.arange(40) >= 20).float().unsqueeze(1)
    assert (is_blind_to_shift(loss, y), is_blind_to_labels(loss, y)) == (to_shift, to_labels)
    if text.startswith("-mean"):
        assert not is_blind_to_shift(loss, y[:30])


def test_loss_of_the_labels_mean_alone_ignores_labels():
    finding = found(formula("(mean(yhat) - mean(y)) ** 2"))["ignores-labels"]
    assert finding.sentence == (
        "The loss stays the same whichever images have which label: only how many there are of each counts."
    )


def test_best_border_is_that_of_all_borders():
    generator = torch.Generator().manual_seed(0)
    for _ in range(50):
        logits = torch.randint(-4, 5, (30,), generator=generator).float()
        is_one = torch.rand(30, generator=generator) < 0.5
        border, right = _best_border(logits, is_one)
        borders = [-5.0, *(place + 0.5 for place in range(-5, 5))]
        assert int(right.sum()) == max(int(((logits > one) == is_one).sum()) for one in borders)
        assert torch.equal(right, (logits > border) == is_one)


def test_class_that_hardly_counts_is_named_where_the_wrong_images_are_of_it():
    heavy = ["module", "BCEWithLogitsLoss", [["pos_weight", 1e4]], "logits"]
    finding = found(heavy, data(200, 50), epochs=15)["unequal-weights"]
    assert finding.alarm and finding.labels == [0]
    assert finding.factor == pytest.approx(1e4)
    assert finding.sentence.startswith("At logit 0 an image of 1 pulls 10,000 times as hard as one of 0; ")
    assert finding.count == finding.of > 10
    # Of a border that lies beside 0 the slopes there say nothing: elsewhere the images pull alike.
    assert "unequal-weights" not in found(formula("mean((logits - y + 0.02) ** 2)"))
    # Where no image is wrong it is a fact; up to ten times as hard it is none.
    assert not found(heavy, clear(), epochs=300)["unequal-weights"].alarm
    assert "unequal-weights" not in found(["module", "BCEWithLogitsLoss", [["pos_weight", 10.0]], "logits"])


def test_even_loss_is_as_well_off_on_either_side():
    kinds = found(formula("mean((1 - y) * logits ** 2 + y * relu(2 - abs(logits)) ** 2)"))
    assert kinds["border-optimum"].sentence == (
        "The best logit of a 0 is 0, the border itself, where ŷ is a half; a 1 is as well off at −2 as at +2."
    )
    kinds = found(formula("mean(y * exp(-abs(logits)) + (1 - y) * softplus(logits))"))
    assert kinds["border-optimum"].sentence == "A 1 is as well off far on the other side as on its own."


@pytest.mark.parametrize("term", ["- 1 / mean(y)", "+ log(mean(y) - 0.5)", "- sum(y) ** 2", "+ 3 / mean(1 - y)"])
def test_term_of_the_labels_alone_is_no_images_loss(term):
    plain, with_it = (
        sign_chart(build_loss(formula(f"mean(softplus(logits) - y * logits) {end}"))) for end in ("", term)
    )
    assert plain == with_it
    taken_away = sign_chart(build_loss(formula("1 / mean(y) - mean(y * logits - softplus(logits))")))
    assert taken_away.labels[0].infimum == plain.labels[0].infimum
    number = sign_chart(build_loss(formula("mean(softplus(logits) - y * logits) + 3")))
    assert float(number.labels[0].infimum.value) == 3
