"""The least value of a loss for each label, where it lies, and from which logit on its gradient is starved."""

import math

import pytest
import torch

from builders.formulas import random_losses
from builders.losses import LOSSES, after, all_charts, loss_of
from formulas.float32 import LARGEST, ONE_LOGIT, ZERO_LOGIT
from losses.exact import REACH
from losses.one_image import one_image
from losses.sign_chart import sign_chart
from records.losses import LossChart


@pytest.fixture(scope="module")
def charts() -> dict[str, LossChart]:
    return all_charts()


# loss: infimum of y = 0 and of y = 1, each the value, and where: a logit, (low, high), or the side
INFIMA = {
    "bce": ((0, "-inf"), (0, "inf")),
    "bce-logits": ((0, "-inf"), (0, "inf")),
    "manual": ((0, "-inf"), (0, "inf")),
    "mse": ((0, "-inf"), (0, "inf")),
    "mse-logits": ((0, 0), (0, 1)),
    "hinge": ((0, (-LARGEST, -1)), (0, (1, LARGEST))),
    "exp": ((0, "-inf"), (0, "inf")),
    "exp-capped": ((math.log1p(1e-7), "-inf"), (-math.inf, "inf")),
    "sign": ((math.log(1e-7), "inf"), (math.log(1e-7), "-inf")),
    "hinge-01": ((1, (-LARGEST, LARGEST)), (0, (1, LARGEST))),
    "flat-start": ((0, (-LARGEST, math.log(1.5))), (0, (-math.log(1.5), LARGEST))),
    "smooth": ((0, -math.log(9)), (0, math.log(9))),
    "negative-bce": ((-math.inf, "inf"), (-math.inf, "-inf")),
    "kink": ((0, 0.3), (0, 0.3)),
    "slow": ((0, "-inf"), (0, "inf")),
    "capped": ((-1000, (-LARGEST, -1000)), (-1000, (1000, LARGEST))),
    "linear": ((-math.inf, "-inf"), (-math.inf, "inf")),
    "poisson": ((0, "-inf"), (1, 0)),
    "kldiv": ((0, (-LARGEST, LARGEST)), (-1, "inf")),
    "kldiv-log": ((-math.inf, "inf"), (-math.inf, "inf")),
    "class-mean": ((0, "-inf"), (0, "inf")),
}


@pytest.mark.parametrize("name", INFIMA)
def test_infimum_and_where_it_lies(charts, name):
    for one, (value, where) in zip(charts[name].labels, INFIMA[name], strict=True):
        found = one.infimum
        assert float(found.value) == pytest.approx(value, rel=1e-12, abs=1e-40)
        if isinstance(where, str):
            assert found.towards == where
            assert found.low == found.high == float(where.replace("inf", str(LARGEST)))
        else:
            low, high = where if isinstance(where, tuple) else (where, where)
            assert found.towards is None
            assert (found.low, found.high) == (pytest.approx(low, rel=1e-6), pytest.approx(high, rel=1e-6))


@pytest.mark.parametrize("text", random_losses(60, 90))
def test_no_logit_has_less_than_the_infimum(text):
    """Exactly, at logits close and far."""
    loss = loss_of(text)
    chart, image = sign_chart(loss), one_image(loss)
    logits = [sign * part * 2.0**power for power in range(-12, 9) for part in (1, 1.37) for sign in (-1, 1)]
    for one in chart.labels:
        values = [float(image.exactly(one.label, logit).value) for logit in logits if abs(logit) <= REACH]
        if any(map(math.isnan, values)):
            continue  # where φ stops being defined it may have a pole that no float32 logit hits
        assert float(one.infimum.value) <= min(values) + 1e-12 * abs(min(values))


@pytest.mark.parametrize(
    ("name", "below_of_1", "above_of_0"),
    [
        ("bce", math.log(0.5e-12), ONE_LOGIT),  # (yhat - y) / max(yhat (1 - yhat), 1e-12), half of it there
        ("bce-logits", None, None),
        ("mse", ZERO_LOGIT, ONE_LOGIT),
        ("manual", None, None),  # not finite there
        ("hinge", None, None),
        ("exponential", None, None),
    ],
)
def test_starved_from_where_the_gradient_is_less_than_half(charts, name, below_of_1, above_of_0):
    zero, one = charts[name].labels
    for found, expected in ((one.starved_below, below_of_1), (zero.starved_above, above_of_0)):
        assert found == (expected and pytest.approx(expected, rel=1e-5))
    right = {"bce-logits": (ZERO_LOGIT, ONE_LOGIT), "exponential": (-150 * math.log(2), 150 * math.log(2))}
    if name in right:
        assert (zero.starved_below, one.starved_above) == pytest.approx(right[name], rel=1e-6)


def test_starved_logit_is_the_first_one(charts):
    """Held against the exact gradient there and one float32 before."""
    for name in ("bce", "mse", "sqrt", "sign", "ignores-y"):
        image = one_image(loss_of(LOSSES[name]))
        for one in charts[name].labels:
            for start, inwards in ((one.starved_below, 1), (one.starved_above, -1)):
                if start is None:
                    continue
                for logit, is_starved in ((start, True), (after(start, inwards), False)):
                    (slope,) = image.in_float32(torch.tensor([float(one.label)]), torch.tensor([logit]))[1].tolist()
                    true = image.exactly(one.label, logit).slope
                    assert (slope * (1 if true > 0 else -1) < abs(true) / 2) == is_starved, (name, logit)
