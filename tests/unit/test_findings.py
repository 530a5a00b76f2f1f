"""Does it train well? The catalogue, the verdict, and the findings about a run, each kind with and without its case."""

import subprocess
import sys
from types import SimpleNamespace

import pytest
import torch

from builders.findings import found, outcome
from builders.places import ROOT
from builders.training import LOGITS, changed, formula, positive
from findings import findings  # noqa: F401 (which registers the finders)
from findings.catalogue import CATALOGUE
from findings.causes import CAUSE_KINDS
from findings.evidence import Evidence, State
from findings.finders import FINDERS
from findings.of_run import _slope
from findings.symptoms import SYMPTOM_KINDS
from losses.one_image import OneImage, one_image
from reporting.page import gradient
from training.loss import build_loss


def test_every_kind_of_the_catalogue_has_one_finder():
    assert len(CAUSE_KINDS) + len(SYMPTOM_KINDS) == len(CATALOGUE)
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


def test_model_that_learned_little_is_not_good():
    held_back = outcome(optimizer=["Adam", [["weight_decay", 10.0]]])
    assert (held_back.verdict, held_back.findings[0].kind) == ("faulty", "little-progress")
    assert held_back.findings[0].value == held_back.progress < 0.5


def test_momentum_that_is_dampened_away_is_no_alarm():
    assert "momentum" not in found(optimizer=["SGD", [["momentum", 1.0], ["dampening", 1.0]]], epochs=3)


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


def test_vanishing_gradient_is_told_by_a_first_layer_that_hardly_moves():
    deep = {"hidden": [24] * 7, "activation": ["Sigmoid", []], "optimizer": ["SGD", []], "lr": 3.0}
    finding = found(**deep)["vanishing"]
    assert finding.value <= 0.001 * finding.against
    assert finding.sentence.startswith("The weights of the first layer moved by ")
    assert "vanishing" not in found(**deep | {"activation": ["Tanh", []]})
    # One that the last steps moved farther, and that learned little: its first step counts.
    finding = found(**deep | {"hidden": [24] * 6, "epochs": 60})["vanishing"]
    assert finding.value <= 0.001 * finding.against
    assert finding.sentence.startswith("The weights of the first layer moved in the first step by ")


def test_gradients_whose_squares_overflow_do_not_vanish():
    """Adam divides by an infinite root: the first layer stands still, though its gradient is enormous."""
    x, still, moved = torch.rand(6, 3), torch.ones(4, 3), torch.ones(1, 4)
    logits = torch.arange(6.0).unsqueeze(1)
    start, end = (
        State([], layers, logits, logits, 1.0, logits, [torch.zeros(4, dtype=torch.bool)])
        for layers in ([still, moved], [still, 2 * moved])
    )
    task = SimpleNamespace(data={"x_train": x, "y_train": torch.ones(6, 1)}, settings={"optimizer": ["Adam", []]})
    for first, is_vanishing in ((1e-9, True), (1e30, False)):
        gradients = [torch.full((4, 3), first), torch.zeros(4), torch.full((1, 4), 1e-3), torch.zeros(1)]
        found = FINDERS["vanishing"](Evidence(task, None, start, gradients, end, None, None))
        assert (found is not None) is is_vanishing


def test_dead_units_are_the_cause_only_where_the_model_does_no_better_than_guessing():
    finding = found(LOGITS, changed(positive), optimizer=["SGD", []], hidden=[16], lr=0.1, epochs=40)["dead-units"]
    assert finding.alarm and 8 < finding.count < 16
    few = found(LOGITS, changed(positive), optimizer=["SGD", []], hidden=[16], lr=0.01, epochs=40)
    assert "chance-level" in few and (few["dead-units"].count, few["dead-units"].alarm) == (3, False)
    assert not found(LOGITS, epochs=200).get("dead-units", SimpleNamespace(alarm=False)).alarm


def test_no_kind_sends_its_reader_to_findings_that_need_not_be_there():
    for kind in CATALOGUE.values():
        assert "other finding" not in f"{kind.means} {kind.why} {kind.helps}"


def test_no_step_is_unchanged():
    result = outcome(optimizer=["SGD", []], lr=1e-14)
    assert "unchanged" in {finding.kind for finding in result.findings}
    assert result.verdict != "good"


def test_gradient_below_eps_is_slow():
    finding = found(formula("1e-12 * mean(softplus(logits) - y * logits)"))["slow"]
    assert finding.value < finding.against == 1e-8
