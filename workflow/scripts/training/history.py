"""What is kept of each epoch, and history.csv, which holds it."""

import csv
import io
import math

import numpy as np
import torch

HISTORY = ("loss", "accuracy", "min_logit", "max_logit", "yhat_zeros", "yhat_ones")


def measure(loss: torch.Tensor, logits: torch.Tensor, yhat: torch.Tensor, y: torch.Tensor) -> tuple:
    """A row of history.csv: the values of HISTORY; accuracy is None where a yhat is NaN (NaN > 0.5 is false)."""
    correct = count_correct(yhat, y)
    return (
        loss.item(),
        None if correct is None else correct / len(y),
        logits.min().item(),
        logits.max().item(),
        int((yhat == 0).sum()),
        int((yhat == 1).sum()),
    )


def count_correct(yhat: torch.Tensor, y: torch.Tensor) -> int | None:
    """How many of yhat > 0.5 agree with y; None where any yhat is NaN."""
    return None if yhat.isnan().any() else int(((yhat > 0.5) == (y == 1)).sum())


def history_csv(histories: dict[int, list[tuple]]) -> str:
    """history.csv: seed, epoch, then HISTORY; NaN and None are empty cells, an infinite loss is 'inf' or '-inf'."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["seed", "epoch", *HISTORY])
    for seed, history in histories.items():
        for epoch, row in enumerate(history):
            table.writerow([seed, epoch, *(_cell(value) for value in row)])
    return text.getvalue()


def _cell(value) -> str:
    if value is None or math.isnan(value):
        return ""
    # The shortest text that reads back as the same float32.
    return str(np.float32(value)) if isinstance(value, float) else str(value)
