"""The losses beside each other: their sign charts as strips, and their values at the weights that broke one of them."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from formulas.float32 import ONE_LOGIT, ZERO_LOGIT
from losses.facts import finite_within, is_safe, logit_text
from records.losses import Interval, LabelChart, LossFile

SAME_WEIGHTS_ROWS = 40  # rows of the table of all losses at the weights that broke; same_weights.csv has all


@dataclass(frozen=True)
class Piece:
    """A part of a strip: from left to right, 0 to 100, and what a step does to an image there."""

    left: float
    right: float
    does: str


@dataclass(frozen=True)
class Strip:
    """The chart of one label as a strip over the logit, and in words."""

    label: int
    pieces: list[Piece]
    words: list[str]


@dataclass(frozen=True)
class Span:
    """From the smallest to the largest logit of a variant, in its last finite epoch."""

    variant: str
    left: float
    right: float


@dataclass(frozen=True)
class LossStrips:
    """One loss: its strips, the variants trained with it, and whether it is safe: no image that the network gets right
    makes it or its gradient non-finite.

    better: how to type it instead, and what that gains; None where it needs no better form, or none is known.
    """

    name: str
    is_safe: bool
    per_image: bool
    strips: list[Strip]
    spans: list[Span]
    better: str | None


MARKS = {"ŷ = 0": ZERO_LOGIT, "0": 0.0, "ŷ = 1": ONE_LOGIT}
EDGE = 1000.0  # where a strip ends; the logits beyond are in its words
DOES = {
    "right": "towards its class",
    "wrong": "away from its class",
    "still": "not at all: the gradient is exactly 0",
    "broken": "loss or gradient is not finite",
    "unclear": "rounding decides",
}


def place(logit: float) -> float:
    """Where a logit is on a strip, 0 to 100: linear near 0, logarithmic further out."""
    clipped = max(-EDGE, min(EDGE, logit))
    return 50 + 50 * math.copysign(math.log1p(abs(clipped)), clipped) / math.log1p(EDGE)


def marks() -> dict[str, float]:
    return {name: place(logit) for name, logit in MARKS.items()}


def strips(losses: dict[str, LossFile], variants: dict, histories: list[pd.DataFrame]) -> list[LossStrips]:
    """Every loss of the config; histories: the history.csv of each variant."""
    ends = {name: _last_logits(history) for name, history in zip(variants, histories, strict=True)}
    found = []
    for name, loss in losses.items():
        chart = loss.chart
        spans = [
            Span(variant, place(ends[variant][0]), place(ends[variant][1]))
            for variant, settings in variants.items()
            if settings["loss"] == name and ends[variant]
        ]
        found.append(
            LossStrips(
                name, is_safe(chart), chart.per_image, [_strip(label) for label in chart.labels], spans, better(loss)
            )
        )
    return found


def better(loss: LossFile) -> str | None:
    """What to type instead of a loss that float32 breaks, and what that gains; None where nothing is to be told."""
    form = loss.better
    if form is None:
        return None
    constants = "".join(f", {name} = {value}" for name, value in form.constants.items())
    is_cut = loss.definition[1] == "BCELoss"
    what = f"The same {'function without a cut of the logarithms at −100' if is_cut else 'loss'}, typed"
    within, within_before = float(form.finite_within), finite_within(loss.chart)
    if math.isinf(within) and form.pulls_back:
        return f"{what} safely: `{form.formula}`{constants}. It is never NaN, and it pulls back every wrong image."
    told = ["It is never NaN."] if math.isinf(within) else []
    if within_before < within < math.inf:
        told.append(f"It is finite up to a logit of about {logit_text(within)} to either side.")
    told += ["It pulls back every wrong image."] if form.pulls_back else []
    bits, bits_before = f"{form.lost:.1f}", f"{form.lost_before:.1f}"
    if float(bits) < float(bits_before):
        told.append(f"On average float32 loses {bits} of its 24 bits instead of {bits_before}.")
    if form.dead < form.dead_before and not form.pulls_back:
        of = f"{form.dead} of {form.wrong} logits of wrong images instead of {form.dead_before}"
        told.append(f"The gradient is lost at {of}.")
    return " ".join([f"{what} so that float32 loses less of it: `{form.formula}`{constants}.", *told])


def _last_logits(history: pd.DataFrame) -> tuple[float, float] | None:
    """The smallest and largest logit of all seeds, each in its last epoch with a finite loss."""
    finite = history[np.isfinite(history["loss"]) & history["min_logit"].notna()]
    last = finite.drop_duplicates("seed", keep="last")
    return None if last.empty else (last["min_logit"].min(), last["max_logit"].max())


def _strip(label: LabelChart) -> Strip:
    pieces, words = [], []
    for interval in label.intervals:
        does = _does(interval, label.label)
        left, right = place(interval.low), place(interval.high)
        if right > left:
            pieces.append(Piece(left, right, does))
        words.append(f"{logit_text(interval.low)} to {logit_text(interval.high)}: {DOES[does]}")
    return Strip(label.label, pieces, words)


def _does(interval: Interval, label: int) -> str:
    if not interval.is_finite:
        return "broken"
    towards = "-" if label else "+"
    match interval.slope:
        case None:
            return "unclear"
        case "0":
            return "still"
    return "right" if interval.slope == towards else "wrong"


def same_weights(table: pd.DataFrame) -> list[dict]:
    """From same_weights.csv, per diverged model: variant, seed, losses (the value of each, by name)."""
    return [
        {"variant": variant, "seed": seed, "losses": dict(zip(rows["loss"], rows["value"], strict=True))}
        for (variant, seed), rows in table.groupby(["variant", "seed"])
    ]
