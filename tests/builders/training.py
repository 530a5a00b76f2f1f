"""A training of two small clouds of points in this process: data, settings, losses."""

from pathlib import Path

import diagnose
import torch
from train import train

from findings.judging import Judged, judged
from findings.task import task
from losses.sign_chart import sign_chart
from records.losses import LossFile
from records.metrics import Outcome
from training.fast import pack
from training.loss import build_loss
from training.trained import Trained

MANUAL_BCE = ["formula", "-mean(y * log(yhat) + (1 - y) * log(1 - yhat))", []]
LOGITS = ["module", "BCEWithLogitsLoss", [], "logits"]


def data(n=60, m=20, scale=1.0):
    """Two overlapping clouds of points in 784 dimensions."""
    generator = torch.Generator().manual_seed(3)
    parts = {}
    for part, count in (("train", n), ("test", m)):
        y = (torch.arange(count) >= count // 2).float().unsqueeze(1)
        parts[f"x_{part}"] = scale * (torch.randn(count, 784, generator=generator) + 0.3 * y)
        parts[f"y_{part}"] = y
    parts["x_packed"] = pack(parts["x_train"])
    return parts


def settings(**changes):
    defaults = {
        "hidden": [8],
        "activation": ["ReLU", []],
        "optimizer": ["Adam", []],
        "lr": 0.01,
        "epochs": 12,
        "device": "cpu",
        "classes": [0, 1],
        "variant": "v",
        "code": "0123456789",
        "loss": "manual",
        "loss_definition": MANUAL_BCE,
        "normalization": "raw",
        "normalization_definition": ["x", []],
    }
    return defaults | changes


def trained(chosen: dict, parts: dict, seed: int = 7) -> Trained:
    return train(chosen, seed, parts)


def diagnosed(chosen: dict, parts: dict, seed: int = 7) -> Judged:
    """A model, trained, with what is found about it."""
    return judged(trained(chosen, parts, seed), task(chosen, parts), train)


def judged_task(loss: list, parts: dict | None = None, **changes) -> Judged:
    """A model of the clouds with this loss_definition, with what is found about it."""
    return diagnosed(settings(loss_definition=loss, **changes), parts or healthy())


def outcomes(models: list[Trained], parts: dict, digits: Path | None, trials: int) -> list[Outcome]:
    """What diagnose.py finds about the models of a variant. digits: the raw images, None where no trial needs them."""
    definition = models[0].record.settings.loss_definition
    loss = LossFile(definition=definition, chart=sign_chart(build_loss(definition)), better=None)
    return diagnose.outcomes(models, parts, digits, loss, trials)


def formula(text: str, **constants) -> list:
    return ["formula", text, sorted([name, value] for name, value in constants.items())]


def healthy(n=60, m=40) -> dict:
    """Two clouds so far apart that what is learned of some is true of all."""
    parts = data(n, m)
    for part in ("train", "test"):
        parts[f"x_{part}"] += parts[f"y_{part}"]
    return parts | {"x_packed": pack(parts["x_train"])}


def changed(change, n=60, m=40) -> dict:
    """The clouds with changed pixels."""
    parts = healthy(n, m)
    change(parts)
    return parts | {"x_packed": pack(parts["x_train"])}


def drawn(n=2500, m=50, dark=-0.4) -> dict:
    """Two classes of images, each a few lit pixels on a background that is not 0; three blocks, the last not whole."""
    generator = torch.Generator().manual_seed(5)
    parts = {}
    for part, count in (("train", n), ("test", m)):
        y = (torch.arange(count) >= count // 2).float().unsqueeze(1)
        chance = torch.where(torch.arange(784) < 392, 0.1 + 0.1 * y, 0.2 - 0.1 * y)
        lit = torch.rand(count, 784, generator=generator) < chance
        parts[f"x_{part}"] = torch.where(lit, torch.rand(count, 784, generator=generator), dark)
        parts[f"y_{part}"] = y
    return parts | {"x_packed": pack(parts["x_train"])}


def raw_digits(folder: Path) -> Path:
    """A file such as digits.pt, of as many images as `healthy` has."""
    generator, parts = torch.Generator().manual_seed(5), {}
    for part, n in (("train", 60), ("test", 40)):
        labels = (torch.arange(n) >= n // 2).long()
        images = torch.randint(0, 60, (n, 28, 28), generator=generator)
        images[labels == 1, 5:20, 12:16] += 150
        parts |= {f"{part}_images": images.to(torch.uint8), f"{part}_labels": labels}
    torch.save(parts, folder / "digits.pt")
    return folder / "digits.pt"


def positive(parts) -> None:
    for part in ("train", "test"):
        parts[f"x_{part}"].abs_()
