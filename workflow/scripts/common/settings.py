"""What a job is told, as a file: compared by content, whatever Snakemake knows of earlier runs and whatever triggers a
profile names. Imported by the Snakefile: no torch, pandas or matplotlib here.
"""

import json
from contextlib import suppress
from pathlib import Path

from common.errors import UserError
from common.files import write

_cleared: set[Path] = set()  # of what killed runs left, by this process


def kept(path: Path, settings: dict, is_main: bool) -> Path | None:
    """`path`, a JSON file of these settings. It is written only where they differ, and so newer than what was made with
    others; Snakemake, which has its checksum, sees through a change that was undone.

    is_main: this is the process that plans; a job writes only what is missing on its machine. None where the file
    cannot be written: then nothing can be made beside it either, and the job says so.
    """
    content = (json.dumps(settings, indent=2, ensure_ascii=False) + "\n").encode()
    found = None
    with suppress(OSError):
        found = path.read_bytes()
    if found is None or (is_main and found != content):
        left = None
        if is_main:  # once for all: for each of 5,000 variants, that was two fifths of the time of `snakemake -n`
            left = "" if path.parent in _cleared else "*"
            _cleared.add(path.parent)
        try:
            write(path, content, left)
        except UserError:
            return None
    return path
