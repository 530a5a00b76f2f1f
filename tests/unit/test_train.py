"""A training, held against the notebook's loop."""

import ast
import math

import numpy as np
import pytest
import torch
import train
from plot import plot, shown

from builders.training import MANUAL_BCE, data, diagnosed, drawn, settings, trained
from common.sources import SCRIPTS, sources
from training import ending, history, observer
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
    judged = diagnosed(settings(loss_definition=definition), parts)
    model = judged.evidence.trained
    network, losses = plain_loop(parts, 7, 12, reference)
    np.testing.assert_allclose([row.loss for row in model.history], losses, rtol=1e-5)
    with torch.no_grad():
        yhat = network(parts["x_train"])
    np.testing.assert_allclose(model.yhat, yhat, rtol=1e-5)
    assert judged.outcome.correct == model.record.correct == int(((yhat > 0.5) == parts["y_train"]).sum())
    assert judged.outcome.final_loss == pytest.approx(losses[-1], rel=1e-5)


def test_weights_load_into_the_plain_network():
    parts = data()
    model = trained(settings(), parts)
    network = torch.nn.Sequential(torch.nn.Linear(784, 8), torch.nn.ReLU(), torch.nn.Linear(8, 1), torch.nn.Sigmoid())
    network.load_state_dict(model.weights)
    with torch.no_grad():
        assert torch.equal(network(parts["x_test"]), model.test_yhat)


def test_nan_model_gets_no_accuracy():
    judged = diagnosed(settings(), data(scale=1000.0))
    outcome = judged.outcome
    assert outcome.status == "diverged"
    assert outcome.diverged_epoch == 0
    assert all(
        getattr(outcome, key) is None for key in ("correct", "accuracy", "test_correct", "test_accuracy", "final_loss")
    )
    assert judged.evidence.trained.yhat.isnan().all()
    assert (judged.evidence.trained.record.correct, judged.evidence.trained.record.test_correct) == (None, None)


def test_history_goes_on_after_divergence_as_the_plain_loop_would():
    parts = data(scale=1000.0)
    rows = trained(settings(), parts).history
    _, losses = plain_loop(parts, 7, 12, manual_bce)
    assert len(rows) == 12
    np.testing.assert_array_equal([row.loss for row in rows], losses)
    assert [row.accuracy for row in rows[1:]] == [None] * 11


def test_weights_that_break_in_the_last_step_are_a_divergence():
    # sqrt(0) is finite, its gradient is not.
    definition = ["formula", "sqrt(0 * mean(yhat))", []]
    judged = diagnosed(settings(loss_definition=definition, epochs=1), data())
    assert judged.outcome.status == "diverged"
    assert judged.outcome.diverged_epoch == 1
    model = judged.evidence.trained
    assert all(weights.isfinite().all() for weights in model.last_finite.values())
    assert model.broke[0].isnan().all() and model.last_finite_yhat.isfinite().all()


def test_infinite_loss_is_a_divergence():
    definition = ["formula", "mean(yhat) + mean(exp(1000 * (yhat + 1)))", []]
    outcome = diagnosed(settings(loss_definition=definition), data()).outcome
    assert (outcome.status, outcome.diverged_epoch) == ("diverged", 0)


def test_history_counts_saturated_yhat_and_logit_range():
    logits = torch.tensor([[-200.0], [-1.0], [2.0], [20.0]])
    y = torch.tensor([[0.0], [1.0], [1.0], [1.0]])
    row = history.measure_epoch(torch.tensor(0.25), logits, logits.sigmoid(), y)
    assert row == (0.25, 0.75, -200.0, 20.0, 1, 1, None, None)


