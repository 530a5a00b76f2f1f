"""Training on an accelerator: on torch's lazy device, which computes on the CPU but, as an accelerator, takes no tensor
of the CPU's; and on the real ones, where there are any."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
import torch._lazy.ts_backend
import train

from autopsy.autopsy import autopsy
from builders.pipeline import Pipeline
from builders.training import MANUAL_BCE, data, settings, train_seed
from builders.workflows import small_config
from common.errors import UserError
from cures.snippets import snippet
from experiment.config import check
from training import device
from training.loop import Run
from training.loss import build_loss
from training.network import build_network, forward

REAL = [name for name in device.available() if name != "cpu"]
FEW = 4  # each epoch takes the lazy device longer than the one before
BCE = ["module", "BCEWithLogitsLoss", [["pos_weight", 2.0]], "logits"]


@cache
def lazy_device() -> str:
    torch._lazy.ts_backend.init()  # once in a process
    return "lazy"


@pytest.fixture(params=["lazy", *REAL])
def accelerator(request, monkeypatch) -> str:
    if request.param == "lazy":
        lazy_device()
        monkeypatch.setattr(device, "available", lambda: ["cpu", "lazy"])
    return request.param


def test_accelerator_of_the_tests_takes_no_tensor_of_the_cpu(accelerator):
    with pytest.raises(RuntimeError):
        print(torch.ones(2, 3, device=accelerator) @ torch.ones(3))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"optimizer": ["SGD", []], "lr": 0.5, "activation": ["Tanh", []]},
        {"optimizer": ["Adagrad", []], "hidden": [8, 4]},
        {"loss_definition": BCE, "hidden": []},
        {"loss_definition": ["formula", "mean(where(y == 1, softplus(-logits), softplus(logits)))", []]},
    ],
    ids=["Adam", "SGD", "Adagrad", "pos_weight", "where"],
)
def test_accelerator_trains_as_the_cpu_up_to_last_digits(accelerator, changes):
    parts = data()
    changes = {"epochs": FEW} | changes
    here = train_seed(7, settings(**changes), parts)
    there = train_seed(7, settings(**changes, device=accelerator), parts)
    np.testing.assert_allclose([row.loss for row in there.history], [row.loss for row in here.history], rtol=1e-4)
    assert [row.test_wrong for row in there.history] == [row.test_wrong for row in here.history]
    np.testing.assert_allclose(there.test, here.test, rtol=1e-3, atol=1e-5)
    assert there.outcome.verdict == here.outcome.verdict
    assert [one.kind for one in there.outcome.findings] == [one.kind for one in here.outcome.findings]
    assert {weights.device.type for weights in there.state_dict.values()} == {"cpu"}


@pytest.mark.parametrize(
    ("changes", "scale"),
    [
        ({}, 1000.0),
        ({"loss_definition": ["formula", "mean(sqrt(yhat - yhat) * logits)", []]}, 1.0),
        ({"optimizer": ["Adam", [["eps", 0.0]]], "loss_definition": ["formula", "0 * mean(yhat)", []]}, 1.0),
        ({"loss_definition": ["formula", "mean(logits ** 2)", []], "optimizer": ["SGD", []], "lr": 1e3}, 1.0),
    ],
    ids=["loss", "gradient", "optimizer", "rate"],
)
def test_accelerator_s_divergence_is_taken_apart_as_the_cpu_s(accelerator, changes, scale):
    parts = data(scale=scale)
    changes = {"epochs": 60} | changes
    here = train_seed(7, settings(**changes), parts).outcome
    there = train_seed(7, settings(**changes, device=accelerator), parts)
    assert here.status == there.outcome.status == "diverged"
    for key in ("epoch", "cause"):
        assert getattr(there.outcome.autopsy, key) == getattr(here.autopsy, key)
    assert [one.expression for one in there.outcome.autopsy.culprits] == [
        one.expression for one in here.autopsy.culprits
    ]
    assert np.isfinite(there.last_finite).all()


def test_trials_are_made_on_the_accelerator(accelerator, monkeypatch):
    parts, used, trained = data(scale=1000.0), [], train.train

    def seen(network, optimizer, loss, x, y, *others, **more):
        used.append({y.device.type, *(one.device.type for one in network.parameters())})
        return trained(network, optimizer, loss, x, y, *others, **more)

    monkeypatch.setattr(train, "train", seen)
    chosen = settings(epochs=FEW, trials=2, seeds=[7], variant="v", loss="manual", normalization="raw")
    chosen |= {"normalization_definition": ["x", []]}
    here, there = (train.train_all(chosen | {"device": one}, parts, None)[7].outcome for one in ("cpu", accelerator))
    assert [one.change for one in there.tried + there.cures] == [one.change for one in here.tried + here.cures] != []
    assert [one.verdict for one in there.tried + there.cures] == [one.verdict for one in here.tried + here.cures]
    assert used == [{"cpu"}] * (len(used) // 2) + [{accelerator}] * (len(used) // 2)
    assert len(used) == 2 * (1 + len(there.tried + there.cures))


def test_snippet_says_where_it_was_tried():
    given = settings(device="cuda", loss="manual", normalization="raw")
    assert "device: cuda" in snippet("v", 7, given, {"lr": 0.1}, "slower")


def test_what_only_the_accelerator_found_is_said_to_be_so():
    parts = data()
    found = Run(
        history=[train.Row(float("nan"), None, 0.0, 0.0, 0, 0)],
        diverged_epoch=0,
        weights=list(build_network(784, [8], ["ReLU", []], 7).state_dict().values()),
    )
    network = build_network(784, [8], ["ReLU", []], 7)
    with torch.no_grad():
        found = replace(found, broke=forward(network, parts["x_train"]))
    told = autopsy(network, build_loss(MANUAL_BCE), parts, found, settings(), 7)
    assert told.cause == "device"
    assert told.sentence.startswith(
        "At epoch 0 the loss was NaN by the accelerator's arithmetic; by the CPU's it is 0."
    )


def test_random_numbers_of_the_device_are_drawn_as_if_nobody_had_looked(accelerator):
    if accelerator == "lazy":
        pytest.skip("torch's lazy device has no random state of its own")
    one = torch.device(accelerator)
    drawn = []
    for looks in (0, 3):
        torch.manual_seed(5)
        for _ in range(looks):
            with device.kept_random_state(one):
                torch.rand(9, device=one)
        drawn.append(torch.rand(4, device=one).cpu())
    assert torch.equal(*drawn)


def test_page_and_summary_name_the_device(tmp_path, small_mnist):
    config = small_config(small_mnist) | {"diagnosis": {"trials": 0}}
    good = config["variants"]["good"]
    config["variants"] = {"good": good | {"device": "cpu"}, "auto": good | {"device": "auto"}}
    Pipeline(tmp_path).run(check(config))
    assert ("last digits need not be" in (tmp_path / "results/page").read_text()) == (REAL != [])
    assert (tmp_path / "results/summary").read_text().splitlines()[0].endswith(",lr,device")


def test_device_that_is_asked_for_is_chosen_or_refused(monkeypatch):
    for there, asked, name in (
        (["cpu"], "cpu", "cpu"),
        (["cpu"], "auto", "cpu"),
        (["cpu", "cuda"], "cpu", "cpu"),
        (["cpu", "cuda"], "auto", "cuda"),
        (["cpu", "mps"], "auto", "mps"),
        (["cpu", "mps"], "mps", "mps"),
    ):
        monkeypatch.setattr(device, "available", lambda there=there: there)
        assert device.chosen(asked).type == name
    monkeypatch.setattr(device, "available", lambda: ["cpu", "mps"])
    with pytest.raises(UserError, match=r"^device: found cuda, expected one of: cpu, mps$"):
        device.chosen("cuda")
