"""Which changes are tried, in which order, and which of them are cures."""

from types import SimpleNamespace

import pytest
import torch
import yaml

from builders.training import (
    LOGITS,
    changed,
    formula,
    healthy,
    judged_task,
    outcomes,
    positive,
    raw_digits,
    settings,
    trained,
)
from cures import cures, search
from cures.attempt import Attempt
from cures.change import SettingsChange, both
from cures.changes import WAYS, is_same_training, ways_for, worth_trying
from findings.arguments import at_default
from records.metrics import finding

TYPED = formula("-mean(y * log(yhat) + (1 - y) * log(1 - yhat))")
BEST = "mean(softplus((1 - 2 * y) * logits))"
THRESHOLD = ["Threshold", [["threshold", 1000.0], ["value", 0.0]]]


def right(*images: int, n: int) -> torch.Tensor:
    """bool (n, 1)"""
    found = torch.zeros(n, 1, dtype=torch.bool)
    found[list(images)] = True
    return found


def model(right_training=range(100), right_test=range(100), verdict="good", alarms=(), finished=True):
    """As `Judged`, of a hundred training and a hundred test images."""
    train_right, test_right = right(*right_training, n=100), right(*right_test, n=100)
    counts = {"correct": len(right_training), "test_correct": len(right_test)} if finished else {}
    told = {"n": 100, "verdict": verdict, "findings": [finding(kind, "…") for kind in alarms]}
    evidence = SimpleNamespace(end=finished or None, wrong=~train_right, right_test_images=test_right)
    return SimpleNamespace(
        outcome=SimpleNamespace(**{"correct": None, "test_correct": None} | counts | told), evidence=evidence
    )


def attempt(patient, made, way="rate", **settings) -> Attempt:
    return Attempt(SettingsChange((way,), way, way, settings), patient.evidence, made)


def test_cure_is_good_and_loses_no_images():
    """McNemar's exact test: five images lost of five that differ have p = 0.06, six 0.03."""
    patient = model(range(90), range(90), "faulty", ["stuck-images"])
    for lost, is_cure in ((5, True), (6, False)):
        assert attempt(patient, model(range(lost, 90), range(90))).is_cure is is_cure
        assert attempt(patient, model(range(90), range(lost, 90))).is_cure is is_cure
    assert not attempt(patient, model(verdict="faulty", alarms=["stuck-images"])).is_cure
    diverged = model(verdict="fails", alarms=["diverged"], finished=False)
    assert attempt(diverged, model(range(20), range(20))).is_cure


def test_training_images_that_were_learned_by_heart_may_be_lost_where_test_images_are_gained():
    patient = model(range(100), range(80), "faulty", ["overfit"])
    assert attempt(patient, model(range(90), range(86))).is_cure  # six test images more, p = 0.03
    assert not attempt(patient, model(range(90), range(85))).is_cure


def test_trial_is_better_beyond_luck_or_where_the_patient_diverged():
    patient = model(range(80), range(80), "faulty", ["slow"])
    for more, is_better in ((10, False), (11, True)):
        assert attempt(patient, model(range(80 + more), range(80), "faulty", ["slow"])).is_better is is_better
    diverged = model(verdict="fails", alarms=["diverged"], finished=False)
    assert attempt(diverged, model(range(60), range(60), "faulty", ["slow"])).is_better
    assert not attempt(diverged, model(range(60), range(60), "fails", ["chance-level"])).is_better


def ranked(patient, *cases) -> list[str]:
    """Ways, of cases (way, training images right, test images right), as cures of what is slow."""
    tried = [attempt(patient, model(range(n), range(m)), way) for way, n, m in cases]
    return [one.change.words for one in cures._ranked(tried, [finding("slow", "…")])]


def test_cures_are_ranked_by_the_first_cause_then_images_then_size():
    patient = model(range(50), range(50), "fails", ["slow"])
    assert ranked(patient, ("Adam", 95, 95), ("rate", 99, 95), ("pixels", 100, 100)) == ["rate", "Adam", "pixels"]
    assert ranked(patient, ("Adam", 100, 100), ("rate", 99, 100)) == ["Adam", "rate"]
    assert ranked(patient, ("pixels", 100, 100), ("rate", 95, 100)) == ["rate", "pixels"]
    assert ranked(patient, ("pixels", 100, 100), ("rate", 94, 100)) == ["pixels", "rate"]  # clearly worse
    assert ranked(patient, ("Adam", 99, 100), ("rate", 99, 100), ("argument", 99, 100)) == ["argument", "rate", "Adam"]


