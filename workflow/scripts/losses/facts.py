"""What follows from the sign chart of a loss: from what float32 makes of one image's loss at every logit.

φ(z) is the loss of one image as a function of its logit. The records hold nothing but numbers, text and lists, so that
they are strict JSON; a number that is not finite is the text 'inf', '-inf' or 'nan', which `float` reads. The functions
below each state one fact about a chart, under the name of its kind of finding. No torch here: the page reads charts.

The border is the logit 0, where yhat is 0.5. An image of label 1 is wrong below it, one of label 0 above it; a step of
gradient descent moves a logit against the gradient's sign.
"""

import math

from formulas.float32 import HALF, LARGEST
from records.losses import Interval, LabelChart, LossChart


def logit_text(value: float) -> str:
    """A logit for the reader: one at which float32 has ŷ = 0.5 is 0, the largest number of float32 is 3.4e38."""
    value = 0.0 if abs(value) <= HALF else value
    text = f"{value:.4g}" if abs(value) < LARGEST else f"{math.copysign(3.4e38, value):.1e}".replace("e+", "e")
    return text.replace("-", "−")


def not_per_image(chart: LossChart) -> dict | None:
    """Why the loss is no sum or mean over images."""
    return None if chart.per_image else {"why": chart.why_not}


def wrong_way(chart: LossChart) -> dict | None:
    """Per label that is pushed away from itself: whether everywhere, and the parts [low, high] of the line.

    A push back to a best logit on the right side is none: (logits - y)² pulls an overconfident 1 back to logit 1. Nor
    is one to the border, see `border_optimum`.
    """
    return _per_label(chart, _wrong_way)


def _wrong_way(label_chart: LabelChart) -> dict | None:
    away, towards = "+-" if label_chart.label else "-+"
    parts: list[list[float]] = []
    for interval, before in zip(label_chart.intervals, [None, *label_chart.intervals[:-1]], strict=True):
        if interval.slope == away:
            goes_on = parts and before.slope == away
            parts = [*parts[:-1], [parts[-1][0], interval.high]] if goes_on else [*parts, [interval.low, interval.high]]
    # A step moves the images of a part to that end of it where the other label is.
    parts = [[low, high] for low, high in parts if (low < 0 if label_chart.label else high > 0)]
    whole = not any(interval.slope == towards for interval in label_chart.intervals)
    return {"whole": whole, "parts": parts} if parts else None


def never_finite(chart: LossChart) -> dict | None:
    """Per label for which φ is finite at no logit."""
    return _per_label(chart, lambda label_chart: {} if math.isnan(float(label_chart.least)) else None)


def ignores_class(chart: LossChart) -> dict | None:
    """The one label for which φ has no gradient anywhere."""
    still = [label_chart.label for label_chart in chart.labels if _is_still(label_chart)]
    return {"label": still[0]} if len(still) == 1 else None


def no_gradient(chart: LossChart) -> dict | None:
    """φ has no gradient anywhere, for either label."""
    return {} if all(map(_is_still, chart.labels)) else None


def _is_still(label_chart: LabelChart) -> bool:
    """Whether no image of the label is moved, at any logit at which loss and gradient are finite."""
    finite = [interval for interval in label_chart.intervals if interval.is_finite]
    return bool(finite) and all(interval.slope == "0" for interval in finite)


def ignores_labels(chart: LossChart) -> dict | None:
    """φ has a gradient, and the same one for both labels."""
    is_anywhere = any(interval.is_finite for label_chart in chart.labels for interval in label_chart.intervals)
    return {} if chart.same_gradient and is_anywhere and no_gradient(chart) is None else None


def border_optimum(chart: LossChart) -> dict | None:
    """Per label whose best logit is the border, or on the other label's side, or on both alike: where, and which.

    One that has no gradient anywhere has no best logit, nor has a loss that is finite at no logit of a label.
    """
    return None if never_finite(chart) else _per_label(chart, _border_optimum)


