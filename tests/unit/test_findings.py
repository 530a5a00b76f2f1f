"""Does it train well? The verdict and the findings, each kind on a case that has it and beside one that has not."""

import subprocess
import sys

import pytest
import torch

from builders.places import ROOT
from builders.training import LOGITS, changed, diagnosed, formula, healthy, positive, settings
from findings import findings  # noqa: F401 (which registers the finders)
from findings.catalogue import _KINDS, CATALOGUE
from findings.finders import FINDERS
from findings.of_run import _slope
from losses.constant import constant_answers
from losses.one_image import OneImage, one_image
from records.metrics import Finding, Outcome
from reporting.page import gradient
from training.loss import build_loss


def outcome(loss=LOGITS, parts=None, **changes) -> Outcome:
    changes = {"lr": 0.01, "epochs": 30} | changes
    return diagnosed(settings(loss_definition=loss, **changes), parts or healthy()).outcome


def found(*args, **changes) -> dict[str, Finding]:
    return {finding.kind: finding for finding in outcome(*args, **changes).findings}


def test_every_kind_of_the_catalogue_has_one_finder():
    assert len(_KINDS) == len(CATALOGUE)
    assert set(FINDERS) == set(CATALOGUE)  # a second finder of a kind is refused when it is registered


def test_catalogue_is_read_without_torch_and_numpy():
    program = "import sys, findings.catalogue; print(*{'torch', 'numpy'} & set(sys.modules))"
    command = [sys.executable, "-c", program]
    result = subprocess.run(command, cwd=ROOT / "workflow/scripts", capture_output=True, text=True, check=True)
    assert result.stdout.strip() == ""


def test_healthy_training_is_good_and_without_an_alarm():
    result = outcome()
    assert result.verdict == "good"
    assert not [finding for finding in result.findings if finding.alarm]
    assert 0.9 < result.progress <= 1


def test_diverged_training_fails_and_has_no_progress():
    result = outcome(formula("mean(log(yhat - 1))"))
    assert (result.verdict, result.progress) == ("fails", None)
    kinds = {finding.kind: finding for finding in result.findings}
    assert (kinds["diverged"].epoch, kinds["diverged"].sentence) == (0, result.autopsy.sentence)


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


def test_exact_gradient_of_a_far_logit_is_told_only_where_it_has_settled():
    """Beyond logits of ±512 exact numbers are not to be had."""
    assert 0 < abs(_slope(image_of("mean((yhat - y) ** 2)"), 1.0, -600.0)) < 1e-100
    assert _slope(image_of("-mean(log(yhat) * y + (1 - y) * log(1 - yhat))"), 0.0, 1e6) == pytest.approx(1)
    assert _slope(image_of("mean((logits - y) ** 2)"), 0.0, 1e6) is None
    assert _slope(image_of("mean((logits - y) ** 2)"), 0.0, 500.0) == pytest.approx(1000)
    assert [gradient(one) for one in (1.0, -0.25, 4.4e-216, "inf")] == [
        "0, not 1",
        "0, not −0.25",
        "about 0",
        "0, not ∞",
    ]


def test_exact_gradient_is_that_of_a_data_set_with_both_classes():
    """Of the image alone, sum(1 - y) would be 0 for y = 1, and its gradient 0 / 0."""
    class_means = image_of("sum(y * (1 - yhat)) / sum(y) + sum((1 - y) * yhat) / sum(1 - y)")
    assert [_slope(class_means, y, 0.0) for y in (0.0, 1.0)] == [0.25, -0.25]


def image_of(text: str) -> OneImage:
    return one_image(build_loss(formula(text)))


def test_class_without_a_gradient_is_found_beside_logits_at_which_the_loss_is_nan():
    """0 · log 0 is NaN far out; the images of y = 0 are ignored all the same."""
    assert found(formula("-mean(y * log(yhat))"), epochs=60)["ignores-class"].labels == [0]


