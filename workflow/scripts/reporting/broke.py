"""The picture of a loss that stops being finite: the loss above, the logit that broke it below, by epoch."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from common.english import symbol
from records.losses import LossChart
from records.metrics import Autopsy, Metrics, Outcome
from reporting.page import short_number

LEFT, RIGHT = 48, 346  # pixels: where the plotting areas begin and end
LOSS, LOGIT, BOTTOM = (16, 78), (102, 196), 212  # their tops and bottoms; the line of the epochs
POINTS_DRAWN = 120  # of a line
CURVED = 1000.0  # logits beyond are drawn on a logarithmic scale
BAND = 20  # pixels that a region has at least
SHORT = 46  # letters of a name that fits into its region


@dataclass(frozen=True)
class Panel:
    """A plotting area: title; path of the model's line as SVG has it, others those of its other seeds that diverged;
    dot, where the line is one point; end, where the loss is not finite; ticks: (pixel, number)."""

    title: str
    path: str
    others: list[str]
    dot: tuple[float, float] | None
    end: tuple[float, float]
    ticks: list[tuple[float, str]]


@dataclass(frozen=True)
class Region:
    """The logits at which the loss of one image is not finite: from top to bottom, in pixels; edge: where it begins,
    pixel and number; name: what happens there; is_short: whether that fits into it."""

    top: float
    bottom: float
    edge: tuple[float, str]
    name: str
    is_short: bool


@dataclass(frozen=True)
class Broke:
    """The drawing of a variant's model that diverged first. epochs: (pixel, number); words: the whole in a sentence;
    image: whether there is a first image, which the card shows beside it."""

    variant: str
    seed: int
    epoch: int
    became: str
    loss: Panel
    logit: Panel
    region: Region | None
    epochs: list[tuple[float, str]]
    words: str


def broke(entry: Metrics, history: pd.DataFrame, chart: LossChart | None) -> Broke | None:
    """None where no model diverged. history: of all its models, see report.py; chart: of its loss."""
    diverged = sorted((model for model in entry.seeds if model.autopsy), key=lambda model: model.autopsy.epoch)
    if not diverged:
        return None
    first, autopsy = diverged[0], diverged[0].autopsy
    is_low = autopsy.image is not None and float(autopsy.image.logit) < 0
    last = max(model.autopsy.epoch for model in diverged)
    across = _scale(-0.5 if last == 0 else 0, last or 0.5, LEFT, RIGHT)
    tables = [
        history[(history["seed"] == model.seed) & (history["epoch"] <= model.autopsy.epoch)] for model in diverged
    ]
    logit = "min_logit" if is_low else "max_logit"
    edge = _edge(autopsy, chart)
    losses, logits = ([_finite(table, column) for table in tables] for column in ("loss", logit))
    down = _logit_scale(np.concatenate([y for _, y in logits]), edge)
    left_out = [pixel for pixel, _ in ([_tick(down, edge)] if edge is not None else [])]
    return Broke(
        variant=entry.variant,
        seed=first.seed,
        epoch=autopsy.epoch,
        became=_became(first, tables[0]),
        loss=_panel("loss", losses, across, _loss_scale(losses), autopsy.epoch, LOSS, []),
        logit=_panel(
            f"{'smallest' if is_low else 'largest'} logit", logits, across, down, autopsy.epoch, LOGIT, left_out
        ),
        region=None if edge is None else _region(autopsy, edge, down, is_low),
        epochs=[(across(epoch), f"{epoch:,}") for epoch in sorted({0, autopsy.epoch})],
        words=f"{entry.variant}: {autopsy.sentence}".replace("`", ""),
    )


def _became(model: Outcome, table: pd.DataFrame) -> str:
    """NaN, ∞ or −∞; NaN, too, where only the last step broke the weights."""
    there = table[table["epoch"] == model.autopsy.epoch]
    return symbol(math.nan if there.empty else float(there["loss"].iloc[0]))


def _finite(table: pd.DataFrame, column: str) -> tuple[np.ndarray, np.ndarray]:
    kept = table[np.isfinite(table[column])]
    places = np.unique(np.linspace(0, len(kept) - 1, min(len(kept), POINTS_DRAWN)).astype(int)) if len(kept) else []
    return kept["epoch"].to_numpy()[places], kept[column].to_numpy(dtype=float)[places]


def _edge(autopsy: Autopsy, chart: LossChart | None) -> float | None:
    """Where the logits begin at which the loss of the first image is not finite, from 0 on; None where the weights, the
    pixels or the optimizer broke, where the loss is no sum over images, or where it is not finite at 0 already."""
    image = autopsy.image
    if autopsy.cause not in ("loss", "gradient") or image is None or chart is None or not chart.per_image:
        return None
    logit, intervals = float(image.logit), chart.labels[image.y].intervals
    inside = [place for place, one in enumerate(intervals) if one.low <= logit <= one.high and not one.is_finite]
    if not inside:
        return None
    place, step = inside[0], -1 if logit > 0 else 1
    while 0 <= place + step < len(intervals) and not intervals[place + step].is_finite:
        place += step
    edge = intervals[place].low if logit > 0 else intervals[place].high
    return edge if edge * logit > 0 else None


def _scale(low: float, high: float, first: float, last: float, curve: Callable = float) -> Callable:
    """From low at the pixel `first` to high at `last`."""
    bottom, top = curve(low), curve(high)
    share = (last - first) / ((top - bottom) or 1)
    return lambda value: round(first + (curve(value) - bottom) * share, 1)


def _loss_scale(losses: list[tuple]) -> Callable:
    values = np.concatenate([y for _, y in losses])
    if not len(values):
        return _scale(0, 1, LOSS[1], LOSS[0])
    low, high = values.min(), values.max()
    curve = math.log10 if low > 0 and high > 20 * low else float
    return _scale(low, high, LOSS[1], LOSS[0], curve)


def _symlog(value: float) -> float:
    return math.copysign(math.log10(1 + abs(value)), value)


def _logit_scale(values: np.ndarray, edge: float | None) -> Callable:
    """Over what is drawn; a region beyond an edge has BAND pixels at least."""
    drawn = [*values, *([] if edge is None else [edge])] or [0, 1]
    low, high = float(min(drawn)), float(max(drawn))
    curve = _symlog if max(abs(low), abs(high)) > CURVED else float
    top, bottom = LOGIT
    above = BAND if edge is not None and edge > 0 else 4
    below = BAND if edge is not None and edge < 0 else 4
    return _scale(low, high, bottom - below, top + above, curve)


def _tick(scale: Callable, value: float) -> tuple[float, str]:
    return scale(value), short_number(value, 4 if abs(value) >= 1 else 3)


def _panel(title: str, lines: list, across: Callable, down: Callable, epoch: int, area: tuple, taken: list) -> Panel:
    """lines: (epochs, values) of each model, first of that which diverged first; taken: pixels of other labels."""
    paths = ["M" + " ".join(f"{across(e)},{down(y)}" for e, y in zip(*line, strict=True)) for line in lines]
    epochs, values = lines[0]
    every = np.concatenate([y for _, y in lines])
    ticks = [_tick(down, one) for one in ({every.min(), every.max()} if len(every) else ())]
    ticks = [(pixel, text) for pixel, text in ticks if all(abs(pixel - other) > 11 for other in taken)]
    end = across(epoch), down(values[-1]) if len(values) else area[0]
    return Panel(
        title=title,
        path=paths[0] if len(values) > 1 else "",
        others=[path for path, (e, _) in zip(paths[1:], lines[1:], strict=True) if len(e) > 1],
        dot=(across(epochs[0]), down(values[0])) if len(values) == 1 else None,
        end=end,
        ticks=ticks,
    )


def _region(autopsy: Autopsy, edge: float, down: Callable, is_low: bool) -> Region:
    pixel, text = _tick(down, edge)
    yhat = f"ŷ = {float(autopsy.image.yhat):.0f}, " if float(autopsy.image.yhat) in (0.0, 1.0) else ""
    culprit = autopsy.culprits[0] if autopsy.culprits else None
    if autopsy.cause == "gradient":
        name = f"{yhat}the loss has no finite derivative"
    elif culprit is None:
        name = f"{yhat}the loss is not finite"
    else:
        kinds = [kind for kind in ("nan", "+inf", "-inf") if any(one.get(kind) for one in culprit.holds.values())]
        name = f"{yhat}{culprit.expression} = {symbol(float(kinds[0]))}" if kinds else f"{yhat}{culprit.expression}"
    top, bottom = (pixel, LOGIT[1]) if is_low else (LOGIT[0], pixel)
    return Region(top, bottom, (pixel, text), name, len(name) <= SHORT and bottom - top >= BAND - 2)
