"""What published rules look at, recorded by a plain loop of torch on the very runs that the pipeline trains.

The same seed, network, loss, pixels and number of steps as in the pipeline; torch's own optimizer and dense products.
"""

import hashlib
import json
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, fields
from functools import cache
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch

sys.path.append(str(Path(__file__).resolve().parents[2] / "workflow/scripts"))

from formulas.parsing import parse_normalization
from images.idx import read_idx_classes
from training.loss import Loss, build_loss
from training.network import build_network
from training.normalization import normalize

PROCESSES = 2


@dataclass(frozen=True)
class Recording:
    """One training, on all training images: a row per epoch, before its step, up to the first loss that is not finite.

    epochs: how many were asked for. rate: the learning rate. pixels: (2,), the least and the largest after
    normalization. loss, accuracy: (epochs,); test_loss, test_accuracy: the same of the test images, which stand for
    validation. gradient_norm, gradient_mean: (epochs, layers), of each layer's weights, the mean of the absolute
    values. zero_gradients: (epochs,), which share of all gradients is exactly 0. update: (epochs, layers), the mean
    absolute step over the mean absolute weight. not_positive: (epochs, ReLU layers), which share of the outputs is at
    most 0. inactive: (epochs, ReLU layers), which share of the units is positive for less than 1 % of the images.
    silent: (epochs, hidden layers but Sigmoid and Tanh), which share of the units is below 1e-5 for more than 95 % of
    the images. beyond_5: (epochs, Sigmoid layers, ŷ's among them), which share of the inputs is 5 or more from 0.
    saturated: (epochs, Sigmoid layers), which share of the units has less than 1 % of its inputs in (-23, 16.99999).
    """

    epochs: np.ndarray
    rate: np.ndarray
    pixels: np.ndarray
    loss: np.ndarray
    accuracy: np.ndarray
    test_loss: np.ndarray
    test_accuracy: np.ndarray
    gradient_norm: np.ndarray
    gradient_mean: np.ndarray
    zero_gradients: np.ndarray
    update: np.ndarray
    not_positive: np.ndarray
    inactive: np.ndarray
    silent: np.ndarray
    beyond_5: np.ndarray
    saturated: np.ndarray


def record(settings: dict, x: torch.Tensor, y: torch.Tensor, x_test: torch.Tensor, y_test: torch.Tensor) -> Recording:
    """Train one variant's first seed; x (n, 784), y (n, 1), x_test (m, 784), y_test (m, 1)."""
    network = build_network(x.shape[1], settings["hidden"], settings["activation"], settings["seeds"][0])
    name, arguments = settings["optimizer"]
    optimizer = getattr(torch.optim, name)(network.parameters(), lr=settings["lr"], **dict(arguments))
    loss_function = build_loss(settings["loss_definition"])
    layers = [layer for layer in network if isinstance(layer, torch.nn.Linear)]
    rows = []
    for _ in range(settings["epochs"]):
        values = forward(network, x)
        loss = loss_function(y, values[-1], values[-2])
        optimizer.zero_grad()
        loss.backward()
        with torch.no_grad():
            row = {"loss": loss.item(), "accuracy": accuracy(values[-1], y)}
            row |= of_test(network, loss_function, x_test, y_test) | of_gradients(network, layers)
            row |= of_activations(network, values)
            before = [layer.weight.clone() for layer in layers]
        optimizer.step()
        with torch.no_grad():
            row["update"] = [step_size(old, layer.weight) for old, layer in zip(before, layers, strict=True)]
        rows.append(row)
        if not loss.isfinite():
            break
    columns = {key: np.array([row[key] for row in rows], dtype=float) for key in rows[0]}
    pixels = np.array([x.min().item(), x.max().item()])
    return Recording(epochs=np.array(settings["epochs"]), rate=np.array(settings["lr"]), pixels=pixels, **columns)


def forward(network: torch.nn.Sequential, x: torch.Tensor) -> list[torch.Tensor]:
    """What goes into each layer, and what comes out of the last."""
    values = [x]
    for layer in network:
        values.append(layer(values[-1]))
    return values


def accuracy(yhat: torch.Tensor, y: torch.Tensor) -> float:
    """As the frameworks have it: a ŷ that is NaN counts as a 0."""
    return ((yhat > 0.5) == (y == 1)).float().mean().item()


