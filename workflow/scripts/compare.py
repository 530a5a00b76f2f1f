"""What only shows when all variants lie side by side: every loss at the weights that broke one, what one change did,
which images each model gets wrong.

Losses are computed in float32 at the very weights that broke, one thread.
"""

from common.startup import torch

import csv
import functools
import io
import math
from pathlib import Path

import numpy as np

from common.archives import read_arrays
from common.english import counted
from common.errors import logged
from common.files import write, write_json, write_sums
from common.params import read_params
from common.tensors import read_tensors
from comparing.images import wrong_images
from comparing.pairs import changes
from comparing.significance import significance
from comparing.survival import survival_rows
from records.metrics import Metrics, read_metrics
from records.strict import as_json
from records.training import MODEL_FILES
from training.data import read_data
from training.loss import Loss, build_loss
from training.network import build_network, forward

known_data = functools.lru_cache(maxsize=1)(read_data)  # the variants of a sweep follow each other


def at_broken_weights(losses: dict[str, Loss], metrics: dict[str, Metrics], folder: Path, normalized: Path) -> list:
    """Every loss at the last finite weights of each model that diverged: rows of same_weights.csv."""
    rows = []
    for variant, entry in metrics.items():
        settings = entry.settings
        for seed in (model.seed for model in entry.seeds if model.status == "diverged"):
            data = known_data(normalized / f"{settings.normalization}.pt")
            network = build_network(data["x_train"].shape[1], settings.hidden, settings.activation, seed)
            network.load_state_dict(read_tensors(folder / variant / str(seed) / MODEL_FILES["broken"]))
            for name, loss in losses.items():
                value, norm = value_and_norm(loss, network, data["x_packed"], data["y_train"])
                rows.append({"variant": variant, "loss": name, "seed": seed, "value": value, "gradient_norm": norm})
    return rows


def value_and_norm(loss: Loss, network: torch.nn.Sequential, x, y: torch.Tensor) -> tuple[float, float]:
    """A loss at the network's weights, and the norm of its gradient."""
    logits, yhat = forward(network, x)
    value = loss(y, yhat, logits)
    gradients = torch.autograd.grad(value, list(network.parameters()), allow_unused=True) if value.requires_grad else ()
    squares = sum(float(gradient.double().square().sum()) for gradient in gradients if gradient is not None)
    return value.item(), math.sqrt(squares)


def table(rows: list[dict], columns: list[str]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def predictions_of(entry: Metrics, folder: Path) -> dict[str, np.ndarray]:
    """ŷ of the final weights of its models: train (seeds, n), test (seeds, m)."""
    each = [read_arrays(folder / entry.variant / str(model.seed) / MODEL_FILES["predictions"]) for model in entry.seeds]
    return {part: np.stack([arrays[part] for arrays in each]) for part in ("train", "test")}


def main(experiment: dict, folder: Path, normalized: Path, output: dict) -> str:
    """folder: of the variants. Writes what was found; tells it in a line."""
    losses = {name: build_loss(definition) for name, definition in experiment["losses"].items()}
    metrics = {
        name: read_metrics(folder / name / "metrics.json", settings["seeds"])
        for name, settings in experiment["variants"].items()
    }
    entries = list(metrics.values())
    same = at_broken_weights(losses, metrics, folder, normalized)
    write(output["same_weights"], table(same, ["variant", "seed", "loss", "value", "gradient_norm"]))
    write(output["survival"], table(survival_rows(entries), ["variant", "epoch", "finite", "seeds"]))
    predictions = {name: predictions_of(entry, folder) for name, entry in metrics.items()}
    counts = entries[0].counts
    y = {part: np.repeat([False, True], getattr(counts, part)) for part in ("train", "test")}
    right, wrong = wrong_images(entries, predictions, y)
    compared = changes(experiment["variants"], metrics, {name: of["test"] for name, of in right.items()})
    write_json(output["changes"], as_json(compared))
    write_json(output["significance"], as_json(significance(entries, wrong)))
    write_json(output["wrong"], wrong)
    write_sums(output["sums"], [file for name, file in output.items() if name != "sums"])
    diverged = sum(model.status == "diverged" for entry in entries for model in entry.seeds)
    of_losses = f"; {counted(len(losses), 'loss', 'losses')} at the weights of {counted(diverged, 'broken model')}"
    return f"{counted(len(compared), 'change')} compared{of_losses if diverged else ''}"


if __name__ == "__main__":
    with logged(snakemake.log[0]) as say:
        torch.set_num_threads(snakemake.threads)
        variants, normalized = Path(snakemake.input.metrics[0]).parents[1], Path(snakemake.input.normalized[0]).parent
        say(main(read_params(snakemake.params), variants, normalized, dict(snakemake.output.items())))
