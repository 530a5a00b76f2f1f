"""A training, held against the notebook's loop."""

import math

import numpy as np
import pytest
import torch
from plot import plot, shown

from builders.training import MANUAL_BCE, data, settings, train_seed
from training import history, loop
from training.loss import build_loss
from training.network import build_network, forward
from training.optimizer import build_optimizer


def plain_loop(parts, seed, epochs, loss_function):
    """The notebook's loop, written out: the reference that train.py is held against."""
    torch.manual_seed(seed)
    network = torch.nn.Sequential(torch.nn.Linear(784, 8), torch.nn.ReLU(), torch.nn.Linear(8, 1), torch.nn.Sigmoid())
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    losses = []
    for _ in range(epochs):
        yhat = network(parts["x_train"])
        loss = loss_function(yhat, parts["y_train"])
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return network, losses


def manual_bce(yhat, y):
    return -torch.mean(y * torch.log(yhat) + (1 - y) * torch.log(1 - yhat))


@pytest.mark.parametrize(
    ("definition", "reference"),
    [(MANUAL_BCE, manual_bce), (["module", "BCELoss", [], "yhat"], torch.nn.BCELoss())],
    ids=["formula", "module"],
)
def test_training_is_the_notebook_loop(definition, reference):
    parts = data()
    result = train_seed(7, settings(loss_definition=definition), parts)
    network, losses = plain_loop(parts, 7, 12, reference)
    np.testing.assert_allclose([row[0] for row in result.history], losses, rtol=1e-5)
    with torch.no_grad():
        yhat = network(parts["x_train"])
    np.testing.assert_allclose(result.train, yhat.flatten(), rtol=1e-5)
    assert result.outcome.correct == int(((yhat > 0.5) == parts["y_train"]).sum())
    assert result.outcome.final_loss == pytest.approx(losses[-1], rel=1e-5)


def test_weights_load_into_the_plain_network():
    parts = data()
    result = train_seed(7, settings(), parts)
    network = torch.nn.Sequential(torch.nn.Linear(784, 8), torch.nn.ReLU(), torch.nn.Linear(8, 1), torch.nn.Sigmoid())
    network.load_state_dict(result.state_dict)
    with torch.no_grad():
        np.testing.assert_array_equal(network(parts["x_test"]).flatten(), result.test)


def test_nan_model_gets_no_accuracy():
    result = train_seed(7, settings(), data(scale=1000.0))
    outcome = result.outcome
    assert outcome.status == "diverged"
    assert outcome.diverged_epoch == 0
    assert all(
        getattr(outcome, key) is None for key in ("correct", "accuracy", "test_correct", "test_accuracy", "final_loss")
    )
    assert np.isnan(result.train).all()


def test_history_goes_on_after_divergence_as_the_plain_loop_would():
    parts = data(scale=1000.0)
    history = train_seed(7, settings(), parts).history
    _, losses = plain_loop(parts, 7, 12, manual_bce)
    assert len(history) == 12
    np.testing.assert_array_equal([row[0] for row in history], losses)
    assert [row[1] for row in history[1:]] == [None] * 11


def test_weights_that_break_in_the_last_step_are_a_divergence():
    # sqrt(0) is finite, its gradient is not.
    definition = ["formula", "sqrt(0 * mean(yhat))", []]
    outcome = train_seed(7, settings(loss_definition=definition, epochs=1), data()).outcome
    assert outcome.status == "diverged"
    assert outcome.diverged_epoch == 1


def test_infinite_loss_is_a_divergence():
    definition = ["formula", "mean(yhat) + mean(exp(1000 * (yhat + 1)))", []]
    outcome = train_seed(7, settings(loss_definition=definition), data()).outcome
    assert (outcome.status, outcome.diverged_epoch) == ("diverged", 0)


def test_history_counts_saturated_yhat_and_logit_range():
    logits = torch.tensor([[-200.0], [-1.0], [2.0], [20.0]])
    y = torch.tensor([[0.0], [1.0], [1.0], [1.0]])
    row = history.measure(torch.tensor(0.25), logits, logits.sigmoid(), y)
    assert row == (0.25, 0.75, -200.0, 20.0, 1, 1, None)


def test_history_csv_writes_nan_as_empty_and_float32_shortly():
    text = history.history_csv(
        {5: [(0.10000000149011612, 0.5, -1.0, 2.0, 0, 1, 3), (math.nan, None, math.nan, math.inf, 0, 0, None)]}
    )
    assert text.splitlines() == [
        "seed,epoch,loss,accuracy,min_logit,max_logit,yhat_zeros,yhat_ones,test_wrong",
        "5,0,0.1,0.5,-1.0,2.0,0,1,3",
        "5,1,,,,inf,0,0,",
    ]


