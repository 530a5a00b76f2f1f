"""Write a file as a whole or not at all: a kill can not leave half of one behind."""

import json
import os
from pathlib import Path


def write(path: str | Path, content: bytes | str) -> None:
    """Write text (as UTF-8) or bytes to `path` through a neighbour that is renamed at the end."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        unfinished.write_bytes(content.encode() if isinstance(content, str) else content)
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def write_json(path: str | Path, value) -> None:
    """Strict JSON: raises ValueError for NaN and infinity, which are no JSON."""
    write(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: str | Path):
    return json.loads(Path(path).read_text(encoding="utf-8"))