def test_wrong_sign_stands_before_the_nan_that_it_leads_to():
    result = outcome(formula("mean(y * log(yhat) + (1 - y) * log(1 - yhat))"), epochs=400, lr=0.05)
    assert result.status == "diverged"
    assert [finding.kind for finding in result.findings][:2] == ["wrong-way", "diverged"]


def test_model_that_learned_little_is_not_good():
    held_back = outcome(optimizer=["Adam", [["weight_decay", 10.0]]])
    assert (held_back.verdict, held_back.findings[0].kind) == ("faulty", "little-progress")
    assert held_back.findings[0].value == held_back.progress < 0.5


def test_momentum_that_is_dampened_away_is_no_alarm():
    assert "momentum" not in found(optimizer=["SGD", [["momentum", 1.0], ["dampening", 1.0]]], epochs=3)


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


def test_stuck_images_are_counted_and_shown_with_the_gradient_that_they_should_have():
    parts = changed(lambda parts: parts["x_train"].mul_(300))
    result = outcome(["module", "BCELoss", [], "yhat"], parts, epochs=1, lr=1e-7)
    stuck = next(finding for finding in result.findings if finding.kind == "stuck-images")
    wrong = result.n - result.correct
    assert 0 < stuck.count <= stuck.of == wrong
    assert len(stuck.images) == len(stuck.exact) == stuck.count
    for image, slope in zip(stuck.images, stuck.exact, strict=True):
        assert slope == pytest.approx(-1 if parts["y_train"][image] else 1, abs=1e-6)


def test_dead_layer_says_since_when_and_the_weights_come_back_for_ever():
    result = outcome(LOGITS, changed(positive), optimizer=["SGD", []], lr=10.0, epochs=300)
    kinds = {finding.kind: finding for finding in result.findings}
    assert (kinds["dead-layer"].alarm, kinds["dead-layer"].layers) == (True, [8.0])
    assert 0 < kinds["dead-layer"].epoch < 10
    assert kinds["cycle"].period == 2
    assert kinds["cycle"].alarm
    assert result.verdict == "fails"
    assert result.findings[0].kind == "dead-layer"


def test_dead_units_are_a_fact_and_no_alarm():
    finding = found(hidden=[60, 40, 30, 20, 10])["dead-units"]
    assert finding.count == sum(finding.layers)
    assert not finding.alarm


@pytest.mark.parametrize(("weight_decay", "word"), [(10.0, "wipes"), (15.0, "flips"), (30.0, "grow")])
def test_decay_is_told_by_its_factor(weight_decay, word):
    finding = found(optimizer=["SGD", [["weight_decay", weight_decay]]], lr=0.1, epochs=5)["decay"]
    assert finding.factor == pytest.approx(1 - 0.1 * weight_decay)
    assert word in finding.sentence


def test_momentum_of_one_and_more_is_an_alarm():
    assert found(optimizer=["SGD", [["momentum", 1.0]]], epochs=3)["momentum"].factor == 1
    assert "momentum" not in found(optimizer=["SGD", [["momentum", 0.99]]], epochs=3)


def test_loss_above_its_start_is_told():
    kinds = found(formula("mean((logits - y) ** 2)"), optimizer=["SGD", []], lr=0.05, epochs=2)
    finding = kinds["worse-than-start"]
    assert finding.value > finding.against


def test_bad_start_is_a_fact_and_no_alarm():
    parts = changed(lambda parts: parts["x_train"].mul_(50))
    finding = found(LOGITS, parts)["bad-start"]
    assert not finding.alarm
    assert finding.value >= 2 * finding.against
    assert finding.against == pytest.approx(0.6931, abs=1e-3)
    assert "bad-start" not in found()


def test_vanishing_gradient_is_told_by_the_bits_that_moved():
    deep = {"hidden": [16] * 8, "activation": ["Sigmoid", []], "optimizer": ["SGD", []], "lr": 0.1, "epochs": 10}
    finding = found(**deep)["vanishing"]
    assert finding.value < 0.5
    assert finding.layers[-1] > 0.9
    assert len(finding.layers) == 9
    assert "vanishing" not in found(**deep | {"hidden": [16]})