def test_same_function_comes_first_only_among_equals():
    patient = model(range(50), range(50), "faulty", ["stuck-images"])
    for right, order in ((95, ["rewrite", "standard loss"]), (94, ["standard loss", "rewrite"])):
        cases = [("standard loss", 100, 100), ("rewrite", right, 100)]
        tried = [attempt(patient, model(range(n), range(m)), way) for way, n, m in cases]
        assert [one.change.words for one in cures._ranked(tried, [finding("stuck-images", "…")])] == order


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    return raw_digits(tmp_path_factory.mktemp("digits"))


def outcome(loss, digits, parts=None, trials=4, **changes):
    parts = parts or healthy()
    chosen = settings(loss_definition=loss, **{"lr": 0.01, "epochs": 40, "loss": "l", "normalization": "n"} | changes)
    (told,) = outcomes([trained(chosen, parts)], parts, digits, trials)
    return told


def large(parts) -> None:
    for part in ("train", "test"):
        parts[f"x_{part}"].mul_(300)


@pytest.mark.parametrize(
    ("loss", "changes", "ways"),
    [
        (formula("mean(softplus(logits) - (1 - y) * logits)"), {"lr": 1e-6}, ["sign", "rate"]),
        (TYPED, {"activation": THRESHOLD, "lr": 0.1, "epochs": 60}, ["activation", "rewrite"]),
        (formula("mean((1 - y) * softplus(logits))"), {"optimizer": ["Adam", [["eps", 1e6]]]}, ["mirror", "argument"]),
    ],
    ids=["swapped and slow", "dead and typed", "ignored and held back"],
)
def test_two_faults_are_cured_by_two_changes(digits, loss, changes, ways):
    told = outcome(loss, digits, healthy(200, 100), **changes)
    first, *_ = told.cures
    assert first.ways == ways
    assert (first.verdict, first.same_function) == ("good", False)
    (alone,) = [one for one in told.tried if one.ways == ways[:1]]
    assert first.change.startswith(f"{alone.change}, and ")
    sections = yaml.safe_load(first.snippet)
    ((_, variant),) = sections["variants"].items()
    assert {"sign": "losses", "activation": "losses", "mirror": "losses"}[ways[0]] in sections
    assert variant["loss"] in sections["losses"]
    if "rate" in ways:
        assert variant["lr"] == 0.001
    if "activation" in ways:
        assert variant["activation"] == "ReLU"
    if "argument" in ways:
        assert variant["optimizer"] == "Adam"


def test_one_function_is_tried_once(digits):
    """The rewrite of a typed cross-entropy is what BCEWithLogitsLoss computes."""
    told = outcome(TYPED, digits, changed(large), lr=1e-9, epochs=2)
    changes = [one.change for one in told.cures + told.tried if len(one.ways) == 1]
    assert f"`{BEST}`, the same function" in changes
    assert "`BCEWithLogitsLoss` of the logits" not in changes
    one, other = (settings(loss_definition=loss) for loss in (LOGITS, formula(BEST)))
    assert is_same_training(one, other)
    assert not is_same_training(one, other | {"lr": 1.0})
    summed = ["module", "BCEWithLogitsLoss", [["reduction", "sum"]], "logits"]
    never_finite = formula("mean(softplus(logits) - y * logits + log(0))")
    for differs in (
        summed,
        never_finite,
        formula(f"2 * {BEST}"),
        TYPED,
        formula("-log(mean(yhat * y + (1 - yhat) * (1 - y)))"),
    ):
        assert not is_same_training(one, settings(loss_definition=differs))


def changes_of(way: str, loss=LOGITS, parts=None, **chosen) -> list[SettingsChange]:
    return list(WAYS[way](judged_task(loss, parts, **chosen).evidence))


