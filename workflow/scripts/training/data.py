"""What a model is trained on: the tensors of a normalization."""

from pathlib import Path

from common.tensors import read_tensors
from training.fast import pack


def packed(data: dict) -> dict:
    """The same, with x_train as training on the CPU sees it."""
    return data | {"x_packed": pack(data["x_train"])}


def read_data(normalized: Path) -> dict:
    """x_train (n, 784), the same packed for the CPU as x_packed, y_train (n, 1), x_test (m, 784), y_test (m, 1)."""
    return packed(read_tensors(normalized))
