"""Write a file as a whole or not at all: a kill can not leave half of one behind. Read one that may be damaged.

No torch and no numpy here: archives of arrays are read by common/archives.py, of tensors by common/tensors.py.
"""

import glob
import hashlib
import json
import os
import shlex
import zlib
from pathlib import Path

from common.errors import UserError, why_not_written

SUMS = "SHA256SUMS"  # of the texts of a folder; of a single file x, x.sha256
TEXTS = (".json", ".csv")  # which are verified by it; archives, pictures and scripts have checksums in them


def write(path: str | Path, content: bytes | str) -> None:
    """Write text (as UTF-8) or bytes to `path` through a neighbour that is renamed at the end.

    Such a neighbour that a killed forerunner left is removed. Raises UserError where the disk is full or may not be
    written.
    """
    path = Path(path)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for other in path.parent.glob(f".{glob.escape(path.name)}.*.tmp"):
            other.unlink(missing_ok=True)
        try:
            unfinished.write_bytes(content.encode() if isinstance(content, str) else content)
            os.replace(unfinished, path)
        finally:
            unfinished.unlink(missing_ok=True)
    except OSError as error:
        raise UserError(why_not_written(path, error)) from None


def write_json(path: str | Path, value: dict | list) -> None:
    """Strict JSON: raises ValueError for NaN and infinity, which are no JSON. Of a list, each item is a line: with
    indents, Python takes ten times as long, and a sweep of 384 variants has 70,000 changes.
    """
    strict = {"ensure_ascii": False, "allow_nan": False}
    if isinstance(value, list):
        text = "[\n" + ",\n".join(map(json.JSONEncoder(**strict).encode, value)) + "\n]"
    else:
        text = json.dumps(value, indent=2, **strict)
    write(path, text + "\n")


def damaged(path: str | Path, what: str) -> UserError:
    """Of a file that a job of the pipeline wrote, and another now finds to be otherwise."""
    return UserError(f"{path}: damaged: {what}; to make it anew: rm -r {shlex.quote(str(path))} && snakemake --cores 4")


def write_sums(path: str | Path, files: list) -> None:
    """The checksums of files beside `path`, as `sha256sum --check` reads them: text has none of its own."""
    lines = [f"{hashlib.sha256(Path(file).read_bytes()).hexdigest()}  {Path(file).name}\n" for file in files]
    write(path, "".join(lines))


def read_bytes(path: str | Path) -> bytes:
    """Raises UserError where there is no such file that can be read, or it is not what its checksum says."""
    path = Path(path)
    content, own = _content(path), path.with_name(f"{path.name}.sha256")
    sums = own if own.exists() else path.with_name(SUMS)
    if path.suffix in TEXTS and sums.exists():
        line = f"{hashlib.sha256(content).hexdigest()}  {path.name}".encode()
        if line not in _content(sums).splitlines():
            raise damaged(path, f"not what {sums.name} beside it says, unless that is what is damaged")
    return content


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise damaged(path, str(error.strerror)) from None


def read_text(path: str | Path) -> str:
    """UTF-8. Raises UserError where it is not, or cannot be read."""
    try:
        return read_bytes(path).decode()
    except UnicodeDecodeError as error:
        raise damaged(path, f"byte {error.start} is not UTF-8 text") from None


def sealed(text: str) -> str:
    """A script's text, its last line a comment with the checksum of the others."""
    return f"{text}\n// {zlib.crc32(text.encode()):08x}\n"


def read_sealed(path: str | Path) -> str:
    """What was sealed. Raises UserError where it is not what its last line says."""
    text = read_text(path)
    inside = text.rpartition("\n// ")[0]
    if sealed(inside) != text:
        raise damaged(path, "not what its checksum says")
    return inside