@pytest.mark.parametrize(
    ("way", "loss", "words"),
    [
        (
            "mirror",
            "mean(y * logits)",
            [
                "`mean((1 - 2 * y) * logits)`, which asks of a 0 what it asks of a 1, at the opposite logit, "
                "with the other sign"
            ],
        ),
        (
            "weights",
            "mean(2000 * y * softplus(-logits) + (1 - y) * softplus(logits))",
            [f"`{BEST}`, in which an image of either class pulls about as hard at logit 0"],
        ),
        ("weights", "mean(y * softplus(-logits) + (1 - y) * softplus(logits))", []),
        (
            "guard",
            "mean(y * log(y) - y * log(yhat) - (1 - y) * log(1 - yhat))",
            [f"`{BEST}`, the loss with y kept at 1e-7 or more in log(y)"],
        ),
        ("guard", "-mean(y * log(yhat) + (1 - y) * log(1 - yhat))", []),
        (
            "sign",
            "mean(softplus(logits) - (1 - y) * logits) - 5",
            ["`mean(softplus((1 - 2 * y) * logits)) - 5`, y and 1 − y exchanged"],
        ),
        (
            "input",
            "mean(relu(1 - y * logits))",
            [
                "`mean(relu(1 - (2 * y - 1) * logits))`, labels −1 and 1 in place of 0 and 1",
            ],
        ),
        ("unguarded", "-mean(y * log(yhat + 1e-7) + log(0) * y)", []),
    ],
)
def test_ways_of_changing_a_loss(way, loss, words):
    assert [change.words for change in changes_of(way, formula(loss), epochs=2)] == words


def test_pos_weight_is_left_out():
    loss = ["module", "BCEWithLogitsLoss", [["pos_weight", 0.001]], "logits"]
    (change,) = changes_of("weights", loss, epochs=2)
    assert change.settings == {"loss_definition": LOGITS}
    assert changes_of("weights", LOGITS, epochs=2) == []


def test_rate_is_divided_by_the_images_of_a_sum():
    loss = ["module", "BCEWithLogitsLoss", [["reduction", "sum"]], "logits"]
    found = changes_of("rate", loss, changed(positive), optimizer=["SGD", []], lr=6.0, epochs=30)
    assert {change.settings["lr"] for change in found} == {0.1, 0.6}
    assert "the learning rate 0.1, 1 / 60 of it, since the loss sums so many images" in [
        change.words for change in found
    ]
    under_adam = changes_of("rate", loss, changed(positive), lr=600.0, epochs=30)
    assert not any("sums" in change.words for change in under_adam)


def test_farther_rate_comes_first_where_nothing_is_learned():
    assert [change.settings["lr"] for change in changes_of("rate", lr=1e-6, epochs=10)] == [1e-3, 1e-5]
    learned = changes_of("rate", lr=0.002, epochs=10)
    assert [change.settings["lr"] for change in learned] == [0.02, 2.0]


def test_what_cannot_help_is_not_tried():
    """Units that are dead before the first step get no gradient at any rate; a loss that is never finite, whatever else
    is changed, neither."""
    dead = judged_task(LOGITS, activation=THRESHOLD, epochs=10)
    assert dead.evidence.is_dead_at_start
    assert ways_for(dead.evidence, "dead-layer") == ("activation", "network", "pixels")
    assert changes_of("rate", activation=THRESHOLD, epochs=10) == []
    for hopeless in (
        "mean(softplus(logits) - y * logits + log(0))",
        "mean(y * softplus(-logits))",
        "mean(softplus(logits))",
        "mean(y * logits - softplus(logits))",
        "mean(0 * logits)",
    ):
        made = judged_task(formula(hopeless), epochs=10)
        tried = [change for group in worth_trying(made.evidence, made.outcome.findings) for change in group]
        assert tried and all(change.settings.keys() == {"loss_definition"} for change in tried)


def test_second_change_is_not_sought_where_the_test_images_are_to_blame():
    patient = model(range(50), range(50), "fails", ["slow"])
    start = attempt(patient, model(range(100), range(10), "fails", ["wrong-way-on-test"]), "rate", lr=1.0)
    assert list(search._second(start, [], [start])) == []


def test_network_is_widened_where_few_units_are_dead_and_made_shallow_where_gradients_vanish():
    (wider,) = changes_of("network", hidden=[16, 2], activation=THRESHOLD, epochs=2)[:1] or [None]
    assert wider is None  # the wide layer is dead, too: more units would be so, as well
    (wider,) = changes_of("network", hidden=[2], activation=THRESHOLD, epochs=2)
    assert (wider.settings, wider.words) == ({"hidden": [64]}, "64 hidden units in place of 2")
    (shallow,) = changes_of("network", hidden=[8, 8, 8], epochs=2)
    assert (shallow.settings, shallow.words) == ({"hidden": [8]}, "1 hidden layer in place of 3")
    assert changes_of("network", hidden=[8], epochs=2) == []


def test_more_epochs_are_tried_while_the_loss_falls():
    (longer,) = changes_of("more epochs", lr=1e-4, epochs=10)
    assert longer.settings == {"epochs": 40}
    assert changes_of("more epochs", formula("mean(0 * logits)"), epochs=10) == []


