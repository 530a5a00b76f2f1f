"""The faster ways of computing the same thing, against the plain ones."""

import math
import subprocess
import sys

import pytest
import torch

from builders.needs import on_x86
from builders.places import ROOT
from builders.training import MANUAL_BCE, data, diagnosed, drawn, settings
from training import fast
from training.network import build_network, forward
from training.optimizer import build_optimizer


@on_x86
def test_pixels_are_packed_where_few_are_lit():
    assert isinstance(drawn()["x_packed"], fast.Pixels)
    dense = data()
    assert dense["x_packed"] is dense["x_train"]


@on_x86
@pytest.mark.parametrize("dark", [-math.inf, math.inf, math.nan, 1e6])
def test_pixels_stay_plain_where_the_background_would_drown_what_is_lit(dark):
    parts = drawn(dark=dark)
    assert parts["x_packed"] is parts["x_train"]


def test_only_what_a_background_would_not_drown_is_taken_from_it():
    """Pixel by pixel: a huge background stays where something as large is lit, or nothing at all."""
    x = torch.zeros(30, 7)
    x[:20] = torch.tensor([0.5, 1e6, 1e6, 1e6, math.inf, math.nan, 1e6])
    x[20:] = torch.tensor([1.0, 1.0, -1e6, 1e6, 1.0, 1.0, math.nan])
    assert fast.background_of(x).tolist() == [0.5, 0, 1e6, 1e6, 0, 0, 0]


@on_x86
def test_error_of_the_background_is_not_common_to_all_images():
    x = drawn(dark=0.99)["x_train"]
    torch.manual_seed(3)
    layer = torch.nn.Linear(784, 64)
    exact = x.double() @ layer.weight.double().t() + layer.bias.double()
    errors = fast.pack(x).linear(layer.weight, layer.bias).double() - exact
    assert errors.mean(dim=0).abs().max() < 1.5e-7


def test_pixels_stay_plain_where_all_are_the_same():
    x = torch.full((30, 784), 0.5)
    assert fast.pack(x) is x


def test_pixels_stay_plain_on_other_processors(monkeypatch):
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "DEFAULT")
    parts = drawn()
    assert parts["x_packed"] is parts["x_train"]


@on_x86
@pytest.mark.parametrize(
    ("definition", "lr", "status"),
    [
        (MANUAL_BCE, 0.001, "finished"),
        (MANUAL_BCE, 0.1, "diverged"),
        (["module", "BCELoss", [], "yhat"], 0.001, "finished"),
    ],
)
def test_packed_and_plain_pixels_train_alike(definition, lr, status):
    chosen, parts = settings(epochs=40, lr=lr, loss_definition=definition), drawn()
    packed = diagnosed(chosen, parts)
    plain = diagnosed(chosen, parts | {"x_packed": parts["x_train"]})
    assert packed.outcome.status == status
    for key in ("status", "diverged_epoch", "correct", "test_correct"):
        assert getattr(packed.outcome, key) == getattr(plain.outcome, key)
    losses = [[row.loss for row in model.evidence.trained.history] for model in (packed, plain)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5, nan_ok=True)


@on_x86
@pytest.mark.parametrize("hidden", [[], [8], [8, 4]])
def test_logits_and_gradients_are_those_of_the_plain_network(hidden):
    parts = drawn()
    network = build_network(784, hidden, ["Tanh", []], 3)
    found = []
    for pixels in (parts["x_packed"], parts["x_train"]):
        network.zero_grad()
        logits, yhat = forward(network, pixels)
        torch.nn.functional.binary_cross_entropy(yhat, parts["y_train"]).backward()
        found.append([logits.detach(), yhat.detach(), *(parameter.grad for parameter in network.parameters())])
    assert torch.equal(forward(network, parts["x_train"])[0], network[:-1](parts["x_train"]))
    for packed, plain in zip(*found, strict=True):
        torch.testing.assert_close(packed, plain, rtol=1e-4, atol=1e-6)


@on_x86
@pytest.mark.parametrize("broken", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("where", ["pixel", "weight", "bias"])
def test_packed_pixels_hide_nothing_that_is_not_finite(where, broken):
    x = drawn()["x_train"]
    layer = torch.nn.Linear(784, 4)
    target = {"pixel": x[7], "weight": layer.weight[2], "bias": layer.bias}[where]
    target.data[3] = broken
    packed = fast.pack(x).linear(layer.weight, layer.bias)
    plain = layer(x)
    assert not plain.isfinite().all()
    assert torch.equal(packed.isfinite(), plain.isfinite())


@pytest.mark.parametrize("arguments", [{}, {"betas": [0.5, 0.9], "eps": 1e-3}, {"amsgrad": True, "weight_decay": 0.1}])
def test_adam_takes_the_steps_of_torch_to_the_last_bit(arguments):
    networks = [build_network(784, [8], ["ReLU", []], 3) for _ in range(2)]
    ours = build_optimizer(["Adam", list(arguments.items())], 0.01, networks[0].parameters())
    theirs = torch.optim.Adam(networks[1].parameters(), lr=0.01, **arguments)
    assert isinstance(ours, fast.Adam)
    parts = data()
    for _ in range(10):
        for network, optimizer in zip(networks, (ours, theirs), strict=True):
            loss = torch.nn.functional.binary_cross_entropy(network(parts["x_train"]), parts["y_train"])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    for a, b in zip(networks[0].parameters(), networks[1].parameters(), strict=True):
        assert torch.equal(a, b)


def test_parameter_without_a_gradient_stays():
    weights = [torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)]
    optimizer = fast.Adam(weights, lr=0.1)
    weights[0].sum().backward()
    optimizer.step()
    assert weights[0].tolist() == pytest.approx([0.9, 0.9])
    assert weights[1].tolist() == [1, 1]


def test_training_and_diagnosis_do_not_import_what_takes_a_second():
    code = (
        f"import sys; sys.path[:0] = [{str(ROOT / 'workflow/scripts')!r}, {str(ROOT / 'tests')!r}]\n"
        "import torch, train, diagnose\n"
        "from builders.training import data, diagnosed, settings\n"
        "diagnosed(settings(epochs=2), data())\n"
        "names = ('torch._dynamo', 'torchvision', 'matplotlib', 'pandas', 'sympy')\n"
        "print([name for name in names if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


@pytest.mark.parametrize("module", ["plot", "report", "experiment.config"])
def test_plot_report_and_the_snakefile_never_import_torch(module):
    scripts = str(ROOT / "workflow/scripts")
    code = f"import sys; sys.path.insert(0, {scripts!r}); import {module}; print('torch' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "False"
