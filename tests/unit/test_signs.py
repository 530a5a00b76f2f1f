"""The sign chart of a loss: its intervals, how they flicker, and its record."""

import json
import math
import random
import struct
from itertools import pairwise

import pytest

from builders.formulas import random_losses
from builders.losses import MANUAL_BCE, after, all_charts, class_of, loss_of
from builders.reading import from_json
from formulas.float32 import LARGEST, ONE_LOGIT, ZERO_LOGIT
from losses.intervals import FLICKER
from losses.sign_chart import sign_chart
from records.losses import LossChart
from records.strict import as_json

ZERO = {"value": "finite", "gradient": "0"}


@pytest.fixture(scope="module")
def charts() -> dict[str, LossChart]:
    return all_charts()


def test_intervals_cover_all_float32_numbers_and_are_a_handful(charts):
    for name, chart in charts.items():
        for one in chart.labels:
            ends = [(interval.low, interval.high) for interval in one.intervals]
            assert (ends[0][0], ends[-1][1]) == (-LARGEST, LARGEST), name
            for (_, high), (low, _) in pairwise(ends):
                assert low == after(high) and math.copysign(1, low) == math.copysign(1, after(high)), name
            assert len(ends) <= 7, name


@pytest.mark.parametrize("text", random_losses(0, 60))
def test_class_of_an_interval_is_what_training_computes_at_its_ends_and_inside(text):
    chart = sign_chart(loss_of(text))
    numbers = random.Random(text)
    for one in chart.labels:
        before = None
        for interval in one.intervals:
            low, high = interval.low, interval.high
            span = ordinal(high) - ordinal(low)
            inside = [after(low, numbers.randint(0, span)) for _ in range(10)]
            found = class_of(text, one.label, [low, high, *inside])
            mixed = len(interval.gradient) > 1 and set(interval.gradient) <= set("+0-")
            if "nan" in interval.gradient and interval.gradient != "nan":
                continue  # even NaN flickers
            # What a flicker holds was seen on the grid: not every sign.
            allowed = set("+0-") if mixed else {interval.gradient}
            assert {value for value, _ in found} == {interval.value}, (text, one.label, interval)
            assert {gradient for _, gradient in found} <= allowed, (text, one.label, interval)
            assert found[0] != before, (text, one.label, interval)
            before = found[1]


def ordinal(logit: float) -> int:
    (bits,) = struct.unpack("i", struct.pack("f", logit))
    return bits if bits >= 0 else -1 - (bits & 0x7FFFFFFF)


def test_flicker_is_one_interval_that_starts_at_the_first_change(charts):
    """exp(z) / (1 + exp(z)) - 1 is 0 or a last bit beyond 16.6, thousands of times, until exp overflows."""
    zero, one = charts["exp"].labels
    assert [(interval.value, interval.gradient) for interval in one.intervals] == [
        ("finite", "-"),
        ("finite", "+0-"),
        ("inf", "nan"),
    ]
    flicker = one.intervals[1]
    assert flicker.low == pytest.approx(ONE_LOGIT, rel=0.01)
    assert flicker.exact == flicker.slope == "-"
    assert one.intervals[2].low == zero.intervals[2].low == pytest.approx(-ZERO_LOGIT)


def test_few_changes_close_together_stay_exact():
    chart = sign_chart(loss_of("mean(abs(abs(logits - 1) - 0.1) + 0 * y)"))
    gradients = [interval.gradient for interval in chart.labels[1].intervals]
    assert gradients == ["-", "0", "+", "0", "-", "0", "+"] or len(gradients) < FLICKER + 2
    assert all(len(gradient) == 1 for gradient in gradients)


# What wrong images get: the first logit, and the last class, on the wrong side of label 0, then of label 1.
WRONG = {
    "bce": ((ONE_LOGIT, ZERO), (ZERO_LOGIT, ZERO)),
    "mse": ((ONE_LOGIT, ZERO), (ZERO_LOGIT, ZERO)),
    "manual": ((ONE_LOGIT, {"value": "inf", "gradient": "nan"}), (ZERO_LOGIT, {"value": "inf", "gradient": "nan"})),
    "flat-start": ((ONE_LOGIT, ZERO), (ZERO_LOGIT, ZERO)),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_a_very_wrong_image_gets(charts, name):
    zero, one = charts[name].labels
    for (logit, expected), interval, end in zip(
        WRONG[name], (zero.intervals[-1], one.intervals[0]), ("low", "high"), strict=True
    ):
        assert getattr(interval, end) == pytest.approx(logit, rel=1e-6)
        assert {"value": interval.value, "gradient": interval.gradient} == expected


def test_chart_is_strict_json_and_comes_back(charts):
    for chart in charts.values():
        text = json.dumps(as_json(chart), allow_nan=False)
        assert from_json(json.loads(text), LossChart) == chart


def test_same_loss_has_the_same_chart(charts):
    assert sign_chart(loss_of(MANUAL_BCE)) == charts["manual"]
