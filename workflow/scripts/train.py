"""Train one variant: a model per seed, full-batch gradient descent, a row of history per epoch.

This is the notebook's loop. Epoch e is the forward pass with the weights before step e; predictions and model.pt are
those after the last step. A loss that is not finite is a result, not an error: the job goes on and records it.
"""

import csv
import io
import math
import time
from pathlib import Path

import numpy as np
import torch

from common.errors import UserError, logged
from common.files import write, write_json
from common.network import Loss, build_loss, build_network, build_optimizer

HISTORY = ("loss", "accuracy", "min_logit", "max_logit", "yhat_zeros", "yhat_ones")


def forward(network: torch.nn.Sequential, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """logits and yhat, each (n, 1), of x (n, 784)."""
    logits = network[:-1](x)
    return logits, network[-1](logits)


def measure(loss: torch.Tensor, logits: torch.Tensor, yhat: torch.Tensor, y: torch.Tensor) -> tuple:
    """A row of history.csv: the values of HISTORY; accuracy is None where a yhat is NaN (NaN > 0.5 is false)."""
    correct = count_correct(yhat, y)
    return (
        loss.item(),
        None if correct is None else correct / len(y),
        logits.min().item(),
        logits.max().item(),
        int((yhat == 0).sum()),
        int((yhat == 1).sum()),
    )


def count_correct(yhat: torch.Tensor, y: torch.Tensor) -> int | None:
    """How many of yhat > 0.5 agree with y; None where any yhat is NaN."""
    return None if yhat.isnan().any() else int(((yhat > 0.5) == (y == 1)).sum())


def train(
    network: torch.nn.Sequential,
    optimizer: torch.optim.Optimizer,
    loss_function: Loss,
    x: torch.Tensor,
    y: torch.Tensor,
    epochs: int,
) -> list[tuple]:
    """Take `epochs` steps of full-batch gradient descent on x (n, 784), y (n, 1); returns HISTORY per epoch."""
    history: list[tuple] = []
    for epoch in range(epochs):
        logits, yhat = forward(network, x)
        loss = loss_function(y, yhat, logits)
        with torch.no_grad():
            history.append(measure(loss, logits, yhat, y))
        if not math.isfinite(loss.item()) and all(weights.isnan().all() for weights in network.parameters()):
            # No step brings a weight back from NaN: every later epoch is this one again.
            history += [history[-1]] * (epochs - epoch - 1)
            break
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return history


def train_seed(seed: int, settings: dict, data: dict) -> dict:
    """Everything that one seed gives: its state_dict, history, predictions and outcome (a row of summary.csv)."""
    network = build_network(data["x_train"].shape[1], settings["hidden"], settings["activation"], seed)
    optimizer = build_optimizer(settings["optimizer"], settings["lr"], network.parameters())
    loss_function = build_loss(settings["loss_definition"])
    start = time.perf_counter()
    history = train(network, optimizer, loss_function, data["x_train"], data["y_train"], settings["epochs"])
    seconds = time.perf_counter() - start
    with torch.no_grad():
        train_logits, train_yhat = forward(network, data["x_train"])
        _, test_yhat = forward(network, data["x_test"])
    correct, test_correct = count_correct(train_yhat, data["y_train"]), count_correct(test_yhat, data["y_test"])
    # A finite loss whose step broke the weights would only show at the next epoch.
    losses = [row[0] for row in history] + [0.0 if correct is not None else math.nan]
    diverged_epoch = next((epoch for epoch, loss in enumerate(losses) if not math.isfinite(loss)), None)
    finished = diverged_epoch is None
    n, m = len(train_yhat), len(test_yhat)
    logits = [row[3] for row in history] + [train_logits.max().item()]
    outcome = {
        "seed": seed,
        "status": "finished" if finished else "diverged",
        "diverged_epoch": diverged_epoch,
        "correct": correct if finished else None,
        "n": n,
        "accuracy": correct / n if finished else None,
        "test_correct": test_correct if finished else None,
        "test_n": m,
        "test_accuracy": test_correct / m if finished and test_correct is not None else None,
        "final_loss": history[-1][0] if finished else None,
        "max_logit": max(filter(math.isfinite, logits), default=None),
        "epochs": settings["epochs"],
        "seconds": round(seconds, 3),
    }
    return {
        "outcome": outcome,
        "history": history,
        "state_dict": network.state_dict(),
        "train": train_yhat.flatten().numpy(),
        "test": test_yhat.flatten().numpy(),
    }


def history_csv(histories: dict[int, list[tuple]]) -> str:
    """history.csv: seed, epoch, then HISTORY; NaN and None are empty cells, an infinite loss is 'inf' or '-inf'."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["seed", "epoch", *HISTORY])
    for seed, history in histories.items():
        for epoch, row in enumerate(history):
            table.writerow([seed, epoch, *(_cell(value) for value in row)])
    return text.getvalue()


def _cell(value) -> str:
    if value is None or math.isnan(value):
        return ""
    # The shortest text that reads back as the same float32.
    return str(np.float32(value)) if isinstance(value, float) else str(value)


def main(normalized: Path, settings: dict, output: dict) -> None:
    data = torch.load(normalized, weights_only=True, mmap=True)
    try:
        results = {seed: train_seed(seed, settings, data) for seed in settings["seeds"]}
    except (RuntimeError, TypeError, ValueError) as error:
        raise UserError(f"variant {settings['variant']}: torch refuses its settings: {error}") from None

    model, predictions = io.BytesIO(), io.BytesIO()
    torch.save({seed: result["state_dict"] for seed, result in results.items()}, model)
    np.savez(
        predictions, **{part: np.stack([result[part] for result in results.values()]) for part in ("train", "test")}
    )
    counts = {part: [int((data[f"y_{part}"] == y).sum()) for y in (0, 1)] for part in ("train", "test")}
    write(output["model"], model.getvalue())
    write(output["predictions"], predictions.getvalue())
    write(output["history"], history_csv({seed: result["history"] for seed, result in results.items()}))
    write_json(
        output["metrics"],
        {
            "variant": settings["variant"],
            "counts": counts,
            "seeds": [result["outcome"] for result in results.values()],
        },
    )


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        torch.set_num_threads(snakemake.threads)
        settings = {"variant": snakemake.wildcards.variant, **dict(snakemake.params.items())}
        main(Path(snakemake.input.normalized), settings, dict(snakemake.output.items()))
