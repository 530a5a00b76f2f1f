"""The faster ways of computing the same thing, against the plain ones."""

import subprocess
import sys

import pytest
import torch
import train
from conftest import ROOT
from test_train import data, settings

from common import fast
from common.network import build_network, build_optimizer, forward


def test_packed_and_plain_pixels_train_alike(monkeypatch):
    bce = {"epochs": 30, "loss_definition": ["module", "BCELoss", [], "yhat"]}
    packed = train.train_seed(7, settings(**bce), data())
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "DEFAULT")
    parts = data()
    parts["x_packed"] = fast.pack(parts["x_train"])
    assert parts["x_packed"] is parts["x_train"]
    plain = train.train_seed(7, settings(**bce), parts)
    assert packed["outcome"]["correct"] == plain["outcome"]["correct"]
    losses = [[row[0] for row in result["history"]] for result in (packed, plain)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


@pytest.mark.parametrize("hidden", [[], [8], [8, 4]])
def test_forward_is_that_of_the_plain_network(hidden):
    network = build_network(784, hidden, ["Tanh", []], 3)
    x = data()["x_train"]
    with torch.no_grad():
        for pixels in (x, fast.pack(x)):
            logits, yhat = forward(network, pixels)
            torch.testing.assert_close(logits, network[:-1](x), rtol=1e-4, atol=1e-5)
            torch.testing.assert_close(yhat, network(x), rtol=1e-4, atol=1e-5)


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


def test_training_does_not_import_what_takes_a_second():
    code = (
        f"import sys; sys.path[:0] = [{str(ROOT / 'workflow/scripts')!r}, {str(ROOT / 'tests')!r}]\n"
        "import torch, train\nfrom common.network import build_network, build_optimizer\n"
        "optimizer = build_optimizer(['Adam', []], 0.01, build_network(4, [2], ['ReLU', []], 1).parameters())\n"
        "print([name for name in ('torch._dynamo', 'torchvision', 'matplotlib', 'pandas') if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


@pytest.mark.parametrize("module", ["plot", "report", "common.config"])
def test_plot_report_and_the_snakefile_never_import_torch(module):
    scripts = str(ROOT / "workflow/scripts")
    code = f"import sys; sys.path.insert(0, {scripts!r}); import {module}; print('torch' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "False"
