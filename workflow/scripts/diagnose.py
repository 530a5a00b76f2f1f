"""Diagnose one variant: what became of each of its models and why, and what cures the first that is not good.

Trials are trained as models are: by the function of train.py, with one thread.
"""

from common.startup import torch

from dataclasses import replace
from functools import cache, partial
from pathlib import Path

from msgspec import structs
from train import train

from autopsy.normalization import broken_normalization
from common.errors import logged
from common.files import write_json, write_sums
from common.params import read_params
from common.tensors import read_tensors
from findings.judging import judged
from findings.task import Task, task
from findings.unlike import unlike
from findings.verdict_line import told
from formulas.parsing import parse_normalization
from records.losses import LossFile
from records.metrics import Metrics, Outcome
from records.strict import as_json, read_record
from training.data import packed, read_data
from training.normalization import normalized
from training.progress import progress
from training.trained import Trained, load


def explained(data: dict, digits: Path, definition: list) -> dict:
    """The data, with `broken`, the cause, where training pixels are not finite."""
    if data["x_train"].isfinite().all():
        return data
    return data | {"broken": broken_normalization(read_tensors(digits), definition)}


def data_under(digits: Path, definition: list) -> dict:
    """What a model with this normalization_definition would be trained on."""
    formula, constants = definition
    data = packed(normalized(read_tensors(digits), parse_normalization(formula, dict(constants))))
    return explained(data, digits, definition)


def task_of(model: Trained, data: dict, digits: Path, loss: LossFile) -> Task:
    """What it was trained to do, as its own record says."""
    record = model.record
    settings = structs.asdict(record.settings)
    settings |= {"variant": record.variant, "classes": record.classes, "code": record.code}
    chart = loss.chart if loss.definition == record.settings.loss_definition else None
    before = task(settings, explained(data, digits, record.settings.normalization_definition), chart)
    return replace(before, unlike=cache(lambda: unlike(read_tensors(digits))))


def try_out(settings: dict, seed: int, data: dict) -> Trained:
    tell = progress(f"try a cure of {settings['variant']}", settings["epochs"], len(data["y_train"]))
    return train(settings, seed, data, tell)


def outcomes(models: list[Trained], data: dict, digits: Path, loss: LossFile, trials: int) -> list[Outcome]:
    """Of each model, and of the first that is not good what cures it. digits: the raw images."""
    found: list[Outcome] = []
    shared, settings, is_cure_sought = None, None, trials > 0
    for model in models:
        if model.record.settings != settings:  # of all models the same, unless config.yaml changed between them
            shared, settings = task_of(model, data, digits, loss), model.record.settings
        one = judged(model, shared, train)
        outcome = one.outcome
        if outcome.verdict != "good" and is_cure_sought:
            from cures.cures import cured  # of which a good model needs nothing

            outcome, is_cure_sought = cured(one, trials, try_out, partial(data_under, digits)), False
        found.append(outcome)
    return found


def main(folders: list[Path], normalized_file: Path, digits: Path, loss: Path, trials: int, output: dict) -> str:
    """folders: of the models of one variant. Writes what was found; tells it in a line."""
    models = [load(folder) for folder in folders]
    first = models[0].record
    metrics = Metrics(
        variant=first.variant,
        device=first.device,
        code=first.code,
        classes=first.classes,
        settings=first.settings,
        counts=first.counts,
        seeds=outcomes(models, read_data(normalized_file), digits, read_record(loss, LossFile), trials),
    )
    write_json(output["metrics"], as_json(metrics))
    write_sums(output["sums"], [output["metrics"]])
    return told(metrics, [model.history for model in models])


if __name__ == "__main__":
    with logged(snakemake.log[0]) as say:
        torch.set_num_threads(snakemake.threads)
        inputs = snakemake.input
        folders = [Path(file).parent for file in inputs.training]
        files = [Path(file) for file in (inputs.normalized, inputs.digits, inputs.loss)]
        say(main(folders, *files, read_params(snakemake.params)["trials"], dict(snakemake.output.items())))
