"""Train one variant: a model per seed, full-batch gradient descent, a row of history per epoch.

This is the notebook's loop. Epoch e is the forward pass with the weights before step e; predictions and model.pt are
those after the last step. A loss that is not finite is a result, not an error: the job goes on, records it, and takes
the forward pass that broke it apart.
"""

from common.startup import torch

import csv
import io
import math
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from common.autopsy import autopsy
from common.errors import UserError, logged
from common.fast import Pixels, pack
from common.files import write, write_json
from common.float32 import ONE_LOGIT
from common.forecast import forecast
from common.network import Loss, build_loss, build_network, build_optimizer, forward
from common.probe import unsafe_logits

HISTORY = ("loss", "accuracy", "min_logit", "max_logit", "yhat_zeros", "yhat_ones")


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


@dataclass
class Run:
    """What one training leaves behind.

    history: HISTORY per epoch. logits, yhat: those of the final weights, (n, 1). diverged_epoch: the first whose loss
    is not finite; `epochs` if every loss was finite but the last step broke the weights; else None. weights: those
    that gave the first non-finite loss. before: those of the epoch before it, None at epoch 0.
    """

    history: list[tuple]
    logits: torch.Tensor | None = None
    yhat: torch.Tensor | None = None
    diverged_epoch: int | None = None
    weights: list[torch.Tensor] | None = None
    before: list[torch.Tensor] | None = None

    def last_finite_weights(self) -> list[torch.Tensor]:
        """The weights of the first non-finite loss, or the ones before if these themselves are broken."""
        broken = not all(weight.isfinite().all() for weight in self.weights)
        return self.before if broken and self.before is not None else self.weights


def train(
    network: torch.nn.Sequential,
    optimizer: torch.optim.Optimizer,
    loss_function: Loss,
    x: Pixels | torch.Tensor,
    y: torch.Tensor,
    epochs: int,
) -> Run:
    """Take `epochs` steps of full-batch gradient descent on x (n, 784), y (n, 1)."""
    parameters = list(network.parameters())
    run = Run(history=[])
    before = None
    for epoch in range(epochs):
        logits, yhat = forward(network, x)
        loss = loss_function(y, yhat, logits)
        with torch.no_grad():
            run.history.append(measure(loss, logits, yhat, y))
        if run.diverged_epoch is None:
            weights = [parameter.detach().clone() for parameter in parameters]
            if not math.isfinite(loss.item()):
                run.diverged_epoch, run.weights, run.before = epoch, weights, before
            before = weights
        elif parameters[-1].isnan().all():
            # No step brings the last bias back from NaN: every logit is NaN, and every later epoch is this one again.
            # Only a unit that no image lights would still move, by the optimizer's momentum, and it shows nowhere.
            # Of the default config's epochs, a quarter.
            run.history += [run.history[-1]] * (epochs - epoch - 1)
            break
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        run.logits, run.yhat = forward(network, x)
    if run.diverged_epoch is None and count_correct(run.yhat, y) is None:
        run.diverged_epoch, run.before = epochs, before
        run.weights = [parameter.detach().clone() for parameter in parameters]
    return run


def train_seed(seed: int, settings: dict, data: dict) -> dict:
    """Everything that one seed gives: its state_dict, history, predictions, outcome and diagnosis."""
    x, y = data["x_packed"], data["y_train"]
    network = build_network(data["x_train"].shape[1], settings["hidden"], settings["activation"], seed)
    optimizer = build_optimizer(settings["optimizer"], settings["lr"], network.parameters())
    loss_function = build_loss(settings["loss_definition"])
    start = time.perf_counter()
    run = train(network, optimizer, loss_function, x, y, settings["epochs"])
    seconds = time.perf_counter() - start
    with torch.no_grad():
        _, test_yhat = forward(network, data["x_test"])
    extremes = {
        "lower": [row[2] for row in run.history] + [run.logits.min().item()],
        "upper": [row[3] for row in run.history] + [run.logits.max().item()],
    }
    finished = run.diverged_epoch is None
    correct = count_correct(run.yhat, y) if finished else None
    test_correct = count_correct(test_yhat, data["y_test"]) if finished else None
    max_logit = max(filter(math.isfinite, extremes["upper"]), default=None)
    outcome = {
        "seed": seed,
        "status": "finished" if finished else "diverged",
        "diverged_epoch": run.diverged_epoch,
        "correct": correct,
        "n": len(y),
        "accuracy": correct / len(y) if finished else None,
        "test_correct": test_correct,
        "test_n": len(test_yhat),
        "test_accuracy": None if test_correct is None else test_correct / len(test_yhat),
        "final_loss": run.history[-1][0] if finished else None,
        "max_logit": max_logit,
        "epochs": settings["epochs"],
        "seconds": round(seconds, 3),
        "margin": None if max_logit is None else ONE_LOGIT - max_logit,
        "forecast": next_divergence(loss_function, extremes) if finished else None,
        "autopsy": None,
    }
    state_dict = {name: weights.clone() for name, weights in network.state_dict().items()}
    broken = None
    if not finished:
        outcome["autopsy"] = autopsy(
            network,
            loss_function,
            data,
            run.diverged_epoch,
            run.weights,
            run.before,
            settings["classes"],
        )
        broken = dict(zip(state_dict, run.last_finite_weights(), strict=True))
    return {
        "outcome": outcome,
        "history": run.history,
        "state_dict": state_dict,
        "broken": broken,
        "train": run.yhat.flatten().numpy(),
        "test": test_yhat.flatten().numpy(),
    }


def next_divergence(loss_function: Loss, extremes: dict[str, list[float]]) -> dict:
    """The forecast of a finished run: the sooner of the largest and the smallest logit to reach what breaks the loss.

    extremes: the largest ('upper') and smallest ('lower') logit per epoch. Returns what `forecast` does, and which
    side and limit it is about; epoch None and `why` where the loss is safe or its limit not in sight.
    """
    limits = {side: limit for side, limit in unsafe_logits(loss_function).items() if limit is not None}
    if not limits:
        return {"epoch": None, "why": "safe: loss and gradient are finite however sure the network is of a right image"}
    found = [{"side": side, "limit": limit, **forecast(extremes[side], limit)} for side, limit in limits.items()]
    return min(found, key=lambda one: math.inf if one["epoch"] is None else one["epoch"])


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
    data = torch.load(normalized, weights_only=True)
    data["x_packed"] = pack(data["x_train"])
    try:
        results = {seed: train_seed(seed, settings, data) for seed in settings["seeds"]}
    except (AssertionError, RuntimeError, TypeError, ValueError) as error:
        raise UserError(f"variant {settings['variant']}: torch refuses its settings: {error}") from None

    model, broken, predictions = io.BytesIO(), io.BytesIO(), io.BytesIO()
    torch.save({seed: result["state_dict"] for seed, result in results.items()}, model)
    torch.save({seed: result["broken"] for seed, result in results.items() if result["broken"]}, broken)
    np.savez(
        predictions, **{part: np.stack([result[part] for result in results.values()]) for part in ("train", "test")}
    )
    counts = {part: [int((data[f"y_{part}"] == y).sum()) for y in (0, 1)] for part in ("train", "test")}
    write(output["model"], model.getvalue())
    write(output["broken"], broken.getvalue())
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
