"""Losses with their sign charts, and what torch alone says of one at a logit."""

import math
import struct
from functools import cache

import torch

from experiment.definitions import loss_definition
from formulas.language import evaluate, walk
from losses.sign_chart import sign_chart
from records.losses import LossChart
from training.loss import build_loss

MANUAL_BCE = "-mean(y * log(yhat) + (1 - y) * log(1 - yhat))"

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


@cache
def all_charts() -> dict[str, LossChart]:
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
