"""Train one variant: a model per seed, full-batch gradient descent, a row of history per epoch.

This is the notebook's loop. Epoch e is the forward pass with the weights before step e; predictions and model.pt are
those after the last step. A loss that is not finite is a result, not an error: the job goes on, records it, and takes
the forward pass that broke it apart.
"""

from common.startup import torch

import io
import math
import time
from pathlib import Path

import numpy as np

from common.errors import UserError, logged
from common.files import write, write_json
from diagnosis.autopsy import autopsy
from diagnosis.forecast import next_divergence
from formulas.float32 import ONE_LOGIT
from training.fast import pack
from training.history import count_correct, history_csv
from training.loop import train
from training.loss import build_loss
from training.network import build_network, forward
from training.optimizer import build_optimizer


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
