"""Causes that a trial shows: an argument of the optimizer, a learning rate; and what may be luck."""

from types import SimpleNamespace

import pytest
import torch

from builders.training import LOGITS, formula, healthy, outcomes, settings, trained
from findings import findings  # noqa: F401 (which registers the finders)
from findings.evidence import Evidence, Retrained, State
from findings.finders import FINDERS
from training.loss import build_loss


@pytest.mark.parametrize(
    ("optimizer", "lr", "argument"),
    [
        (["Adam", [["weight_decay", 30.0]]], 0.01, "weight_decay"),
        (["RMSprop", [["momentum", 0.5], ["weight_decay", 30.0]]], 0.01, "weight_decay"),
        (["Adagrad", [["lr_decay", 1000.0]]], 0.001, "lr_decay"),
        (["SGD", [["momentum", 0.9], ["dampening", 0.9999]]], 0.001, "dampening"),
        (["Adam", [["betas", [0.999, 0.0]]]], 0.01, "betas"),
        (["Adam", [["eps", 3000.0]]], 0.01, "eps"),
        (["Rprop", [["step_sizes", [1e-9, 1e-7]]]], 0.001, "step_sizes"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_argument_that_held_a_training_back_is_named_first(optimizer, lr, argument):
    parts = healthy(200, 100)
    model = trained(settings(loss_definition=LOGITS, optimizer=optimizer, lr=lr, epochs=40), parts)
    # None of these trials needs other pixels, so no raw images.
    (told,), (without,) = (outcomes([model], parts, None, trials) for trials in (1, 0))
    first = told.findings[0]
    assert (first.kind, first.alarm, first.of) == ("held-back", True, 200)
    assert first.sentence == (
        f"Without `{argument}`, {optimizer[0]} gets {first.count} of 200 training images right, tried in full; with it"
        f" {told.correct} are."
    )
    assert first.count > told.correct == first.against
    assert "held-back" not in {one.kind for one in without.findings}


def retrained(way: str, right: int, **changes) -> Retrained:
    """A trial that gets the first so many of 800 images right."""
    return Retrained(way, {"lr": 0.01, "optimizer": ["Adam", []]} | changes, (torch.arange(800) < right).unsqueeze(1))


def kinds_after(tried: list[Retrained], right: int | None = 600, loss=LOGITS, optimizer=("SGD", [["eps", 1]])) -> dict:
    """What trials show of a model that gets the first so many of 800 images right; None: it diverged."""
    y, yhat = torch.ones(800, 1), (torch.arange(800) < (right or 0)).float().unsqueeze(1)
    settings = {"lr": 0.1, "optimizer": list(optimizer)}
    shared = {"data": {"y_train": y}, "settings": settings, "loss": build_loss(loss)}
    task = SimpleNamespace(**shared, constant=None, floor=None)
    end = None if right is None else State([], [], yhat, yhat, 0.1, yhat, [])
    rows = [SimpleNamespace(loss=loss) for loss in (1.0, 2.0)]
    model = SimpleNamespace(history=rows)
    of = Evidence(task, model, end, [torch.ones(1)], end, None, None, tuple(tried))
    return {name: one for name in ("held-back", "rate-too-large", "slow") if (one := FINDERS[name](of))}


def test_trial_that_is_better_by_luck_names_no_cause():
    """McNemar's exact test: ten images more of ten that differ have p = 0.002, eleven 0.001, twelve 0.0005."""
    for more, is_cause in ((10, False), (12, True)):
        found = kinds_after([retrained("argument", 600 + more), retrained("rate", 600 + more)])
        assert set(found) == ({"held-back", "rate-too-large"} if is_cause else set())
    assert set(kinds_after([retrained("rate", 700, lr=1.0)])) == {"slow"}
    assert (
        kinds_after([retrained("argument", 500), retrained("Adam", 800), Retrained("rate", {"lr": 0.01}, None)]) == {}
    )


def test_best_of_several_trials_is_told():
    found = kinds_after([retrained("rate", 700), retrained("rate", 800, lr=0.0001)])["rate-too-large"]
    assert (found.value, found.count, found.against) == (0.0001, 800, 0.1)
    assert found.sentence == (
        "The loss rose after a step. With the learning rate 0.0001 in place of 0.1, tried in full, 800 of 800 training"
        " images are right in the end."
    )
    gone = kinds_after([retrained("argument", 800)], right=None)["held-back"]
    assert gone.sentence.endswith("tried in full; with it the loss is not finite.")


def test_sum_over_the_images_explains_steps_that_are_too_long():
    clause = " A sum over 800 images makes each step 800 times as long as a mean."
    tried = [retrained("rate", 800)]
    sums = ["module", "BCEWithLogitsLoss", [["reduction", "sum"]], "logits"], formula("2 * sum((yhat - y) ** 2)")
    for loss in sums:
        assert kinds_after(tried, loss=loss)["rate-too-large"].sentence.endswith(clause)
        assert clause not in kinds_after(tried, loss=loss, optimizer=["Adam", []])["rate-too-large"].sentence
    assert clause not in kinds_after(tried)["rate-too-large"].sentence
