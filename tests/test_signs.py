"""The sign chart of a loss: its intervals, exact values, and the facts that follow."""

import dataclasses
import json
import math
import random
import struct
import subprocess
import sys
import time

import mpmath
import numpy as np
import pytest
import torch
import yaml
from conftest import ROOT, SHARED

from diagnosis.chart import FACTS, Interval, LossChart, facts, limits
from diagnosis.exact import constants, exact, formula
from diagnosis.signs import FLICKER, corners, per_image, sign_chart, why_not_per_image
from experiment.definitions import loss_definition
from experiment.schema import SCHEMA
from formulas.float32 import LARGEST, ONE_LOGIT, SMALLEST, ZERO_LOGIT
from formulas.language import FUNCTIONS, evaluate
from formulas.parsing import parse_loss
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
    "redescending": "mean(tanh((1 - 2 * y) * logits - 1) - tanh(0.1 * (1 - 2 * y) * logits) * 5)",
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
    """Value and gradient in words, at each logit: of what a loss `mean(…)` has of one image, inside the mean."""
    each, found = loss_of(text).tree.arguments[0], []
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
            for (_, high), (low, _) in zip(ends, ends[1:], strict=False):
                assert low == after(high) and math.copysign(1, low) == math.copysign(1, after(high)), name
            assert len(ends) <= 7, name


RANDOM = random.Random(14)


def random_formula(depth: int) -> str:
    if not depth:
        return RANDOM.choice(["y", "yhat", "logits", "yhat", "logits", "(1 - yhat)", "(2 * y - 1)", "0.3", "2", "1e-7"])
    a, b = random_formula(depth - 1), random_formula(RANDOM.randrange(depth))
    functions = ["log", "log1p", "exp", "expm1", "sqrt", "abs", "sigmoid", "softplus", "relu", "tanh"]
    return RANDOM.choice(
        [f"({a} {RANDOM.choice('+-*/')} {b})"] * 10
        + [f"{RANDOM.choice(functions)}({a})"] * 8
        + [f"({a}) ** {RANDOM.choice(['2', '3', '0.5'])}", f"clamp({a}, 0.1, 2)", f"minimum({a}, {b})"]
        + [f"maximum({a}, {b})", f"where(y == 1, {a}, {b})", f"-({a})"]
    )


def random_losses(count: int) -> list[str]:
    found: list[str] = []
    while len(found) < count:
        text = f"mean({random_formula(RANDOM.randint(1, 4))})"
        if isinstance(loss_definition(text), list):
            found.append(text)
    return found


@pytest.mark.parametrize("text", random_losses(60))
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