def _border_optimum(label_chart: LabelChart) -> dict | None:
    best = label_chart.infimum
    if best is None or _is_still(label_chart):
        return None
    if best.across is not None:
        low, high = sorted((min((best.low, best.high), key=abs), best.across))
        return {"low": low, "high": high, "towards": best.towards, "where": "both"}
    if best.high > HALF if label_chart.label else best.low < -HALF:
        return None
    is_border = best.low <= HALF and best.high >= -HALF
    return {"low": best.low, "high": best.high, "towards": best.towards, "where": "border" if is_border else "beyond"}


def unbounded(chart: LossChart) -> dict | None:
    """Per label for which φ has no lower bound: towards which end it falls, None where it has a pole at a logit, and
    whether that is the label's own side.
    """
    return None if never_finite(chart) else _per_label(chart, _unbounded)


def _unbounded(label_chart: LabelChart) -> dict | None:
    if label_chart.infimum is None or label_chart.infimum.value != "-inf":
        return None
    best = label_chart.infimum
    return {"towards": best.towards, "own_side": best.low > 0 if label_chart.label else best.high < 0}


def floor(chart: LossChart) -> dict | None:
    """Per label for which φ stays above 0, exactly and in float32: by how much."""
    return None if never_finite(chart) else _per_label(chart, _floor)


def _floor(label_chart: LabelChart) -> dict | None:
    if label_chart.infimum is None:
        return None
    value = label_chart.infimum.value
    return {"infimum": value} if min(float(value), float(label_chart.least)) > 0 else None


def is_hopeless(chart: LossChart) -> bool:
    """Whether no training with it can be good, whatever else is changed: it is never finite, has no gradient, ignores a
    class or the labels, is least at the border or beyond, or pushes all images away from their class."""
    facts = (never_finite, no_gradient, ignores_class, ignores_labels, border_optimum)
    wronged = (wrong_way(chart) or {}).values()
    return any(fact(chart) is not None for fact in facts) or sum(one["whole"] for one in wronged) == 2


def limits(chart: LossChart) -> dict[str, float | None]:
    """The first logit at which an image that the network gets right makes φ or its gradient non-finite.

    'upper' for an image with y = 1, whose logit grows; 'lower' for one with y = 0. None where no logit does, or where
    the border itself is not safe. Training drives both outwards, so these are the limits that a run approaches.
    """
    of_zero, of_one = chart.labels
    lower = _first_unsafe([interval for interval in reversed(of_zero.intervals) if interval.low <= 0])
    upper = _first_unsafe([interval for interval in of_one.intervals if interval.high >= 0])
    return {"lower": lower and lower.high, "upper": upper and upper.low}


def is_safe(chart: LossChart) -> bool:
    """Whether φ and its gradient are finite wherever the network gets an image right."""
    right = (
        interval
        for one in chart.labels
        for interval in one.intervals
        if (interval.high > HALF if one.label else interval.low < -HALF)
    )
    return all(interval.is_finite for interval in right)


def finite_within(chart: LossChart) -> float:
    """The logit up to which φ and its gradient are finite, to either side and for both labels; infinity where they are
    at every logit of float32."""
    broken = [one for label_chart in chart.labels for one in label_chart.intervals if not one.is_finite]
    return min((_from_border(one) for one in broken), default=math.inf)


def _from_border(interval: Interval) -> float:
    return 0.0 if interval.low <= 0 <= interval.high else min(abs(interval.low), abs(interval.high))


def pulls_back(chart: LossChart) -> bool:
    """Whether the computed gradient of every wrong image, at every logit of float32, is towards its class."""
    return all(
        interval.gradient == ("-" if one.label else "+")
        for one in chart.labels
        for interval in one.intervals
        if (interval.low < -HALF if one.label else interval.high > HALF)
    )


def _first_unsafe(outwards: list[Interval]) -> Interval | None:
    bad = next((place for place, interval in enumerate(outwards) if not interval.is_finite), 0)
    return outwards[bad] if bad else None


def _per_label(chart: LossChart, fact) -> dict | None:
    found = {str(label_chart.label): fact(label_chart) for label_chart in chart.labels if chart.per_image}
    return {label: facts for label, facts in found.items() if facts is not None} or None
