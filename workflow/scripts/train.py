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
from functools import partial
from pathlib import Path

import numpy as np
from msgspec import structs

from common.errors import UserError, logged
from common.files import write, write_json, write_sums
from common.params import read_params
from common.tensors import read_tensors
from findings.evidence import Evidence, Task, task
from findings.findings import findings, verdict
from findings.gather import gather
from findings.told import told
from formulas.float32 import ONE_LOGIT
from formulas.parsing import parse_normalization
from records.metrics import BrokenNormalization, Metrics, Outcome
from records.strict import as_json, from_json
from records.training import Counts, Settings
from training.device import chosen, name_of
from training.fast import pack
from training.history import Row, count_correct, history_csv
from training.loop import answers, train
from training.loss import build_loss
from training.network import build_network, forward
from training.normalization import normalized
from training.optimizer import build_optimizer
from training.progress import progress
from training.repeats import Repeats


@dataclass
class Trained:
    """What one seed gives, beside its outcome.

    evidence: what its outcome is told by; None once it was told. history: a row per epoch. state_dict: of the weights
    after the last step. broken: of the last finite weights, None where the seed finished. train, test: ŷ of the final
    weights, float32 (n,) and (m,). last_finite: of the training images at the weights in broken, float32 (n,).
    """

    outcome: Outcome
    evidence: Evidence | None
    history: list[Row]
    state_dict: dict[str, torch.Tensor]
    broken: dict[str, torch.Tensor] | None
    train: np.ndarray
    test: np.ndarray
    last_finite: np.ndarray | None


def train_seed(seed: int, task: Task, called: str = "train") -> Trained:
    """Train one seed and look at what became of it. called: what the terminal calls that."""
    settings, data = task.settings, task.data
    device = chosen(settings["device"])
    # As training sees them: packed on the CPU, plain on an accelerator.
    x = data["x_packed"] if device.type == "cpu" else data["x_train"].to(device)
    y, x_test, y_test = (data[name].to(device) for name in ("y_train", "x_test", "y_test"))
    # The first weights are drawn on the CPU: the same wherever it is trained.
    network = build_network(data["x_train"].shape[1], settings["hidden"], settings["activation"], seed).to(device)
    start = time.perf_counter()
    run = train(
        network,
        build_optimizer(settings["optimizer"], settings["lr"], network.parameters()),
        task.loss,
        x,
        y,
        settings["epochs"],
        Repeats(network, settings["optimizer"]),
        test=(x_test, y_test),
        tell=progress(called, settings["epochs"], len(data["y_train"])),
    )
    seconds = time.perf_counter() - start
    state_dict = {name: weights.detach().cpu().clone() for name, weights in network.state_dict().items()}
    with torch.no_grad():
        test_logits, test_yhat = forward(network, x_test)
        test_loss = task.loss(y_test, test_yhat, test_logits).item()
    broken, last_finite = None, None
    if run.diverged_epoch is not None:
        network.load_state_dict(dict(zip(state_dict, run.last_finite_weights(), strict=True)))
        broken = {name: weights.detach().cpu().clone() for name, weights in network.state_dict().items()}
        last_finite = answers(network, x)[1].flatten().cpu().numpy()
    # What became of it is looked at on the CPU, in float32 and float64, which not every accelerator has.
    network.cpu().load_state_dict(state_dict)
    run, test_yhat = run.on_cpu(), test_yhat.cpu()
    evidence = gather(seed, network, run, test_yhat, test_loss, task)
    yhat = {"train": run.yhat.flatten().numpy(), "test": test_yhat.flatten().numpy()}
    outcome = judge(seed, evidence, seconds)
    return Trained(outcome, evidence, run.history, state_dict, broken, **yhat, last_finite=last_finite)


def rehearse(settings: dict, data: dict) -> None:
    """Take one step on two images. Raises UserError where torch refuses what the schema let through."""
    ends = [0, -1]
    try:
        chosen(settings["device"])
        network = build_network(data["x_train"].shape[1], settings["hidden"], settings["activation"], 0)
        optimizer = build_optimizer(settings["optimizer"], settings["lr"], network.parameters())
        logits, yhat = forward(network, data["x_train"][ends])
        build_loss(settings["loss_definition"])(data["y_train"][ends], yhat, logits).backward()
        optimizer.step()
    except UserError as error:
        raise UserError(f"variant {settings['variant']}: {error}") from None
    except (ArithmeticError, AssertionError, RuntimeError, TypeError, ValueError) as error:
        raise UserError(f"variant {settings['variant']}: torch refuses its settings: {error}") from None


