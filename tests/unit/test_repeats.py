"""A training that can only repeat itself ends early, and leaves what the full loop leaves."""

import pytest
import torch
import train

from builders.training import data, formula, settings, trained
from training.history import Row, count_correct, measure_epoch
from training.loss import Loss, build_loss
from training.network import build_network, forward
from training.optimizer import build_optimizer
from training.repeats import comes_to_rest
from training.trained import Trained

FLAT = "mean(relu(abs(yhat - y) - 0.9))"  # no gradient near the start
ONE_SIDED = "mean(relu(1 - y * logits))"  # none at all for y = 0, none for y = 1 beyond 1


def chosen(text: str, optimizer: list, lr: float, epochs: int, **changes) -> dict:
    return settings(loss_definition=formula(text), optimizer=optimizer, lr=lr, epochs=epochs, **changes)


def full_loop(given: dict, parts: dict, build=build_network) -> tuple[list[Row], torch.nn.Sequential]:
    """Every epoch computed: its rows, and the network after the last step. build: the network before the first."""
    network = build(parts["x_train"].shape[1], given["hidden"], given["activation"], 7)
    loss_function = build_loss(given["loss_definition"])
    optimizer = build_optimizer(given["optimizer"], given["lr"], network.parameters())
    y, rows = parts["y_train"], []
    for epoch in range(given["epochs"]):
        logits, yhat = forward(network, parts["x_packed"])
        loss = loss_function(y, yhat, logits)
        row = measure_epoch(loss.detach(), logits.detach(), yhat.detach(), y)
        if epoch % 5 == 0 or epoch == given["epochs"] - 1:
            row = row._replace(**of_test_images(network, loss_function, parts))
        rows.append(row)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return rows, network


def of_test_images(network: torch.nn.Sequential, loss_function: Loss, parts: dict) -> dict:
    y = parts["y_test"]
    with torch.no_grad():
        logits, yhat = forward(network, parts["x_test"])
        return {"test_wrong": len(y) - count_correct(yhat, y), "test_loss": loss_function(y, yhat, logits).item()}


def assert_same(model: Trained, given: dict, parts: dict, build=build_network) -> None:
    """The model is that of the full loop, to the bit."""
    rows, network = full_loop(given, parts, build)
    assert model.history == rows
    assert all(map(torch.equal, model.weights.values(), network.state_dict().values()))
    with torch.no_grad():
        assert torch.equal(model.yhat, forward(network, parts["x_packed"])[1])


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
    *case, at_most, period = CASES[name]
    given, parts, computed = chosen(*case), data(), []
    monkeypatch.setattr(train, "forward", lambda *arguments: computed.append(1) or forward(*arguments))
    model = trained(given, parts)
    assert len(computed) <= at_most
    assert model.cycle[1] == period
    # Of the epochs that were not computed, too, the wrong test images are counted at every fifth and the last.
    assert_same(model, given, parts)


def zero_network(*arguments) -> torch.nn.Sequential:
    network = build_network(*arguments)
    for parameter in network.parameters():
        parameter.data.zero_()
    return network


@pytest.fixture
def jumps(monkeypatch) -> dict:
    """Images, and what is trained on them: a bias that jumps over its optimum for ever, from 0 to 1 and back. At 0 all
    images are said to be of y = 0, at 1 of y = 1."""
    monkeypatch.setattr(train, "build_network", zero_network)
    x, y = torch.zeros(4, 784), torch.tensor([[0.0], [0.0], [1.0], [1.0]])
    parts = {"x_train": x, "x_packed": x, "y_train": y, "x_test": x[:3], "y_test": y[1:]}
    return {"parts": parts, "case": ("mean(abs(logits - 0.5))", ["SGD", []], 1.0)}


@pytest.mark.parametrize("epochs", [1, 2, 3, 100, 101])
def test_period_of_two_ends_in_the_right_one_of_its_two_states(epochs, jumps):
    given = chosen(*jumps["case"], epochs, hidden=[])
    model = trained(given, jumps["parts"])
    assert model.cycle == ((0, 2) if epochs > 1 else None)
    assert_same(model, given, jumps["parts"], zero_network)


@pytest.mark.parametrize("epochs", [4, 5, 6, 101])
def test_fewest_wrong_test_images_are_those_of_all_epochs_also_of_those_that_repeat(epochs, jumps):
    """Of three test images two are wrong at even epochs, one at odd ones; of those that count, epoch 0 is computed."""
    model = trained(chosen(*jumps["case"], epochs, hidden=[]), jumps["parts"])
    counted = {epoch: row.test_wrong for epoch, row in enumerate(model.history) if row.test_wrong is not None}
    assert model.record.test_epoch == min(counted, key=counted.get)
    assert int((model.test_answers != (jumps["parts"]["y_test"] == 1)).sum()) == min(counted.values())


def test_training_that_learns_repeats_nothing():
    for optimizer in (["Adam", []], ["SGD", []], ["SGD", [["momentum", 0.9]]]):
        model = trained(chosen("mean((yhat - y) ** 2)", optimizer, 0.01, 30), data())
        assert model.cycle is None
        assert model.zero_since is None


def test_zero_gradient_is_dated():
    model = trained(chosen(ONE_SIDED, ["Adam", []], 0.01, 40), data())
    loss_is_over = next(epoch for epoch, row in enumerate(model.history) if row.loss == model.history[-1].loss)
    assert model.zero_since == loss_is_over > 0


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
    model = trained(chosen(FLAT, ["SGD", []], 0.01, 20, activation=["RReLU", []]), data())
    assert model.cycle is None
