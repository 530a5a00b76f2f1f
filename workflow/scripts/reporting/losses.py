"""The losses beside each other: their sign charts as strips, and their values at the weights that broke one of them."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from common.english import counted
from formulas.float32 import ONE_LOGIT, ZERO_LOGIT
from losses.facts import finite_within, is_safe, limits, logit_text
from records.losses import Interval, LabelChart, LossChart, LossFile
from records.metrics import Metrics

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
class Tick:
    """A number under a strip, 0 to 100 from the left, and what is there."""

    left: float
    number: str
    means: str


@dataclass(frozen=True)
class Reach:
    """From the smallest to the largest logit: of a variant in the last epoch, or when its loss broke; or of many.

    who: in words; variant: its name, None of many; broke: where the first loss that is not finite broke, if at a logit.
    """

    who: str
    variant: str | None
    diverged: bool
    low: float
    high: float
    broke: float | None

    @property
    def left(self) -> float:
        return place(self.low)

    @property
    def right(self) -> float:
        return place(self.high)

    @property
    def words(self) -> str:
        return f"{_short(self.low)} to {_short(self.high)}"


@dataclass(frozen=True)
class LossStrips:
    """One loss: its strips, its axis, the variants trained with it (all, and as the page shows them), and whether it is
    safe: no image that the network gets right makes it or its gradient non-finite.

    why_not: why it is no sum or mean over images, so that the strips are but an example; None where it is one.
    better: how to type it instead, and what that gains; None where it needs no better form, or none is known.
    """

    name: str
    is_safe: bool
    why_not: str | None
    strips: list[Strip]
    ticks: list[Tick]
    all_reaches: list[Reach]
    reaches: list[Reach]
    better: str | None


MARKS = {ZERO_LOGIT: "ŷ = 0", 0.0: "ŷ = ½", ONE_LOGIT: "ŷ = 1"}
ROUND = (-10.0, 10.0, -100.0, 100.0)  # named where there is room
ROOM = 11.5  # of a number, in 100; of 300 pixels these are 34
NAMED_REACHES = 5  # of one loss; those of more are merged
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


def strips(
    losses: dict[str, LossFile], metrics: list[Metrics], variants: dict, histories: list[pd.DataFrame]
) -> list[LossStrips]:
    """Every loss of the config; histories: the history.csv of each variant, in the order of metrics."""
    of_loss: dict[str, list[Reach]] = {}
    for entry, history in zip(metrics, histories, strict=True):
        reach = _reach(entry, history)
        if reach:
            of_loss.setdefault(variants[entry.variant]["loss"], []).append(reach)
    return [
        LossStrips(
            name=name,
            is_safe=is_safe(loss.chart),
            why_not=loss.chart.why_not,
            strips=[_strip(label) for label in loss.chart.labels],
            ticks=_ticks(loss.chart),
            all_reaches=of_loss.get(name, []),
            reaches=_merged(of_loss.get(name, [])),
            better=better(loss),
        )
        for name, loss in losses.items()
    ]


def _ticks(chart: LossChart) -> list[Tick]:
    """The loss's own limits and the marks of ŷ first, then where a strip changes, then round numbers, as there is
    room."""
    own = [edge for edge in limits(chart).values() if edge is not None] if chart.per_image else []
    changes = [one.low for label in chart.labels for one in label.intervals[1:]]
    found: list[Tick] = []
    for logit in [*own, *MARKS, *sorted(changes, key=abs), *ROUND]:
        left = place(logit)
        if min(left, 100 - left) > ROOM / 2 and all(abs(left - one.left) > ROOM for one in found):
            near = [mark for at, mark in MARKS.items() if abs(at - logit) < 0.001 * (1 + abs(at))]
            found.append(Tick(left, _short(logit), near[0] if near else ""))
    return sorted(found, key=lambda tick: tick.left)


def _short(logit: float) -> str:
    """Three digits: −88.7; 12,346; −4.8e5."""
    size = abs(logit)
    if size >= 1e5:
        return f"{logit:.1e}".replace("e+0", "e").replace("e+", "e").replace("-", "−")
    return (f"{logit:,.0f}" if size >= 1000 else f"{logit:.3g}").replace("-", "−")


def _reach(entry: Metrics, history: pd.DataFrame) -> Reach | None:
    """None where no logit was finite."""
    last = _last_logits(history)
    diverged = sorted((model for model in entry.seeds if model.autopsy), key=lambda model: model.autopsy.epoch)
    ends = [*(last or ())]
    for model in diverged:
        ends += [float(end) for of in model.autopsy.logits.values() for end in (of.min, of.max) if end is not None]
    ends = [end for end in ends if math.isfinite(end)]
    if not ends:
        return None
    first = diverged[0].autopsy if diverged else None
    logit = float(first.image.logit) if first and first.image and first.cause in ("loss", "gradient") else math.nan
    broke = place(logit) if math.isfinite(logit) else None
    return Reach(entry.variant, entry.variant, bool(diverged), min(ends), max(ends), broke)


def _merged(reaches: list[Reach]) -> list[Reach]:
    """Of many variants their common reach, those that diverged apart."""
    if len(reaches) <= NAMED_REACHES:
        return reaches
    merged = []
    for diverged in (False, True):
        alike = [one for one in reaches if one.diverged is diverged]
        if alike:
            low, high = min(one.low for one in alike), max(one.high for one in alike)
            merged.append(Reach(counted(len(alike), "variant"), None, diverged, low, high, None))
    return merged


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
