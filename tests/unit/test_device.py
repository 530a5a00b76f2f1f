"""Training on an accelerator: on torch's lazy device, which computes on the CPU but, as an accelerator, takes no tensor
of the CPU's; and on the real ones, where there are any."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
import torch._lazy.ts_backend
import train
from msgspec import structs

from autopsy.autopsy import autopsy
from builders.pipeline import Pipeline
from builders.training import MANUAL_BCE, data, diagnosed, outcomes, settings, trained
from builders.workflows import small_config
from common.errors import UserError
from cures.snippets import snippet
from experiment.config import check
from training import device
from training.history import Row
from training.loss import build_loss
from training.network import build_network, forward
from training.observer import Observer
from training.trained import Trained

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
    here, there = (diagnosed(settings(**changes, device=place), parts) for place in ("cpu", accelerator))
    on_cpu, on_accelerator = here.evidence.trained, there.evidence.trained
    losses = [[row.loss for row in model.history] for model in (on_accelerator, on_cpu)]
    np.testing.assert_allclose(*losses, rtol=1e-4)
    assert [row.test_wrong for row in on_accelerator.history] == [row.test_wrong for row in on_cpu.history]
    np.testing.assert_allclose(on_accelerator.test_yhat, on_cpu.test_yhat, rtol=1e-3, atol=1e-5)
    assert there.outcome.verdict == here.outcome.verdict
    assert [finding.kind for finding in there.outcome.findings] == [finding.kind for finding in here.outcome.findings]
    assert devices_of(on_accelerator) == {"cpu"}


def devices_of(model: Trained) -> set[str]:
    """Where the tensors are that a model leaves."""
    tensors = [model.logits, model.yhat, model.test_yhat, *model.weights.values(), *(model.last_finite or {}).values()]
    tensors += [tensor for tensor in (model.test_answers, model.last_finite_yhat) if tensor is not None]
    return {tensor.device.type for tensor in [*tensors, *(model.broke or ())]}


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
    judged = diagnosed(settings(**changes, device=accelerator), parts)
    here, there = diagnosed(settings(**changes), parts).outcome, judged.outcome
    assert here.status == there.status == "diverged"
    for key in ("epoch", "cause"):
        assert getattr(there.autopsy, key) == getattr(here.autopsy, key)
    assert [step.expression for step in there.autopsy.culprits] == [step.expression for step in here.autopsy.culprits]
    assert judged.evidence.trained.last_finite_yhat.isfinite().all()
    assert devices_of(judged.evidence.trained) == {"cpu"}


def test_trials_are_made_on_the_accelerator(accelerator, monkeypatch):
    parts, used = data(scale=1000.0), []

    def seen(network, loss, x, y, *others):
        used.append({y.device.type, *(parameter.device.type for parameter in network.parameters())})
        return Observer(network, loss, x, y, *others)

    monkeypatch.setattr(train, "Observer", seen)
    models = [trained(settings(epochs=FEW, device="cpu"), parts)]
    (here,) = outcomes(models, parts, None, trials=2)
    models = [trained(settings(epochs=FEW, device=accelerator), parts)]
    (there,) = outcomes(models, parts, None, trials=2)
    changes, verdicts = (
        [[getattr(trial, key) for trial in outcome.tried + outcome.cures] for outcome in (here, there)]
        for key in ("change", "verdict")
    )
    assert changes[0] == changes[1] != []
    assert verdicts[0] == verdicts[1]
    assert used == [{"cpu"}] * (len(used) // 2) + [{accelerator}] * (len(used) // 2)
    assert len(used) == 2 * (1 + len(there.tried + there.cures))


def test_snippet_says_where_it_was_tried():
    given = settings(device="cuda", loss="manual", normalization="raw")
    assert "device: cuda" in snippet("v", 7, given, {"lr": 0.1}, "slower")


def test_what_only_the_accelerator_found_is_said_to_be_so():
    parts = data()
    model = trained(settings(), parts)
    record = structs.replace(model.record, diverged_epoch=0, largest_weight=1.0)
    with torch.no_grad():
        broke = forward(build_network(784, [8], ["ReLU", []], 7), parts["x_train"])
    model = replace(model, record=record, history=[Row(float("nan"), None, 0.0, 0.0, 0, 0)], broke=broke)
    told = autopsy(model, build_loss(MANUAL_BCE), parts, settings(), train.train)
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
