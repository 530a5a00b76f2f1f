"""What the pipeline wrote, read back."""

import json
from pathlib import Path

import msgspec


def read_json(path: str | Path):
    return json.loads(Path(path).read_text(encoding="utf-8"))


def from_json(value, kind: type):
    """The record, or the list[record], that such dicts and lists hold."""
    return msgspec.convert(value, kind)