def test_rate_that_cures_is_refined_while_trials_are_left():
    """Where it leaves more than five images wrong: three times that rate, and a third of it."""
    patient, slow = judged_task(LOGITS, lr=1e-5, epochs=2), model(range(50), range(50), "fails", ["slow"])
    for correct, rates in ((94, [3e-4, 3.33333e-05]), (95, [])):
        tried = [attempt(slow, model(range(correct), range(100)), "rate", lr=1e-4)]
        found = list(search._refined(patient, [patient.evidence.task.settings], tried))
        assert [change.settings["lr"] for change in found] == rates
        assert all(change.words.endswith(" in place of 1e-05") for change in found)
    other = [attempt(slow, model(range(60), range(100)), "Adam", lr=0.002)]
    assert not list(search._refined(patient, [], other))


def test_default_of_an_argument_is_named():
    assert at_default("AdamW", "weight_decay") == "with `weight_decay` at its default, 0.01"
    assert at_default("Adam", "weight_decay") == "without `weight_decay`"
    assert at_default("Adam", "betas") == "with `betas` at its default, (0.9, 0.999)"


def test_two_changes_are_one_change_of_both():
    one = SettingsChange(("sign",), "`a`, the other sign", "negated", {"loss_definition": LOGITS})
    pair = both(one, SettingsChange(("rate",), "the learning rate 1", "lr-1", {"lr": 1.0}))
    assert pair.ways == ("sign", "rate")
    assert pair.words == "`a`, the other sign, and the learning rate 1"
    assert (pair.suffix, pair.settings) == ("negated-lr-1", {"loss_definition": LOGITS, "lr": 1.0})
    assert not both(SettingsChange(("rewrite",), "", ""), one).is_same_function


def test_argument_that_is_farthest_from_its_default_comes_first():
    optimizer = ["Adam", [["amsgrad", True], ["betas", [0.9999, 0.5]], ["eps", 1.0]]]
    words = [change.words for change in changes_of("argument", optimizer=optimizer, epochs=2)]
    assert words == [
        "Adam with `eps` at its default, 1e-08",
        "Adam with `betas` at its default, (0.9, 0.999)",
        "Adam without `amsgrad`",
    ]


def test_momentum_of_1_or_more_is_first_tried_at_its_usual_value_and_leaves_with_nesterov():
    optimizer = ["SGD", [["momentum", 1.5], ["nesterov", True], ["weight_decay", 0.1]]]
    first, *rest = (change for change in changes_of("argument", optimizer=optimizer, lr=0.001, epochs=2))
    found = {change.words: change.settings["optimizer"][1] for change in (first, *rest)}
    assert found["SGD with `momentum` 0.9"] == [["momentum", 0.9], ["nesterov", True], ["weight_decay", 0.1]]
    assert found["SGD without `momentum` and `nesterov`"] == [["weight_decay", 0.1]]


def test_weight_is_typed_with_two_digits():
    (change,) = changes_of("weights", formula("mean(a * y * softplus(-logits) + (1 - y) * softplus(logits))", a=149.0))
    assert change.words.startswith("`mean(where(y == 1, a * softplus(-logits), 150 * softplus(logits)))`, in which")


def test_other_loss_is_not_tried_where_its_chart_rules_it_out():
    """Fed ŷ in place of the logits this one is as well off at the border as before, and mirrored it is the same."""
    assert changes_of("input", formula("mean((2 * yhat - y) ** 2)"), epochs=2) == []
    assert changes_of("mirror", formula("mean(relu(0.2 - abs(logits)) + y * 0)"), epochs=2) == []
    module = ["module", "PoissonNLLLoss", [], "logits"]  # fed ŷ it pushes images of 0 away
    assert changes_of("input", module, epochs=2) == []


@pytest.mark.parametrize(
    ("loss", "words"),
    [
        ("-mean((1 - y) * log(yhat + e) + y * log(1 - yhat + e))", "y and 1 − y exchanged"),
        ("mean(y * log(yhat + e) + (1 - y) * log(1 - yhat + e))", "the other sign"),
    ],
)
def test_loss_whose_epsilon_takes_it_below_0_is_exchanged_or_negated_as_it_was_meant(loss, words):
    (change,) = changes_of("sign", formula(loss, e=1e-5), epochs=2)
    assert change.words == f"`mean(-log(sigmoid((2 * y - 1) * logits) + e))`, {words}"
