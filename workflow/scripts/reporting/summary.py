"""summary.csv, and the rows of the page's table."""

import math
from dataclasses import dataclass

import pandas as pd

from records.metrics import Forecast, Metrics
from records.strict import as_json
from records.training import as_named

COLUMNS = {
    "variant": "string",
    "seed": "UInt64",
    "loss": "string",
    "normalization": "string",
    "status": "string",
    "diverged_epoch": "Int64",
    "correct": "Int64",
    "n": "Int64",
    "accuracy": "Float64",
    "test_correct": "Int64",
    "test_n": "Int64",
    "test_accuracy": "Float64",
    "final_loss": "Float64",
    "max_logit": "Float64",
    "epochs": "Int64",
    "seconds": "Float64",
    "verdict": "string",
    "findings": "string",
    "hidden": "string",
    "activation": "string",
    "optimizer": "string",
    "lr": "Float64",
    "device": "string",
}
SETTING_COLUMNS = ("loss", "normalization", "hidden", "activation", "optimizer", "lr")


@dataclass(frozen=True, kw_only=True)
class SeedMean:
    """The mean over the seeds that survived, of which there are so many; the smallest and the largest of them."""

    mean: float
    low: float
    high: float
    seeds: int


@dataclass(frozen=True, kw_only=True)
class VariantRow:
    """One variant in the page's table, over its seeds.

    survived: how many of its seeds have only finite losses. correct, test_correct: of the one seed that survived; over
    several there is only the mean share. word, state: as those of Metrics; alike: how many models have that word.
    alarms: the kinds of finding that are an alarm in some seed, the most telling first. margin: the smallest of all
    seeds. forecast: the soonest.
    """

    variant: str
    settings: dict
    seeds: int
    word: str
    state: str
    alike: int
    alarms: list[str]
    survived: int
    n: int
    test_n: int
    correct: int | None
    test_correct: int | None
    accuracy: SeedMean | None
    test_accuracy: SeedMean | None
    final_loss: SeedMean | None
    diverged_epochs: list[int]
    margin: float | None
    forecast: Forecast | None
    seconds: float


def summarize(metrics: list[Metrics], variants: dict) -> pd.DataFrame:
    """The tidy table of COLUMNS, a row per variant and seed."""
    rows = [
        as_json(outcome)
        | {"variant": entry.variant, "findings": ";".join(finding.kind for finding in outcome.findings)}
        | {key: _cell(key, value) for key, value in variants[entry.variant].items() if key in SETTING_COLUMNS}
        | {"device": entry.device}
        for entry in metrics
        for outcome in entry.seeds
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)


def _cell(key: str, value):
    """A setting in a table: 64x32, SGD(momentum=0.9)."""
    match key:
        case "hidden":
            return "x".join(map(str, value)) or "none"
        case "activation" | "optimizer":
            name, arguments = value
            inside = ", ".join(f"{argument}={given}" for argument, given in arguments)
            return f"{name}({inside})" if inside else name
    return value


def over_seeds(metrics: list[Metrics], variants: dict) -> list[VariantRow]:
    """A row per variant."""
    return [_row(entry, variants[entry.variant]) for entry in metrics]


def _row(entry: Metrics, settings: dict) -> VariantRow:
    alive = [model for model in entry.seeds if model.status == "finished"]
    only = alive[0] if len(alive) == 1 else None
    forecasts = [model.forecast for model in alive if model.forecast.epoch is not None]
    return VariantRow(
        variant=entry.variant,
        settings=settings,
        seeds=len(entry.seeds),
        word=entry.word,
        state=entry.state,
        alike=sum(model.word == entry.word for model in entry.seeds),
        alarms=list(dict.fromkeys(found.kind for model in entry.seeds for found in model.findings if found.alarm)),
        survived=len(alive),
        n=entry.seeds[0].n,
        test_n=entry.seeds[0].test_n,
        correct=only and only.correct,
        test_correct=only and only.test_correct,
        accuracy=_mean([model.accuracy for model in alive]),
        test_accuracy=_mean([model.test_accuracy for model in alive]),
        final_loss=_mean([model.final_loss for model in alive]),
        diverged_epochs=[model.diverged_epoch for model in entry.seeds if model.status == "diverged"],
        margin=min((model.margin for model in entry.seeds if model.margin is not None), default=None),
        forecast=min(forecasts, key=lambda one: one.epoch, default=None),
        seconds=sum(model.seconds for model in entry.seeds),
    )


def broken_loss(entry: Metrics, history: pd.DataFrame) -> float | None:
    """What the first loss was that is not finite, of the seed that diverged first; None where all finished.

    NaN, too, where only the last step broke the weights, after which no loss was computed.
    """
    diverged = [model for model in entry.seeds if model.diverged_epoch is not None]
    if not diverged:
        return None
    first = min(diverged, key=lambda model: model.diverged_epoch)
    there = history[(history["seed"] == first.seed) & (history["epoch"] == first.diverged_epoch)]
    return math.nan if there.empty else float(there["loss"].iloc[0])


def differing(variants: dict) -> list[str]:
    """The settings, beside loss and normalization, that are not the same for all variants; in config.yaml's order."""
    settings = list(variants.values())
    keys = [key for key in as_named(settings[0]) if key not in ("loss", "normalization")]
    return [key for key in keys if any(of_variant[key] != settings[0][key] for of_variant in settings)]


def _mean(values: list) -> SeedMean | None:
    values = [value for value in values if value is not None]
    if not values:
        return None
    return SeedMean(mean=sum(values) / len(values), low=min(values), high=max(values), seeds=len(values))
