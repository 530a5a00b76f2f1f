"""What a script depends on: itself and all modules of the project that it imports, by content.

Snakemake looks at the date of the script alone. Imported by the Snakefile: no torch, pandas or matplotlib here.
"""

import ast
import hashlib
import os
import time
from contextlib import suppress
from functools import cache
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parents[1]


def sources(script: Path) -> set[Path]:
    """The script and every module under workflow/scripts/ that it imports, wherever in its text, transitively."""
    found: set[Path] = set()
    waiting = {script.resolve()}
    while waiting:
        file = waiting.pop()
        found.add(file)
        waiting |= _imported(file) - found
    return found


@cache
def _imported(file: Path) -> set[Path]:
    names = set()
    for node in ast.walk(ast.parse(file.read_bytes(), file)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            # What follows `import` may be a module, or a name in one.
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return {path for name in names for path in _files(name)}


def _files(name: str) -> list[Path]:
    """The module of that name, and the packages that it is in; none if it is not of the project."""
    parts = name.split(".")
    within = [SCRIPTS.joinpath(*parts[:depth], "__init__.py") for depth in range(1, len(parts) + 1)]
    return [path for path in (*within, SCRIPTS.joinpath(*parts).with_suffix(".py")) if path.is_file()]


def mark(folder: Path, script: Path, others: Path | None = None) -> Path:
    """An empty file in `folder` whose name says what a script and all that it imports hold, and all files in `others`.

    As the input of a rule it is another one as soon as an edit changes any of them. It is as old as the newest of them
    when it is made, but not of the future, and stays as it is when they are only touched. Where the folder may not be
    written, it is not made: nothing can be run there.
    """
    files = sorted([*sources(script), *((path for path in others.rglob("*") if path.is_file()) if others else ())])
    digest = hashlib.sha256()
    for file in files:
        digest.update(b"%s\0%d\0" % (file.name.encode(), file.stat().st_size) + file.read_bytes())
    path = folder / f"{script.stem}-{digest.hexdigest()[:10]}"
    if not path.exists():
        newest = min(time.time_ns(), max(file.stat().st_mtime_ns for file in files))
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            path.touch()
            os.utime(path, ns=(newest, newest))
    return path
