"""The sign chart of a loss: its intervals, exact values, and the facts that follow."""

import json
import math
import random
import struct
import subprocess
import sys
from itertools import pairwise

import mpmath
import pytest
import torch
import yaml

from builders.formulas import random_losses
from builders.places import ROOT, SHARED
from experiment.definitions import loss_definition
from experiment.schema import SCHEMA
from formulas.float32 import LARGEST, ONE_LOGIT, ZERO_LOGIT
from formulas.language import FUNCTIONS, evaluate, walk
from losses.exact import REACH, exact
from losses.facts import (
    border_optimum,
    floor,
    ignores_class,
    ignores_labels,
    is_safe,
    limits,
    never_finite,
    no_gradient,
    not_per_image,
    unbounded,
    wrong_way,
)
from losses.intervals import FLICKER
from losses.one_image import NotPerImage, one_image
from losses.sign_chart import sign_chart
from records.losses import LossChart
from records.strict import as_json, from_json
from training.loss import build_loss

MANUAL_BCE = "-mean(y * log(yhat) + (1 - y) * log(1 - yhat))"
ZERO = {"value": "finite", "gradient": "0"}

LOSSES = {
    "bce": {"module": "BCELoss"},
    "bce-logits": {"module": "BCEWithLogitsLoss", "input": "logits"},
    "manual": MANUAL_BCE,
    "mse": "mean((yhat - y) ** 2)",
    "mse-logits": "mean((logits - y) ** 2)",
    "hinge": "mean(relu(1 - (2 * y - 1) * logits))",
    "sqrt": "mean(sqrt((yhat - y) ** 2))",
    "exp": "mean(log(1 + exp(logits)) - y * logits)",
    "exp-capped": {"formula": "mean(log(1 + exp(minimum(logits, 80)) + eps) - y * logits)", "eps": 1e-7},
    "sign": {"formula": "mean(y * log(yhat + eps) + (1 - y) * log(1 - yhat + eps))", "eps": 1e-7},
    "hinge-01": "mean(relu(1 - y * logits))",
    "constant": "mean(clamp(yhat, 2, 3)) + mean(0 * y)",
    "ignores-y": "mean(yhat ** 2) + 0 * mean(y)",
    "huber-logits": {"module": "HuberLoss", "delta": 0.5, "input": "logits"},
    "flat-start": "mean(relu(abs(yhat - y) - 0.6))",
    "focal": "-mean(y * (1 - yhat) ** 2 * log(yhat) + (1 - y) * yhat ** 2 * log(1 - yhat))",
    "softplus": "mean(softplus(logits) - y * logits)",
    "exponential": "mean(exp((1 - 2 * y) * logits))",
    "clamp": "-mean(y * log(clamp(yhat, 1e-7, 1)) + (1 - y) * log(clamp(1 - yhat, 1e-7, 1)))",
    "smooth": "mean((yhat - 0.8 * y - 0.1) ** 2)",
    "negative-bce": "mean(y * log(yhat) + (1 - y) * log(1 - yhat))",
    "kink": "mean(abs(logits - 0.3))",
    "slow": "mean(1 / (1 + relu((2 * y - 1) * logits)))",
    "capped": "-mean(minimum((2 * y - 1) * logits, 1000))",
    "linear": "-mean((2 * y - 1) * logits)",
    "redescending": "mean(tanh((1 - 2 * y) * logits + 1) - 0.1 * relu((1 - 2 * y) * logits - 3))",
    "huber": {"module": "HuberLoss"},
    "kldiv": {"module": "KLDivLoss"},
    "kldiv-log": {"module": "KLDivLoss", "log_target": True, "input": "logits"},
    "poisson": {"module": "PoissonNLLLoss", "input": "logits"},
    "poisson-yhat": {"module": "PoissonNLLLoss", "log_input": False, "full": True},
    "soft-margin": {"module": "MultiLabelSoftMarginLoss", "input": "logits"},
    "class-mean": "sum(y * (1 - yhat)) / sum(y) + sum((1 - y) * yhat) / sum(1 - y)",
    "weighted": "-mean(y * log(yhat) / mean(y) + (1 - y) * log(1 - yhat) / (1 - mean(y)))",
}


