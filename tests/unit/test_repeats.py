"""A training that can only repeat itself ends early, and leaves what the full loop leaves."""

import pytest
import torch

from builders.training import data
from training import loop
from training.loss import build_loss
from training.network import build_network, forward
from training.optimizer import build_optimizer
from training.repeats import Repeats, comes_to_rest

FLAT = "mean(relu(abs(yhat - y) - 0.9))"  # no gradient near the start
ONE_SIDED = "mean(relu(1 - y * logits))"  # none at all for y = 0, none for y = 1 beyond 1


def run(
    formula: str, optimizer: list, lr: float, epochs: int, watched: bool, activation: str = "ReLU", tested: bool = False
) -> tuple:
    network = build_network(784, [8], [activation, []], 7)
    parts = data()
    repeats = Repeats(network, optimizer) if watched else None
    loss = build_loss(["formula", formula, []])
    step = build_optimizer(optimizer, lr, network.parameters())
    test = (parts["x_test"], parts["y_test"]) if tested else None
    found = loop.train(network, step, loss, parts["x_packed"], parts["y_train"], epochs, repeats, test)
    return found, [parameter.detach() for parameter in network.parameters()]


# formula, optimizer, lr, epochs, at most so many of them computed, period
CASES = {
    "frozen from the start": (FLAT, ["Adam", []], 0.01, 100, 3, 1),
    "frozen later, momentum dies away": (ONE_SIDED, ["Adam", []], 0.01, 1200, 300, 1),
    "frozen, SGD with momentum": (ONE_SIDED, ["SGD", [["momentum", 0.9]]], 0.1, 400, 300, 1),
    "frozen, RMSprop": (ONE_SIDED, ["RMSprop", []], 0.01, 100, 90, 1),
    "frozen, Adagrad": (ONE_SIDED, ["Adagrad", []], 0.1, 100, 90, 1),
    "frozen, Adamax": (ONE_SIDED, ["Adamax", []], 0.01, 600, 300, 1),
    "frozen, AdamW without decay": (ONE_SIDED, ["AdamW", [["weight_decay", 0]]], 0.01, 400, 300, 1),
    "below the last bit": ("mean((yhat - y) ** 2)", ["SGD", []], 1e-12, 50, 3, 1),
}


@pytest.mark.parametrize("name", CASES)
def test_repetition_ends_a_training_early_and_leaves_what_the_full_loop_leaves(name, monkeypatch):
    formula, optimizer, lr, epochs, at_most, period = CASES[name]
    full, full_weights = run(formula, optimizer, lr, epochs, False)
    computed = []
    monkeypatch.setattr(loop, "forward", lambda *arguments: computed.append(1) or forward(*arguments))
    found, weights = run(formula, optimizer, lr, epochs, True)
    assert len(computed) - 1 <= at_most
    assert found.cycle[1] == period
    assert found.history == full.history
    assert torch.equal(found.yhat, full.yhat)
    assert all(map(torch.equal, weights, full_weights))


@pytest.mark.parametrize("name", ["frozen from the start", "frozen, RMSprop", "below the last bit"])
def test_wrong_test_images_of_epochs_that_repeat_are_those_that_the_full_loop_counts(name):
    formula, optimizer, lr, epochs, _, _ = CASES[name]
    full, full_weights = run(formula, optimizer, lr, epochs, False, tested=True)
    found, weights = run(formula, optimizer, lr, epochs, True, tested=True)
    assert found.cycle is not None
    assert found.history == full.history
    assert all(map(torch.equal, weights, full_weights))
    counted = [epoch for epoch, row in enumerate(found.history) if row.test_wrong is not None]
    assert counted == sorted({*range(0, epochs, 5), epochs - 1})


def test_period_of_two_ends_in_the_right_one_of_its_two_states():
    """A bias that jumps over its optimum for ever; two epochs numbers, one of them odd."""
    for epochs in (100, 101):
        outcomes = []
        for watched in (True, False):
            network = torch.nn.Sequential(torch.nn.Linear(784, 1), torch.nn.Sigmoid())
            for parameter in network.parameters():
                parameter.data.zero_()
            optimizer = ["SGD", []]
            repeats = Repeats(network, optimizer) if watched else None
            step = build_optimizer(optimizer, 1.0, network.parameters())
            x, y = torch.zeros(4, 784), torch.tensor([[0.0], [0.0], [1.0], [1.0]])
            loss = build_loss(["formula", "mean(abs(logits - 0.5))", []])
            found = loop.train(network, step, loss, x, y, epochs, repeats, test=(x, y))
            outcomes.append((found.history, found.yhat.tolist(), network[0].bias.item()))
            if watched:
                assert found.cycle == (0, 2)
        assert outcomes[0] == outcomes[1]


def test_training_that_learns_repeats_nothing():
    for optimizer in (["Adam", []], ["SGD", []], ["SGD", [["momentum", 0.9]]]):
        found, _ = run("mean((yhat - y) ** 2)", optimizer, 0.01, 30, True)
        assert found.cycle is None
        assert found.zero_since is None


def test_zero_gradient_is_dated():
    found, _ = run(ONE_SIDED, ["Adam", []], 0.01, 40, True)
    (loss_is_over,) = [epoch for epoch, row in enumerate(found.history) if row.loss == found.history[-1].loss][:1]
    assert found.zero_since == loss_is_over > 0


@pytest.mark.parametrize(
    "optimizer",
    [
        ["Adam", [["weight_decay", 0.1]]],
        ["AdamW", []],
        ["Adam", [["betas", [0.9, 0.5]]]],
        ["RMSprop", [["centered", True]]],
        ["SGD", [["momentum", 1.0]]],
        ["RAdam", []],
    ],
)
def test_optimizer_that_may_start_again_is_not_taken_to_rest(optimizer):
    assert not comes_to_rest(optimizer)


def test_random_activation_is_never_taken_to_repeat():
    found, _ = run(FLAT, ["SGD", []], 0.01, 20, True, "RReLU")
    assert found.cycle is None


@pytest.mark.parametrize("activation", ["ReLU", "RReLU"])
def test_look_at_the_test_images_changes_nothing_in_training(activation):
    parts = data()
    loss = build_loss(["formula", "mean((yhat - y) ** 2)", []])
    histories = []
    for test in (None, (parts["x_test"], parts["y_test"])):
        network = build_network(784, [8], [activation, []], 7)
        step = build_optimizer(["Adam", []], 0.01, network.parameters())
        found = loop.train(network, step, loss, parts["x_packed"], parts["y_train"], 12, test=test)
        histories.append(([row._replace(test_wrong=None) for row in found.history], found.yhat.tolist()))
        assert len(found.tested) == (6 if test else 0)
    assert histories[0] == histories[1]