def of_test(network: torch.nn.Sequential, loss_function: Loss, x: torch.Tensor, y: torch.Tensor) -> dict:
    *_, logits, yhat = forward(network, x)
    return {"test_loss": loss_function(y, yhat, logits).item(), "test_accuracy": accuracy(yhat, y)}


def of_gradients(network: torch.nn.Sequential, layers: list[torch.nn.Linear]) -> dict:
    """A parameter that the loss does not reach has a gradient of 0."""
    for parameter in network.parameters():
        if parameter.grad is None:
            parameter.grad = torch.zeros_like(parameter)
    gradients = [layer.weight.grad for layer in layers]
    every = torch.cat([parameter.grad.flatten() for parameter in network.parameters()])
    return {
        "gradient_norm": [gradient.norm().item() for gradient in gradients],
        "gradient_mean": [gradient.abs().mean().item() for gradient in gradients],
        "zero_gradients": (every == 0).float().mean().item(),
    }


def of_activations(network: torch.nn.Sequential, values: list[torch.Tensor]) -> dict:
    """values: as `forward` gives them. A NaN is neither dead nor saturated."""
    row: dict[str, list[float]] = {key: [] for key in ("not_positive", "inactive", "silent", "beyond_5", "saturated")}
    for layer, inputs, outputs in zip(network, values, values[1:], strict=False):
        if isinstance(layer, torch.nn.Linear):
            continue
        if isinstance(layer, torch.nn.ReLU):
            row["not_positive"].append(share(outputs <= 0))
            row["inactive"].append(share((~(outputs <= 0)).float().mean(0) < 0.01))
        if isinstance(layer, torch.nn.Sigmoid):
            row["beyond_5"].append(share(inputs.abs() >= 5))
            row["saturated"].append(share(((inputs <= -23) | (inputs >= 16.99999)).float().mean(0) > 0.99))
        elif not isinstance(layer, torch.nn.Tanh):
            row["silent"].append(share((outputs.abs() < 1e-5).float().mean(0) > 0.95))
    return row


def share(is_so: torch.Tensor) -> float:
    return is_so.float().mean().item()


def step_size(before: torch.Tensor, after: torch.Tensor) -> float:
    """The mean absolute step over the mean absolute weight before it."""
    return ((after - before).abs().mean() / before.abs().mean()).item()


@cache
def digits(raw: Path, classes: tuple) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
    """{'train', 'test'}: uint8 images (n, 28, 28) of the two classes, y = 0 first, and y (n, 1)."""
    parts = {}
    for part, (zeros, ones) in read_idx_classes(raw, list(classes)).items():
        y = torch.cat([torch.zeros(len(zeros), 1), torch.ones(len(ones), 1)])
        parts[part] = torch.cat([zeros, ones]), y
    return parts


def record_variant(settings: dict, classes: list, raw: Path) -> Recording:
    parts = digits(raw, tuple(classes))
    (train, y), (test, y_test) = parts["train"], parts["test"]
    formula, constants = settings["normalization_definition"]
    x, x_test = normalize(parse_normalization(formula, dict(constants)), train, test)
    return record(settings, x, y, x_test, y_test)


def cached(settings: dict, classes: list, raw: Path, folder: Path | None) -> Recording:
    """A recording, from the folder where it is there; another loop or other settings are another file."""
    if folder is None:
        return record_variant(settings, classes, raw)
    content = Path(__file__).read_bytes() + json.dumps([settings, classes], sort_keys=True).encode()
    path = folder / f"{hashlib.blake2b(content, digest_size=16).hexdigest()}.npz"
    if path.exists():
        with np.load(path) as arrays:
            return Recording(**arrays)
    recording = record_variant(settings, classes, raw)
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(path, **{field.name: getattr(recording, field.name) for field in fields(recording)})
    return recording


def recordings(
    variants: dict[str, dict], classes: list, raw: Path, folder: Path | None
) -> Iterator[tuple[str, Recording]]:
    """Each variant's recording, in their order, made by PROCESSES processes of one thread each."""
    pool = ProcessPoolExecutor(PROCESSES, get_context("spawn"), torch.set_num_threads, (1,))
    with pool:
        jobs = {name: pool.submit(cached, settings, classes, raw, folder) for name, settings in variants.items()}
        for name, job in jobs.items():
            yield name, job.result()