def test_history_csv_writes_nan_as_empty_and_float32_shortly():
    text = history.history_csv(
        [
            history.Row(0.10000000149011612, 0.5, -1.0, 2.0, 0, 1, 3, 0.25),
            history.Row(math.nan, None, math.nan, math.inf, 0, 0, None),
        ]
    )
    assert text.splitlines() == [
        "epoch,loss,accuracy,min_logit,max_logit,yhat_zeros,yhat_ones,test_wrong,test_loss",
        "0,0.1,0.5,-1.0,2.0,0,1,3,0.25",
        "1,,,,inf,0,0,,",
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


@pytest.fixture
def passes(monkeypatch) -> list:
    """The images of each forward pass of a training, as they were given to it."""
    images = []
    for module in (train, observer, ending):
        monkeypatch.setattr(module, "forward", lambda network, x: images.append(x) or forward(network, x))
    return images


def first_unit_dark(*arguments) -> torch.nn.Sequential:
    """A network with a first unit that no image lights."""
    network = build_network(*arguments)
    network[0].bias.data[0] = -1e6
    return network


def test_epochs_that_can_only_repeat_nan_are_not_computed(monkeypatch, passes):
    """Also where a unit that no image lights, and so no gradient reaches, stays finite."""
    monkeypatch.setattr(train, "build_network", first_unit_dark)
    parts = data()
    model = trained(settings(loss_definition=["formula", "mean(sqrt(yhat - 1))", []], epochs=50), parts)
    assert model.weights["0.bias"][0].isfinite()
    # Two epochs, the predictions, and ŷ at the last finite weights.
    assert sum(x is parts["x_packed"] for x in passes) == 4
    assert (model.diverged_epoch, len(model.history)) == (0, 50)
    assert all(math.isnan(row.loss) for row in model.history)
    assert model.yhat.isnan().all()


def test_seed_that_diverged_leaves_its_answers_at_the_last_finite_weights():
    diverging = settings(loss_definition=MANUAL_BCE, lr=0.1, epochs=60)
    model = trained(diverging, data(scale=50.0))
    assert model.diverged_epoch is not None and model.yhat.isnan().all()
    network = build_network(784, diverging["hidden"], diverging["activation"], 7)
    network.load_state_dict(model.last_finite)
    with torch.no_grad():
        expected = forward(network, data(scale=50.0)["x_packed"])[1]
    assert torch.equal(model.last_finite_yhat, expected) and expected.isfinite().all()
    # Those are what the plot shows of it, beside the final ones of a seed that finished, or whose ŷ are no NaN.
    finished = trained(settings(epochs=2), data())
    assert finished.last_finite is None and finished.last_finite_yhat is None
    final, last = finished.yhat.flatten().numpy(), expected.flatten().numpy()
    panels = [
        shown({"train": final}, finished.record),
        shown({"train": final, "last_finite": 0 * last}, model.record),
        shown({"train": model.yhat.flatten().numpy(), "last_finite": last}, model.record),
    ]
    yhat = np.stack([answers for answers, _ in panels])
    assert np.array_equal(yhat, np.stack([final, final, last]))
    assert [is_last_finite for _, is_last_finite in panels] == [False, False, True]
    for flags in ([False] * 3, [True, False, True], [True] * 3):
        assert plot(yhat, flags, [30, 30], [1, 2, 3], [0, 1], "v").startswith(b"\x89PNG")


def all_units_dark(*arguments) -> torch.nn.Sequential:
    network = build_network(*arguments)
    network[0].bias.data.fill_(-1e6)
    return network


def test_weights_of_which_only_the_last_broke_are_broken(monkeypatch):
    """No gradient reaches the first layer, so that its weights stay finite."""
    monkeypatch.setattr(train, "build_network", all_units_dark)
    judged = diagnosed(settings(loss_definition=["formula", "sqrt(0 * mean(yhat))", []], epochs=3), data())
    model = judged.evidence.trained
    assert model.weights["0.weight"].isfinite().all() and model.weights["2.bias"].isnan().all()
    assert all(weights.isfinite().all() for weights in model.last_finite.values())
    assert model.record.largest_weight == "nan"
    assert (judged.outcome.autopsy.epoch, judged.outcome.autopsy.cause) == (1, "gradient")


def test_autopsy_has_the_logits_that_training_had_even_where_slopes_are_random():
    judged = diagnosed(settings(activation=["RReLU", []], lr=0.1, epochs=60), data(scale=20.0))
    autopsy = judged.outcome.autopsy
    row = judged.evidence.trained.history[autopsy.epoch]
    assert max(logits.max for logits in autopsy.logits.values()) == row.max_logit
    assert min(logits.min for logits in autopsy.logits.values()) == row.min_logit


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"activation": ["RReLU", []]},  # which draws random numbers at each forward pass
        {"hidden": [], "optimizer": ["SGD", [["momentum", 0.9]]]},
        {
            "loss_definition": ["formula", "mean((yhat - y) ** 2)", []],
            "optimizer": ["SGD", []],
            "lr": 1e-12,
        },  # whose weights never move
        {"loss_definition": ["formula", "mean(relu(1 - y * logits))", []], "epochs": 400},  # which comes to rest
        {"optimizer": ["SGD", []], "lr": 5.0, "epochs": 60},  # which diverges
    ],
    ids=["plain", "random slopes", "momentum", "still", "rest", "diverged"],
)
def test_observer_changes_nothing(changes):
    """Weights, predictions and history are those of the loop alone on the same packed pixels, to the bit."""
    chosen, parts = settings(**changes), drawn()
    model = trained(chosen, parts)
    network = build_network(784, chosen["hidden"], chosen["activation"], 7)
    loss_function = build_loss(chosen["loss_definition"])
    optimizer = build_optimizer(chosen["optimizer"], chosen["lr"], network.parameters())
    rows = []
    for _ in range(chosen["epochs"]):
        logits, yhat = forward(network, parts["x_packed"])
        loss = loss_function(parts["y_train"], yhat, logits)
        rows.append(history.measure_epoch(loss.detach(), logits.detach(), yhat.detach(), parts["y_train"]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        logits, yhat = forward(network, parts["x_packed"])
        _, test_yhat = forward(network, parts["x_test"])
    assert repr([row._replace(test_wrong=None, test_loss=None) for row in model.history]) == repr(rows)
    assert list(model.weights) == list(network.state_dict())
    for ours, plain in (
        *zip(model.weights.values(), network.state_dict().values(), strict=True),
        (model.logits, logits),
        (model.yhat, yhat),
        (model.test_yhat, test_yhat),
    ):
        assert np.array_equal(ours, plain, equal_nan=True)


def test_answers_on_test_images_are_those_of_the_first_epoch_with_fewest_wrong():
    chosen, parts = settings(epochs=48, lr=0.005), data(n=60, m=40)
    model = trained(chosen, parts)
    counted = {epoch: row.test_wrong for epoch, row in enumerate(model.history) if row.test_wrong is not None}
    assert list(counted) == [*range(0, 48, 5), 47]
    assert {epoch for epoch, row in enumerate(model.history) if row.test_loss is not None} == set(counted)
    epoch = model.record.test_epoch
    assert epoch == min(counted, key=counted.get)
    assert 0 < epoch < 35 and counted[0] > counted[epoch] == counted[35]
    # A training that stops there ends with the very weights that this one had before its step.
    stopped = trained(chosen | {"epochs": epoch}, parts)
    assert torch.equal(model.test_answers, stopped.test_yhat > 0.5)
    assert int((model.test_answers != (parts["y_test"] == 1)).sum()) == counted[epoch]
    assert stopped.record.test_correct == 40 - counted[epoch]
    with torch.no_grad():
        logits = stopped.test_yhat.double().logit()
        loss = build_loss(chosen["loss_definition"])(parts["y_test"].double(), logits.sigmoid(), logits).item()
    assert model.history[epoch].test_loss == pytest.approx(loss, rel=1e-4)


def test_test_images_whose_answers_are_nan_are_never_the_fewest_wrong():
    parts = data()
    parts["x_test"][3, 100] = math.nan
    model = trained(settings(), parts)
    assert (model.record.test_epoch, model.test_answers) == (None, None)


def test_train_reads_as_a_page():
    """Forward, loss, backward and step stand next to each other, and nothing between them."""
    text = (SCRIPTS / "train.py").read_text()
    assert len(text.splitlines()) <= 80
    (loop,) = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.For)]
    steps = [ast.unparse(step).splitlines()[0] for step in loop.body]
    assert steps == [
        "logits, yhat = forward(network, x)",
        "loss = loss_function(y, yhat, logits)",
        "optimizer.zero_grad()",
        "loss.backward()",
        "optimizer.step()",
        "if observe(epoch, loss, logits, yhat):",
    ]


@pytest.mark.parametrize("script", ["train", "normalize"])
def test_training_knows_no_finding(script):
    rooms = {path.relative_to(SCRIPTS).parts[0] for path in sources(SCRIPTS / f"{script}.py")}
    assert "training" in rooms
    assert not rooms & {"findings", "autopsy", "cures", "losses", "comparing"}
