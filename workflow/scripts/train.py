"""Train one variant: a model per seed, full-batch gradient descent, a row of history per epoch.

This is the notebook's loop. Epoch e is the forward pass with the weights before step e; predictions and model.pt are
those after the last step. A loss that is not finite is a result, not an error: the job goes on, records it, and takes
the forward pass that broke it apart.
"""

from common.startup import torch

import io
import math
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from common.errors import UserError, logged
from common.files import write, write_json
from diagnosis.autopsy import autopsy
from diagnosis.forecast import next_divergence
from diagnosis.records import BrokenNormalization, Counts, Metrics, Outcome, as_json, from_json
from formulas.float32 import ONE_LOGIT
from training.fast import pack
from training.history import Row, count_correct, history_csv
from training.loop import Run, train
from training.loss import Loss, build_loss
from training.network import build_network, forward
from training.optimizer import build_optimizer


@dataclass
class Trained:
    """What one seed gives, beside its outcome.

    history: a row per epoch. state_dict: of the weights after the last step. broken: of the last finite weights, None
    where the seed finished. train, test: ŷ of the final weights, float32 (n,) and (m,).
    """

    outcome: Outcome
    history: list[Row]
    state_dict: dict[str, torch.Tensor]
    broken: dict[str, torch.Tensor] | None
    train: np.ndarray
    test: np.ndarray


def train_seed(seed: int, settings: dict, data: dict) -> Trained:
    """Train one seed and look at what became of it.

    data: x_train (n, 784), the same as x_packed, y_train (n, 1), x_test (m, 784), y_test (m, 1); `broken` where the
    normalization broke x_train.
    """
    network = build_network(data["x_train"].shape[1], settings["hidden"], settings["activation"], seed)
    optimizer = build_optimizer(settings["optimizer"], settings["lr"], network.parameters())
    loss_function = build_loss(settings["loss_definition"])
    start = time.perf_counter()
    run = train(network, optimizer, loss_function, data["x_packed"], data["y_train"], settings["epochs"])
    seconds = time.perf_counter() - start
    with torch.no_grad():
        _, test_yhat = forward(network, data["x_test"])
    outcome = judge(seed, run, test_yhat, loss_function, data, seconds)
    state_dict = {name: weights.clone() for name, weights in network.state_dict().items()}
    broken = None
    if outcome.status == "diverged":
        found = autopsy(network, loss_function, data, run, settings, seed)
        outcome = replace(outcome, autopsy=found)
        broken = dict(zip(state_dict, run.last_finite_weights(), strict=True))
    yhat = {"train": run.yhat.flatten().numpy(), "test": test_yhat.flatten().numpy()}
    return Trained(outcome=outcome, history=run.history, state_dict=state_dict, broken=broken, **yhat)


def judge(seed: int, run: Run, test_yhat: torch.Tensor, loss_function: Loss, data: dict, seconds: float) -> Outcome:
    """The outcome of a run, without its autopsy; test_yhat: (m, 1)."""
    finished = run.diverged_epoch is None
    n, test_n = len(run.yhat), len(test_yhat)
    correct = count_correct(run.yhat, data["y_train"]) if finished else None
    test_correct = count_correct(test_yhat, data["y_test"]) if finished else None
    extremes = {
        "lower": [row.min_logit for row in run.history] + [run.logits.min().item()],
        "upper": [row.max_logit for row in run.history] + [run.logits.max().item()],
    }
    max_logit = max(filter(math.isfinite, extremes["upper"]), default=None)
    return Outcome(
        seed=seed,
        status="finished" if finished else "diverged",
        diverged_epoch=run.diverged_epoch,
        correct=correct,
        n=n,
        accuracy=None if correct is None else correct / n,
        test_correct=test_correct,
        test_n=test_n,
        test_accuracy=None if test_correct is None else test_correct / test_n,
        final_loss=run.history[-1].loss if finished else None,
        max_logit=max_logit,
        epochs=len(run.history),
        seconds=round(seconds, 3),
        margin=None if max_logit is None else ONE_LOGIT - max_logit,
        forecast=next_divergence(loss_function, extremes) if finished else None,
        autopsy=None,
    )


def main(normalized: Path, settings: dict, output: dict) -> None:
    data = torch.load(normalized, weights_only=True)
    data["x_packed"] = pack(data["x_train"])
    if "broken" in data:
        data["broken"] = from_json(data["broken"], BrokenNormalization)
    try:
        results = {seed: train_seed(seed, settings, data) for seed in settings["seeds"]}
    except (AssertionError, RuntimeError, TypeError, ValueError) as error:
        raise UserError(f"variant {settings['variant']}: torch refuses its settings: {error}") from None

    model, broken, predictions = io.BytesIO(), io.BytesIO(), io.BytesIO()
    torch.save({seed: result.state_dict for seed, result in results.items()}, model)
    torch.save({seed: result.broken for seed, result in results.items() if result.broken}, broken)
    yhat = {part: np.stack([getattr(result, part) for result in results.values()]) for part in ("train", "test")}
    np.savez(predictions, **yhat)
    counts = {part: tuple(int((data[f"y_{part}"] == y).sum()) for y in (0, 1)) for part in ("train", "test")}
    outcomes = [result.outcome for result in results.values()]
    metrics = Metrics(variant=settings["variant"], counts=Counts(**counts), seeds=outcomes)
    write(output["model"], model.getvalue())
    write(output["broken"], broken.getvalue())
    write(output["predictions"], predictions.getvalue())
    write(output["history"], history_csv({seed: result.history for seed, result in results.items()}))
    write_json(output["metrics"], as_json(metrics))


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        torch.set_num_threads(snakemake.threads)
        settings = {"variant": snakemake.wildcards.variant, **dict(snakemake.params.items())}
        main(Path(snakemake.input.normalized), settings, dict(snakemake.output.items()))