def loss_of(value):
    return build_loss(loss_definition(value))


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """As in the jobs."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def charts() -> dict[str, LossChart]:
    return {name: sign_chart(loss_of(value)) for name, value in LOSSES.items()}


def after(logit: float, steps: int = 1) -> float:
    """The float32 number so many after this one, 0.0 being the next after -0.0."""
    (bits,) = struct.unpack("i", struct.pack("f", logit))
    ordinal = (bits if bits >= 0 else -1 - (bits & 0x7FFFFFFF)) + steps
    return _number(ordinal)


def _number(ordinal: int) -> float:
    return struct.unpack("f", struct.pack("I", ordinal if ordinal >= 0 else 0x80000000 + (-1 - ordinal)))[0]


def class_of(text: str, y: int, logits: list[float]) -> list[tuple[str, str]]:
    """Value and gradient in words, at each logit: of what a loss has inside its mean, by torch alone."""
    (mean,) = (node for node in walk(loss_of(text).tree) if node.operation == "mean")
    each, found = mean.arguments[0], []
    for logit in logits:
        z = torch.full((64, 1), logit).requires_grad_()
        value = evaluate(each, {"y": torch.full((64, 1), float(y)), "yhat": z.sigmoid(), "logits": z})
        (slope,) = torch.autograd.grad(value, z, torch.ones_like(value), allow_unused=True)
        gradient = 0.0 if slope is None else slope[0].item()
        sign = "+" if gradient > 0 else "-" if gradient < 0 else "0"
        in_words = [None if math.isfinite(number) else str(number) for number in (value[0].item(), gradient)]
        found.append((in_words[0] or "finite", in_words[1] or sign))
    return found


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


# Facts

FACTS = {
    "not-per-image": not_per_image,
    "wrong-way": wrong_way,
    "never-finite": never_finite,
    "ignores-class": ignores_class,
    "ignores-labels": ignores_labels,
    "no-gradient": no_gradient,
    "border-optimum": border_optimum,
    "unbounded": unbounded,
    "floor": floor,
}
EVERYWHERE = {"whole": True, "parts": [[-LARGEST, LARGEST]]}
FOUND = {
    "bce": set(),
    "bce-logits": set(),
    "manual": set(),
    "hinge": set(),
    "softplus": set(),
    "exp": set(),
    "exponential": set(),
    "focal": set(),
    "weighted": set(),
    "slow": set(),
    "soft-margin": set(),
    "mse": set(),
    "class-mean": set(),
    "sign": {"wrong-way", "border-optimum"},
    "negative-bce": {"wrong-way", "border-optimum", "unbounded"},
    "hinge-01": {"ignores-class", "floor"},
    "kldiv": {"ignores-class"},
    "constant": {"no-gradient", "floor"},
    "ignores-y": {"ignores-labels", "wrong-way", "border-optimum"},
    "huber-logits": {"border-optimum"},
    "mse-logits": {"border-optimum"},
    "poisson": {"border-optimum", "floor"},
    "exp-capped": {"unbounded", "floor"},
    "linear": {"unbounded"},
    "flat-start": set(),
    "clamp": set(),
    "kldiv-log": {"wrong-way", "border-optimum", "unbounded"},
    "kink": {"ignores-labels", "wrong-way", "border-optimum"},
}


@pytest.mark.parametrize("name", FOUND)
def test_facts_that_follow_from_a_chart(charts, name):
    assert facts_of(charts[name]) == FOUND[name]


def facts_of(chart: LossChart) -> set[str]:
    """Of the facts that hold, the kinds of finding that they are told as."""
    return {kind for kind, fact in FACTS.items() if fact(chart) is not None}


def test_wrong_way_says_which_part(charts):
    found = {name: wrong_way(charts[name]) for name in ("sign", "kldiv-log", "kink", "redescending")}
    assert [found["sign"][label]["whole"] for label in "01"] == [True, True]
    for label in "01":
        ((low, high),) = found["sign"][label]["parts"]
        assert (low, high) == (pytest.approx(ZERO_LOGIT), pytest.approx(ONE_LOGIT))
    assert found["kldiv-log"] == {"0": EVERYWHERE}
    assert found["kink"] == {"0": {"whole": False, "parts": [[-LARGEST, pytest.approx(0.3)]]}}
    # Wrong images that are wrong enough are given up: pushed farther out, not back.
    assert found["redescending"]["0"] == {"whole": False, "parts": [[after(3.0), LARGEST]]}
    assert found["redescending"]["1"] == {"whole": False, "parts": [[-LARGEST, after(-3.0, -1)]]}


def test_best_logit_on_the_border_or_beyond(charts):
    at_the_border = {"low": -0.0, "high": 0.0, "towards": None, "where": "border"}
    assert border_optimum(charts["huber-logits"]) == {"0": at_the_border}
    assert border_optimum(charts["sign"])["1"]["where"] == border_optimum(charts["kink"])["0"]["where"] == "beyond"
    chart = sign_chart(loss_of("mean((yhat - 0.5) ** 2 + 0 * y)"))  # in float32 flat around it, exactly the border
    assert {one["where"] for one in border_optimum(chart).values()} == {"border"}


def test_unbounded_says_where_to(charts):
    assert unbounded(charts["exp-capped"]) == {"1": {"towards": "inf", "own_side": True}}
    assert unbounded(charts["negative-bce"])["1"] == {"towards": "-inf", "own_side": False}
    assert unbounded(charts["capped"]) is None
    pole = sign_chart(loss_of("mean(where(y == 1, log(abs(logits - 2)), abs(logits + 2)))"))
    assert (pole.labels[1].infimum.low, pole.labels[1].infimum.high) == (2, 2)
    assert unbounded(pole) == {"1": {"towards": None, "own_side": True}}


def test_floor_says_how_high(charts):
    assert floor(charts["hinge-01"]) == {"0": {"infimum": 1.0}}
    assert floor(charts["constant"]) == {"0": {"infimum": 2.0}, "1": {"infimum": 2.0}}
    assert floor(charts["smooth"]) is None


def test_flat_start_is_flat_around_the_start(charts):
    zero, one = charts["flat-start"].labels
    for label in (zero, one):
        around = next(interval for interval in label.intervals if interval.low <= 0 <= interval.high)
        assert (around.gradient, around.exact) == ("0", "0")
        assert around.low <= -math.log(1.5) * (1 - 1e-6) or around.high >= math.log(1.5) * (1 - 1e-6)


LIMITS = {
    "manual": (ZERO_LOGIT, ONE_LOGIT),
    "sqrt": (-75 * math.log(2), ONE_LOGIT),  # yhat ** 2 is 0 in float32, and sqrt has no derivative at 0
    "exp": (None, 128 * math.log(2)),
    "bce": (None, None),
    "bce-logits": (None, None),
    "class-mean": (None, None),
    "exponential": (None, None),
}


@pytest.mark.parametrize("name", LIMITS)
def test_limit_that_a_run_approaches(charts, name):
    found = limits(charts[name])
    for side, expected in zip(("lower", "upper"), LIMITS[name], strict=True):
        assert found[side] == (expected and pytest.approx(expected, rel=1e-5))
        if expected:
            text = LOSSES[name]
            label, inwards = (0, 1) if side == "lower" else (1, -1)
            bad, good = class_of(text, label, [found[side], after(found[side], inwards)])
            assert set(bad) & {"nan", "inf", "-inf"}
            assert not set(good) & {"nan", "inf", "-inf"}


@pytest.mark.parametrize("name", LIMITS)
def test_loss_that_no_limit_is_known_of_is_safe(charts, name):
    assert is_safe(charts[name]) == (LIMITS[name] == (None, None))


def test_border_that_is_unsafe_has_no_limit_but_is_not_safe():
    for text in ("mean(log(yhat - 1))", "mean(log(logits) + log(-logits))"):
        chart = sign_chart(loss_of(text))
        assert limits(chart) == {"lower": None, "upper": None}
        assert not is_safe(chart)


# A loss of many images

SINGLE = [
    "mean(f)",
    "-mean(f)",
    "sum(f)",
    "2 * mean(f)",
    "mean(f) + mean(g) - 1",
    "mean(f) / 2",
    "-(mean(f) * mean(y))",
]
SINGLE += [
    "mean(f) + mean(0 * y)",
    "sum(f * y) / sum(y)",
    "mean(f * y / mean(y)) - mean(g)",
    "sum(f) / 12 + 3 * sum(g)",
]
JOINT = ["log(mean(f))", "mean(f) / mean(g)", "mean(f) ** 2", "mean(f) * mean(g)", "1 / mean(f)", "mean(f / mean(g))"]
JOINT += ["maximum(mean(f), 1)", "mean(f) + sum(g)", "1 - 2 * sum(y * f) / (sum(y) + sum(g))", "abs(mean(f))"]


def filled(text: str):
    return loss_of(text.replace("f", "(yhat - y) ** 2").replace("g)", "abs(logits))"))


@pytest.mark.parametrize("text", [*SINGLE, *JOINT])
def test_loss_that_is_no_sum_or_mean_over_images_is_told_so(text):
    assert (one_image(filled(text)).why_not is None) == (text in SINGLE)


@pytest.mark.parametrize("text", SINGLE)
def test_loss_of_one_image_adds_up_to_the_loss_of_many(text):
    """One image of either class, so that mean(y) is what it is assumed to be."""
    loss = filled(text)
    y, z = torch.tensor([0.0, 1.0]), torch.tensor([-0.7, 2.5], requires_grad=True)
    (whole,) = torch.autograd.grad(loss(y[:, None], z[:, None].sigmoid(), z[:, None]), z)
    slopes = one_image(loss).in_float32(y, z.detach())[1]
    torch.testing.assert_close(slopes / (2 if "mean(f" in text else 1), whole)


def test_weights_that_labels_decide_are_exact():
    """mean(0.1 * y) is a twentieth, not the float64 next to it, whatever was computed before."""
    found = one_image(loss_of("mean(logits) * mean(0.1 * y)")).exactly(1, 2.0)
    assert abs(found.value * 10 - 1) < 1e-45
    assert abs(found.slope * 20 - 1) < 1e-45


def test_loss_of_one_image_is_made_once():
    loss = loss_of("mean((yhat - y) ** 2)")
    assert one_image(loss) is one_image(loss)


def test_not_per_image_has_a_chart_in_company_and_no_exact_values():
    loss = loss_of("log(mean((yhat - y) ** 2))")
    chart = sign_chart(loss)
    assert not chart.per_image
    assert chart.why_not == "'log(mean((yhat - y) ** 2))' is no sum or mean over images"
    assert all(one.infimum is None and one.starved_above is None for one in chart.labels)
    with pytest.raises(NotPerImage, match="no sum or mean"):
        one_image(loss).exactly(1, 0.5)
    assert facts_of(chart) == {"not-per-image"}
    assert limits(chart) == {"lower": None, "upper": None}


# Exact values

EVERY = {name: {"module": name} for name in SCHEMA["$defs"]["losses"]} | {
    "BCEWithLogitsLoss": {"module": "BCEWithLogitsLoss", "pos_weight": 2.5},
    "HuberLoss 0.3": {"module": "HuberLoss", "delta": 0.3},
    "KLDivLoss log_target": {"module": "KLDivLoss", "log_target": True, "reduction": "batchmean"},
    "PoissonNLLLoss full": {"module": "PoissonNLLLoss", "log_input": False, "full": True, "eps": 0.01},
    "SmoothL1Loss 0.3": {"module": "SmoothL1Loss", "beta": 0.3, "reduction": "sum"},
    "SmoothL1Loss 0": {"module": "SmoothL1Loss", "beta": 0},
}
OPERATIONS = [
    f"mean({text} + 0 * yhat)"
    for text in (
        *(
            f"{name}(logits)"
            for name, (arguments, _) in FUNCTIONS.items()
            if arguments == "a" and name not in ("mean", "sum")
        ),
        *("log(yhat)", "sqrt(yhat)", "log1p(yhat)", "clamp(logits, -1, 1.5)", "clamp(yhat, 0.4, 2 * yhat - 0.2)"),
        *("minimum(logits, yhat)", "maximum(logits, y)", "where(logits > 0.5, yhat, logits * y)", "logits / yhat"),
        *("logits ** 3", "yhat ** yhat", "2 ** logits", "logits ** 0", "yhat ** -1.5", "-logits", "y - logits"),
        *(f"logits * (logits {symbol} 0.5)" for symbol in ("<", "<=", ">", ">=", "==", "!=")),
    )
]


@pytest.mark.filterwarnings("ignore:reduction")  # of KLDivLoss: 'mean' is not its usual one
@pytest.mark.parametrize(
    ("name", "fed"),
    [
        (name, fed)
        for name in EVERY
        for fed in ("yhat", "logits")
        if (EVERY[name]["module"], fed) != ("BCELoss", "logits")  # it takes yhat
    ],
)
def test_exact_module_is_torch_in_float64(name, fed):
    compare(loss_of({**EVERY[name], "input": fed}))


@pytest.mark.parametrize("text", OPERATIONS)
def test_exact_formula_is_torch_in_float64(text):
    compare(loss_of(text))


def compare(loss) -> None:
    for y in (0.0, 1.0):
        for logit in (-7.0, -0.75, 0.5, 2.0):
            z = torch.tensor([[logit]], dtype=torch.float64, requires_grad=True)
            value = loss(torch.tensor([[y]], dtype=torch.float64), z.sigmoid(), z)
            (slope,) = torch.autograd.grad(value, z)
            found = one_image(loss).exactly(y, logit)
            assert float(found.value) == pytest.approx(value.item(), rel=1e-7, nan_ok=True)  # pos_weight is float32
            if math.isfinite(value.item()):
                assert float(found.slope) == pytest.approx(slope.item(), rel=1e-7, abs=1e-14)


@pytest.mark.parametrize("logit", [-300.0, -0.3, 1e-20, 40.0, 500.0])
def test_exact_is_exact_where_float64_is_not(logit):
    """log(1 - yhat) is -softplus, log(yhat) is logits - softplus, however far out and however close to 0."""
    mpmath.mp.dps = 40
    for y in (0, 1):
        found = exact(loss_of(MANUAL_BCE).tree, y, logit)
        z = mpmath.mpf(logit)
        with mpmath.workdps(900):
            value, slope = mpmath.log1p(mpmath.exp(-z if y else z)), 1 / (1 + mpmath.exp(-z)) - y
        assert abs(mpmath.mpf(found.value) / value - 1) < 1e-40
        assert abs(mpmath.mpf(found.slope) / slope - 1) < 1e-40


def test_exact_derivative_is_that_of_the_exact_value():
    tree = loss_of("mean(log(1 + exp(logits * yhat)) ** (1 + y) / sqrt(2 - yhat) - tanh(logits) * softplus(yhat))").tree
    step = 2.0**-40
    for y in (0, 1):
        before, after_it = (exact(tree, y, 0.75 + sign * step).value for sign in (-1, 1))
        assert abs(exact(tree, y, 0.75).slope - (after_it - before) / (2 * step)) < 1e-20


def test_exact_knows_where_a_formula_is_not_defined_or_too_large():
    for text in ("log(logits - 9)", "sqrt(0 * logits - 1)", "(logits - 9) ** 0.5", "0 * logits / (logits - logits)"):
        assert math.isnan(float(exact(loss_of(f"mean({text})").tree, 1, 2.0).value)), text
    tower = loss_of("mean(exp(exp(exp(logits))))").tree
    assert math.isinf(float(exact(tower, 1, 512.0).value))


# Records


def test_chart_is_strict_json_and_comes_back(charts):
    for chart in charts.values():
        text = json.dumps(as_json(chart), allow_nan=False)
        assert from_json(json.loads(text), LossChart) == chart


def test_charts_are_read_without_torch():
    code = "import sys, losses.facts; sys.exit('torch' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT / "workflow/scripts", check=False).returncode == 0


def test_same_loss_has_the_same_chart(charts):
    assert sign_chart(loss_of(MANUAL_BCE)) == charts["manual"]


@pytest.mark.skipif(not (SHARED / "bench/cases.yaml").is_file(), reason="the labelled cases are not in ../shared/bench")
def test_labelled_losses_are_told_what_they_must_be():
    """The kinds in labels.tsv that a loss alone decides."""
    cases = yaml.safe_load((SHARED / "bench/cases.yaml").read_text())
    rows = [line.split("\t") for line in (SHARED / "bench/labels.tsv").read_text().splitlines()[1:]]
    static = {"wrong-way", "ignores-class", "ignores-labels", "no-gradient", "border-optimum", "unbounded"}
    for case, verdict, kinds, *_ in rows:
        name = cases["variants"][case]["loss"]
        found = facts_of(sign_chart(loss_of(cases["losses"][name]))) & static
        wanted = set(kinds.replace("|", ",").split(",")) & static
        assert wanted <= found, case
        if verdict == "good":
            assert not found, case