def test_no_step_is_unchanged():
    result = outcome(optimizer=["SGD", []], lr=1e-14)
    assert "unchanged" in {finding.kind for finding in result.findings}
    assert result.verdict != "good"


def test_gradient_below_eps_is_slow():
    finding = found(formula("1e-12 * mean(softplus(logits) - y * logits)"))["slow"]
    assert finding.value < finding.against == 1e-8


def test_overfit_needs_a_risen_test_loss_and_more_errors_than_in_training():
    generator = torch.Generator().manual_seed(1)

    def noise(parts):
        parts["y_train"] = (torch.rand(60, 1, generator=generator) < 0.5).float()
        parts["y_test"] = (torch.rand(40, 1, generator=generator) < 0.5).float()

    finding = found(LOGITS, changed(noise, 60, 40), epochs=600)["overfit"]
    assert finding.alarm
    assert finding.value > finding.against
    assert "overfit" not in found(epochs=200)


def test_equal_and_conflicting_images_are_told():
    kinds = found(LOGITS, changed(lambda parts: parts["x_train"].zero_()))
    assert kinds["equal-images"].labels == [0, 1]
    assert "conflicting-images" not in kinds

    def one_class(parts):
        parts["x_train"][:30] = 1.0

    assert found(LOGITS, changed(one_class))["equal-images"].labels == [0]

    def three_copies(parts):
        parts["x_train"][40] = parts["x_train"][41] = parts["x_train"][5]

    finding = found(LOGITS, changed(three_copies))["conflicting-images"]
    assert (finding.count, finding.of, finding.against) == (3, 60, 59)
    assert not {"equal-images", "conflicting-images"} & set(found())


def test_negative_zero_is_zero_when_images_are_compared():
    def signs(parts):
        parts["x_train"][:] = 0.0
        parts["x_train"][::2] = -0.0

    assert found(LOGITS, changed(signs))["equal-images"].count == 60


def test_test_images_beyond_the_training_images_are_told():
    def broken(parts):
        parts["x_test"][3, 100] = torch.inf

    finding = found(LOGITS, changed(broken))["test-pixels"]
    assert (finding.alarm, finding.count, finding.pixels) == (True, 1, [100])

    def far(parts):
        parts["x_test"][3:5, 7] = 1e4

    finding = found(LOGITS, changed(far))["test-pixels"]
    assert (finding.alarm, finding.count, finding.pixels) == (False, 2, [7])


def test_pixels_without_influence_are_told():
    finding = found(LOGITS, changed(lambda parts: parts["x_train"].mul_(1e-30)))["no-influence"]
    assert finding.alarm
    assert "no-influence" not in found()


def test_imbalance_is_an_alarm_where_the_rare_class_is_mostly_wrong():
    def rare(parts):
        parts["y_train"][:] = 1.0
        parts["y_train"][:3] = 0.0

    finding = found(LOGITS, changed(rare), epochs=1, lr=1e-6)["imbalance"]
    assert (finding.count, finding.of, finding.labels) == (3, 60, [0])
    assert finding.alarm is (finding.value < 0.5)


def test_best_single_answer_is_the_share_of_the_classes():
    y = torch.tensor([[0.0]] * 3 + [[1.0]])
    entropy = -(0.25 * torch.tensor(0.25).log() + 0.75 * torch.tensor(0.75).log()).item()
    found = constant_answers(build_loss(LOGITS), y)
    assert found.constant == pytest.approx(entropy, rel=1e-6)
    assert found.coin == pytest.approx(0.693147, rel=1e-5)
    assert found.floor == pytest.approx(0, abs=1e-9)
    summed = constant_answers(build_loss(formula("sum((yhat - y) ** 2)")), y)
    assert (summed.coin, summed.constant) == (1, pytest.approx(4 * 0.25 * 0.75, rel=1e-6))


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
