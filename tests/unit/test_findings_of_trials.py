"""Causes that a trial shows: an argument of the optimizer, a learning rate; and what may be luck."""

from types import SimpleNamespace

import pytest
import torch

from builders.training import LOGITS, formula, healthy, outcomes, settings, trained
from findings import findings  # noqa: F401 (which registers the finders)
from findings.evidence import Evidence, Retrained, State
from findings.finders import FINDERS
from findings.of_trials import rose
from training.loss import build_loss


@pytest.mark.parametrize(
    ("optimizer", "lr", "default"),
    [
        (["Adam", [["weight_decay", 30.0]]], 0.01, "Without `weight_decay`"),
        (["RMSprop", [["momentum", 0.5], ["weight_decay", 30.0]]], 0.01, "Without `weight_decay`"),
        (["Adagrad", [["lr_decay", 1000.0]]], 0.001, "Without `lr_decay`"),
        (["SGD", [["momentum", 0.9], ["dampening", 0.9999]]], 0.001, "Without `dampening`"),
        (["Adam", [["betas", [0.999, 0.0]]]], 0.01, "With `betas` at its default, (0.9, 0.999)"),
        (["Adam", [["eps", 3000.0]]], 0.01, "With `eps` at its default, 1e-08"),
        (["Rprop", [["step_sizes", [1e-9, 1e-7]]]], 0.001, "With `step_sizes` at its default, (1e-06, 50)"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_argument_that_held_a_training_back_is_named_first(optimizer, lr, default):
    parts = healthy(200, 100)
    model = trained(settings(loss_definition=LOGITS, optimizer=optimizer, lr=lr, epochs=40), parts)
    # None of these trials needs other pixels, so no raw images.
    (told,), (without,) = (outcomes([model], parts, None, trials) for trials in (1, 0))
    first = told.findings[0]
    assert (first.kind, first.alarm, first.of) == ("held-back", True, 200)
    assert first.sentence == (
        f"{default}, {optimizer[0]} gets {first.count} of 200 training images right, tried in full; as it is,"
        f" {told.correct}."
    )
    assert first.count > told.correct == first.against
    assert "held-back" not in {one.kind for one in without.findings}


def first(right: int, n: int) -> torch.Tensor:
    return (torch.arange(n) < right).unsqueeze(1)


def retrained(way: str, right: int, test_right: int = 150, fails: bool = False, **changes) -> Retrained:
    """A trial that gets the first so many of 800 images right, and of 200 test images."""
    settings = {"lr": 0.01, "optimizer": ["Adam", []]} | changes
    return Retrained((way,), settings, fails, first(right, 800), first(test_right, 200))


def kinds_after(
    tried: list[Retrained], right=600, loss=LOGITS, optimizer=("SGD", [["dampening", 0.9]]), cause=None, zero=None
):
    """{kind: finding} that trials show of a model that gets the first so many of 800 images right, and 150 of 200 test
    images. cause: of its divergence, if it diverged; zero: since when every gradient is 0."""
    y, y_test, yhat = torch.ones(800, 1), torch.ones(200, 1), first(right, 800).float()
    shared = {"data": {"y_train": y, "y_test": y_test}, "settings": {"lr": 0.1, "optimizer": list(optimizer)}}
    task = SimpleNamespace(**shared, loss=build_loss(loss), constant=None, floor=None)
    end = None if cause else State([], [], yhat, yhat, 0.1, yhat, [])
    rows = [SimpleNamespace(loss=loss) for loss in (1.0, 2.0)]
    model = SimpleNamespace(history=rows, zero_since=zero, test_yhat=first(150, 200).float())
    autopsy = cause and SimpleNamespace(cause=cause)
    of = Evidence(task, model, end, [torch.ones(1)], end, None, autopsy, tuple(tried))
    return {name: one for name in ("held-back", "rate-too-large", "slow") if (one := FINDERS[name](of))}


def test_momentum_that_held_a_training_back_is_told_with_what_it_was_replaced_by():
    optimizer = ["SGD", [["momentum", 1.2], ["nesterov", True]]]
    usual = retrained("argument", 800, optimizer=["SGD", [["momentum", 0.9], ["nesterov", True]]])
    told = kinds_after([usual], optimizer=optimizer, cause="momentum")["held-back"]
    assert told.sentence.startswith("With `momentum` 0.9, SGD gets 800 of 800 training images right, tried in full; ")
    without = kinds_after([retrained("argument", 800, optimizer=["SGD", []])], optimizer=optimizer)["held-back"]
    assert without.sentence.startswith("Without `momentum` and without `nesterov`, SGD gets 800")


def test_trial_that_is_better_by_luck_names_no_cause():
    """McNemar's exact test: ten images more of ten that differ have p = 0.002, eleven 0.001, twelve 0.0005."""
    for more, is_cause in ((10, False), (12, True)):
        found = kinds_after([retrained("argument", 600 + more), retrained("rate", 600 + more)])
        assert set(found) == ({"held-back", "rate-too-large"} if is_cause else set())
    assert set(kinds_after([retrained("rate", 700, lr=1.0)])) == {"slow"}
    assert kinds_after([retrained("argument", 500), retrained("Adam", 800)]) == {}


def test_trial_that_fails_or_loses_test_images_proves_nothing():
    """What learns wrong labels by heart has more training images right, and fewer test images."""
    assert kinds_after([retrained("argument", 800, test_right=140)]) == {}
    assert set(kinds_after([retrained("argument", 800, test_right=145)])) == {"held-back"}  # p = 0.06
    assert kinds_after([retrained("argument", 700, fails=True), retrained("rate", 700, fails=True)]) == {}


def test_steps_are_blamed_for_a_divergence_only_where_the_autopsy_finds_so():
    tried = [retrained("argument", 400), retrained("rate", 400)]
    assert kinds_after(tried, cause="loss") == {}
    assert set(kinds_after(tried, cause="network")) == {"held-back", "rate-too-large"}


def test_no_step_is_too_short_where_every_gradient_is_0():
    assert kinds_after([retrained("rate", 700, lr=1.0)], zero=30) == {}


def test_loss_that_rises_by_its_last_bit_has_not_risen():
    rows = [SimpleNamespace(loss=loss) for loss in (0.69314718, 0.69314724, 0.5)]
    assert not rose(rows)
    assert rose([*rows, SimpleNamespace(loss=0.51)])


def test_best_of_several_trials_is_told():
    found = kinds_after([retrained("rate", 700), retrained("rate", 800, lr=0.0001)])["rate-too-large"]
    assert (found.value, found.count, found.against) == (0.0001, 800, 0.1)
    assert found.sentence == (
        "The loss rose after a step. With the learning rate 0.0001 in place of 0.1, tried in full, 800 of 800 training"
        " images are right in the end."
    )
    gone = kinds_after([retrained("argument", 800)], cause="step")["held-back"]
    assert gone.sentence.endswith("tried in full; as it is, the loss is not finite.")


def test_sum_over_the_images_explains_steps_that_are_too_long():
    clause = " A sum over 800 images makes each step 800 times as long as a mean."
    tried = [retrained("rate", 800)]
    sums = ["module", "BCEWithLogitsLoss", [["reduction", "sum"]], "logits"], formula("2 * sum((yhat - y) ** 2)")
    for loss in sums:
        assert kinds_after(tried, loss=loss)["rate-too-large"].sentence.endswith(clause)
        assert clause not in kinds_after(tried, loss=loss, optimizer=["Adam", []])["rate-too-large"].sentence
    assert clause not in kinds_after(tried)["rate-too-large"].sentence