def judge(seed: int, evidence: Evidence, seconds: float) -> Outcome:
    """What becomes of a seed in metrics.json."""
    run, finished = evidence.run, evidence.autopsy is None
    n, test_n = len(run.yhat), len(evidence.test_yhat)
    correct = count_correct(run.yhat, evidence.y) if finished else None
    test_correct = evidence.test_right if finished else None
    logits = [row.max_logit for row in run.history] + [run.logits.max().item()]
    max_logit = max(filter(math.isfinite, logits), default=None)
    found = findings(evidence)
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
        forecast=evidence.forecast,
        autopsy=evidence.autopsy,
        verdict=verdict(evidence, found),
        progress=evidence.progress,
        findings=found,
    )


def data_under(digits: Path, definition: list) -> dict:
    """What a variant with this normalization_definition would be trained on."""
    formula, constants = definition
    data = normalized(read_tensors(digits), parse_normalization(formula, dict(constants)))
    return data | {"x_packed": pack(data["x_train"])}


def train_all(settings: dict, data: dict, digits: Path) -> dict[int, Trained]:
    """Every seed of a variant; for the first that is not good, what makes it so. digits: the raw images."""
    shared = task(settings, data)
    results: dict[int, Trained] = {}
    is_cure_sought = settings["trials"] > 0
    for seed in settings["seeds"]:
        result = train_seed(seed, shared, f"train  {settings['variant']}")
        if result.outcome.verdict != "good" and is_cure_sought:
            from cures.cures import cured

            result.outcome = cured(
                result,
                partial(train_seed, called=f"try a cure of {settings['variant']}"),
                lambda definition: data_under(digits, definition),
            )
            is_cure_sought = False
        results[seed] = replace(result, evidence=None)
    return results


def main(normalized_file: Path, digits: Path, settings: dict, output: dict) -> str:
    """Writes what each seed gives; tells what came out."""
    data = read_tensors(normalized_file)
    data["x_packed"] = pack(data["x_train"])
    if "broken" in data:
        data["broken"] = from_json(data["broken"], BrokenNormalization)
    rehearse(settings, data)
    results = train_all(settings, data, digits)

    model, broken, predictions = io.BytesIO(), io.BytesIO(), io.BytesIO()
    torch.save({seed: result.state_dict for seed, result in results.items()}, model)
    torch.save({seed: result.broken for seed, result in results.items() if result.broken}, broken)
    yhat = {part: np.stack([getattr(result, part) for result in results.values()]) for part in ("train", "test")}
    last_finite = [result.last_finite for result in results.values() if result.broken]
    if last_finite:
        yhat["last_finite"] = np.stack(last_finite)
    np.savez(predictions, **yhat)
    counts = {part: tuple(int((data[f"y_{part}"] == y).sum()) for y in (0, 1)) for part in ("train", "test")}
    outcomes = [result.outcome for result in results.values()]
    said = Settings(**{field.name: settings[field.name] for field in structs.fields(Settings)})
    metrics = Metrics(
        variant=settings["variant"],
        device=name_of(chosen(settings["device"])),
        code=settings["code"],
        classes=settings["classes"],
        settings=said,
        counts=Counts(**counts),
        seeds=outcomes,
    )
    write(output["model"], model.getvalue())
    write(output["broken"], broken.getvalue())
    write(output["predictions"], predictions.getvalue())
    write(output["history"], history_csv({seed: result.history for seed, result in results.items()}))
    write_json(output["metrics"], as_json(metrics))
    write_sums(output["sums"], [file for name, file in output.items() if name != "sums"])
    return told(metrics, [result.history for result in results.values()])


if __name__ == "__main__":
    with logged(snakemake.log[0]) as say:
        torch.set_num_threads(snakemake.threads)
        settings = {"variant": snakemake.wildcards.variant, **read_params(snakemake.params)}
        inputs = Path(snakemake.input.normalized), Path(snakemake.input.digits)
        say(main(*inputs, settings, dict(snakemake.output.items())))
