"""When would a run that ended well have diverged? Its own logits, carried on."""

import math

import numpy as np
from msgspec.structs import replace

from losses.facts import limits
from records.losses import LossChart
from records.metrics import Forecast
from training.trained import Trained

FEWEST = 50  # epochs: of fewer, nothing can be told
WINDOW = 3  # a line is laid through the last third of the epochs
CUTS = (0.9, 0.8, 0.7)  # of the epochs: what the lines would have said then counts, too
NEARER, FARTHER = 0.75, 1.25  # of the way to the earliest and to the latest epoch that a line says: the range
MOST_EPOCHS = 1e9  # a line that takes longer never gets there
HORIZON = 10  # times the epochs trained: what is farther is not in sight


def forecast(extremes: list[float], limit: float) -> Forecast:
    """The epoch at which the largest (smallest) logit reaches a limit above (below) it.

    extremes: that logit per epoch, from 0.

    Two lines are laid through the last third of the logits, so that they meet the last one: one straight, one in the
    logarithm of the epoch. Logits mostly grow by less than the first says and by more than the second. The range is
    that of both lines, now and as they would have been at 70, 80 and 90 % of the epochs, its early end a quarter nearer
    to now and its late end a quarter farther from it. docs/results.md says how often it held the truth.
    """
    logits = np.asarray(extremes, dtype=np.float64)
    now = len(logits) - 1
    if not np.isfinite(logits).all():
        return Forecast(epoch=None, why="the logits were not finite")
    is_past = (limit - logits) * math.copysign(1, limit) <= 0
    if is_past[:-1].any():  # it is other images, then, for which this loss is not finite there
        return Forecast(epoch=None, why="logits beyond that limit have not broken it")
    if is_past[-1]:  # of the last step's weights, whose loss was not asked for
        return Forecast(epoch=now, low=now, high=now)
    if now < FEWEST:
        return Forecast(epoch=None, why=f"fewer than {FEWEST} epochs are too few to tell")
    straight, curved = _lines(logits, limit)
    cuts = [round(cut * len(logits)) for cut in CUTS]
    earlier = [end for cut in cuts for end in _lines(logits[:cut], limit)]
    left = straight - now
    if math.isfinite(curved):
        left = math.sqrt(left * (curved - now))
    if not now + left <= HORIZON * now:
        return Forecast(epoch=None, why="not in sight")
    ends = [straight, curved, *earlier]
    low, late = min(ends), now + FARTHER * (max(ends) - now)
    return Forecast(
        epoch=max(now + 1, math.ceil(now + left)),
        low=max(now + 1, math.floor(now + NEARER * (low - now))),
        high=math.ceil(late) if late <= HORIZON * now else None,
    )


def is_soon(found: Forecast, epochs: int) -> bool:
    """Whether every line gets there within twice the epochs; the range's late end is farther off than the latest."""
    return found.high is not None and found.high <= (1 + FARTHER) * epochs


def _lines(logits: np.ndarray, limit: float) -> tuple[float, float]:
    """The epochs at which a straight line, and one in the logarithm of the epoch, reach the limit; infinite if not."""
    last = len(logits) - 1
    epochs = np.arange(last - len(logits) // WINDOW + 1, last + 1)
    to_go = limit - logits[-1]
    slope, slope_of_log = (np.polyfit(times, logits[epochs], 1)[0] for times in (epochs, np.log(epochs + 1)))
    straight = last + to_go / slope if slope * to_go > 0 else math.inf
    power = to_go / slope_of_log if slope_of_log * to_go > 0 else math.inf
    return straight, (last + 1) * math.exp(power) - 1 if power < math.log(MOST_EPOCHS) else math.inf


def next_divergence(chart: LossChart, trained: Trained) -> Forecast:
    """The forecast of a finished run: the sooner of the largest and the smallest logit to reach what breaks the loss.

    Only where the loss drives images all the way there: one that is least before, as PoissonNLLLoss is on logits, holds
    them back.
    """
    at = {side: limit for side, limit in limits(chart).items() if limit is not None}
    if not at:
        why = "safe: loss and gradient are finite however sure the network is of a right image"
        return Forecast(epoch=None, why=why)
    driven = {side: limit for side, limit in at.items() if _is_driven(chart, side)}
    if not driven:
        return Forecast(epoch=None, why="the loss holds its images back before the logits at which it is not finite")
    extremes = {
        "lower": [row.min_logit for row in trained.history] + [trained.logits.min().item()],
        "upper": [row.max_logit for row in trained.history] + [trained.logits.max().item()],
    }
    found = [replace(forecast(extremes[side], limit), side=side, limit=limit) for side, limit in driven.items()]
    return min(found, key=lambda one: math.inf if one.epoch is None else one.epoch)


def _is_driven(chart: LossChart, side: str) -> bool:
    """Whether at every logit from the border out to the limit the gradient drives a right image further out."""
    label = chart.labels[1 if side == "upper" else 0]
    limit = limits(chart)[side]
    low, high = (0.0, limit) if side == "upper" else (limit, 0.0)
    outwards = "-" if side == "upper" else "+"
    inside = [
        interval for interval in label.intervals if interval.is_finite and interval.high > low and interval.low < high
    ]
    return all(one.slope == outwards for one in inside)