@pytest.mark.parametrize("hidden", [[], [5], [6, 5, 4]])
def test_network_has_the_layers_that_are_asked_for(hidden):
    network = build_network(784, hidden, ["LeakyReLU", [["negative_slope", 0.2]]], seed=1)
    widths = [layer.out_features for layer in network if isinstance(layer, torch.nn.Linear)]
    assert widths == [*hidden, 1]
    assert isinstance(network[-1], torch.nn.Sigmoid)
    assert all(layer.negative_slope == 0.2 for layer in network if isinstance(layer, torch.nn.LeakyReLU))


def test_module_loss_is_fed_what_is_asked_for():
    y, logits = torch.tensor([[0.0], [1.0]]), torch.tensor([[-1.0], [2.0]])
    plain = torch.nn.BCEWithLogitsLoss(pos_weight=torch.tensor(3.0))(logits, y)
    loss = build_loss(["module", "BCEWithLogitsLoss", [["pos_weight", 3.0]], "logits"])
    assert loss(y, logits.sigmoid(), logits) == plain


def test_optimizer_gets_its_arguments():
    network = build_network(784, [3], ["ReLU", []], seed=1)
    optimizer = build_optimizer(["SGD", [["momentum", 0.9]]], 0.1, network.parameters())
    assert isinstance(optimizer, torch.optim.SGD)
    assert optimizer.param_groups[0]["momentum"] == 0.9
    assert optimizer.param_groups[0]["lr"] == 0.1


def test_epochs_that_can_only_repeat_nan_are_not_computed(monkeypatch):
    """Also where a unit that no image lights, and so no gradient reaches, stays finite."""
    network = build_network(784, [8], ["ReLU", []], 1)
    network[0].bias.data[0] = -1e6
    computed = []
    monkeypatch.setattr(loop, "forward", lambda *arguments: computed.append(1) or forward(*arguments))
    loss = build_loss(["formula", "mean(sqrt(yhat - 1))", []])
    parts = data()
    optimizer = build_optimizer(["Adam", []], 0.01, network.parameters())
    run = loop.train(network, optimizer, loss, parts["x_packed"], parts["y_train"], 50)
    assert network[0].bias[0].isfinite()
    assert len(computed) == 3  # two epochs and the predictions
    assert (run.diverged_epoch, len(run.history)) == (0, 50)
    assert all(math.isnan(row[0]) for row in run.history)
    assert run.yhat.isnan().all()


def test_seed_that_diverged_leaves_its_answers_at_the_last_finite_weights():
    diverging = settings(loss_definition=MANUAL_BCE, lr=0.1, epochs=60)
    result = train_seed(7, diverging, data(scale=50.0))
    assert result.outcome.status == "diverged" and np.isnan(result.train).all()
    network = build_network(784, diverging["hidden"], diverging["activation"], 7)
    network.load_state_dict(result.broken)
    expected = forward(network, data(scale=50.0)["x_packed"])[1].detach().flatten().numpy()
    assert np.array_equal(result.last_finite, expected) and np.isfinite(expected).all()
    # Those are what the plot shows of it, beside the final ones of a seed that finished, or whose ŷ are no NaN.
    finished = train_seed(7, settings(epochs=2), data())
    assert finished.last_finite is None
    final = np.stack([finished.train, finished.train, result.train])
    predictions = {"train": final, "last_finite": np.stack([0 * expected, expected])}
    yhat, is_last_finite = shown(predictions, ["finished", "diverged", "diverged"])
    assert np.array_equal(yhat, np.stack([finished.train, finished.train, expected]))
    assert is_last_finite == [False, False, True]
    for flags in ([False] * 3, [True, False, True], [True] * 3):
        assert plot(yhat, flags, [30, 30], [1, 2, 3], [0, 1], "v").startswith(b"\x89PNG")


def test_autopsy_has_the_logits_that_training_had_even_where_slopes_are_random():
    result = train_seed(7, settings(activation=["RReLU", []], lr=0.1, epochs=60), data(scale=20.0))
    found = result.outcome.autopsy
    row = result.history[found.epoch]
    assert max(one.max for one in found.logits.values()) == row.max_logit
    assert min(one.min for one in found.logits.values()) == row.min_logit
