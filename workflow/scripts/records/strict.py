"""Records from and to strict JSON, which has no NaN and no infinities: these are the texts 'nan', 'inf' and '-inf'.

`read_record` and `as_json` are the one way from and to files.
"""

import math
from pathlib import Path

import msgspec

from common.files import damaged, read_bytes

Number = float | str


def number(value: float) -> Number:
    """A number as JSON has it."""
    return value if math.isfinite(value) else str(value)


def as_json(record):
    """A record, or a list of them, as dicts, lists, text and numbers."""
    return msgspec.to_builtins(record)


def read_record(path: str | Path, kind: type):
    """The record, or the list[record], in a JSON file. Raises UserError where the file holds something else."""
    try:
        return msgspec.json.decode(read_bytes(path), type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise damaged(path, f"not as the pipeline writes it: {error}") from None
