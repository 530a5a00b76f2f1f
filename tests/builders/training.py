"""A training of two small clouds of points in this process: data, settings, losses."""

import torch
import train

from findings.evidence import task
from training.fast import pack

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
        "trials": 0,
    }
    return defaults | {"loss_definition": MANUAL_BCE} | changes


def train_seed(seed: int, chosen: dict, parts: dict) -> train.Trained:
    return train.train_seed(seed, task(chosen, parts))


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


def positive(parts) -> None:
    for part in ("train", "test"):
        parts[f"x_{part}"].abs_()
