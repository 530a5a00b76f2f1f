"""What is kept of each epoch, and history.csv, which holds it. Imports no torch: the report reads that file."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from common.files import damaged, read_text

if TYPE_CHECKING:
    import torch


class Row(NamedTuple):
    """One epoch, on all training images but for the last two fields, before its step."""

    loss: float
    accuracy: float | None  # None where a yhat is NaN: NaN > 0.5 is false
    min_logit: float
    max_logit: float
    yhat_zeros: int  # how many yhat are exactly 0
    yhat_ones: int
    test_wrong: int | None = None  # test images; None where a yhat is NaN, or they were not looked at
    test_loss: float | None = None  # None where it is NaN, or they were not looked at


WHOLE = ("yhat_zeros", "yhat_ones", "test_wrong")  # fields that are whole numbers
MAY_BE_NONE = ("accuracy", "test_wrong", "test_loss")


def measure_epoch(loss: torch.Tensor, logits: torch.Tensor, yhat: torch.Tensor, y: torch.Tensor) -> Row:
    """What is kept of an epoch; loss (), the others (n, 1)."""
    correct = count_correct(yhat, y)
    return Row(
        loss=loss.item(),
        accuracy=None if correct is None else float(np.float32(correct / len(y))),  # as history.csv holds it
        min_logit=logits.min().item(),
        max_logit=logits.max().item(),
        yhat_zeros=int((yhat == 0).sum()),
        yhat_ones=int((yhat == 1).sum()),
    )


def count_correct(yhat: torch.Tensor, y: torch.Tensor) -> int | None:
    """How many of yhat > 0.5 agree with y; None where any yhat is NaN."""
    return None if yhat.isnan().any() else int(((yhat > 0.5) == (y == 1)).sum())


def history_csv(history: list[Row]) -> str:
    """history.csv: epoch, the fields of Row; NaN and None are empty cells, an infinity is 'inf' or '-inf'."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["epoch", *Row._fields])
    for epoch, row in enumerate(history):
        table.writerow([epoch, *(_cell(value) for value in row)])
    return text.getvalue()


def _cell(value) -> str:
    if value is None or math.isnan(value):
        return ""
    # The shortest text that reads back as the same float32.
    return str(np.float32(value)) if isinstance(value, float) else str(value)


def read_history(path: str | Path, epochs: int) -> list[Row]:
    """What history_csv wrote of so many epochs. Raises UserError where the file holds something else."""
    try:
        head, *rows = csv.reader(io.StringIO(read_text(path)))
        history = [Row(*(_value(*pair) for pair in zip(Row._fields, cells, strict=True))) for _, *cells in rows]
        is_whole = head == ["epoch", *Row._fields] and [row[0] for row in rows] == list(map(str, range(epochs)))
    except ValueError:
        is_whole = False
    if not is_whole:
        raise damaged(path, f"found other columns or rows than epoch,{','.join(Row._fields)} of {epochs} epochs")
    return history


def _value(field: str, cell: str):
    if not cell and field in MAY_BE_NONE:
        return None
    if field in WHOLE:
        return int(cell)
    return float(np.float32(cell)) if cell else math.nan
