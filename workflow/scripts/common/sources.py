"""What a script depends on: itself and all modules of the project that it imports, by what they say.

Imported by the Snakefile: no torch, pandas or matplotlib here.
"""

import ast
import hashlib
from functools import cache
from pathlib import Path
from typing import NamedTuple

SCRIPTS = Path(__file__).resolve().parents[1]
# What makes a model: an edit of the first two trains anew in any case, since they make its input.
TRAINING = [SCRIPTS / f"{name}.py" for name in ("extract", "normalize", "train")]
TEMPLATES = (".css", ".j2", ".js")
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


class Source(NamedTuple):
    """A module: the names that it may import, and the digest of its syntax."""

    imports: frozenset[str]
    digest: bytes


def sources(script: Path) -> set[Path]:
    """The script and every module under workflow/scripts/ that it imports, wherever in its text, transitively."""
    found: set[Path] = set()
    waiting = {script.resolve()}
    while waiting:
        file = waiting.pop()
        found.add(file)
        waiting |= {path for name in parsed(file).imports for path in _files(name)} - found
    return found


def digest(*scripts: Path, others: Path | None = None) -> str:
    """Ten characters that change with the syntax of scripts and of all that they import, not with comments, docstrings
    and layout, the same on Python 3.11 to 3.13; and with the bytes of the templates in the folder `others`."""
    found = hashlib.sha256()
    for file in sorted(set().union(*map(sources, scripts))):
        found.update(b"%s\0%s" % (file.relative_to(SCRIPTS).as_posix().encode(), parsed(file).digest))
    for file in sorted(path for path in others.rglob("[!.]*") if path.suffix in TEMPLATES) if others else ():
        content = file.read_bytes()
        found.update(b"%s\0%d\0%s" % (file.relative_to(others).as_posix().encode(), len(content), content))
    return found.hexdigest()[:10]


@cache
def parsed(file: Path) -> Source:
    """Raises SyntaxError."""
    imports: set[str] = set()
    said: list[str] = []
    _walk(ast.parse(file.read_bytes(), file), said, imports)
    return Source(frozenset(imports), hashlib.sha256("\0".join(said).encode()).digest())


def _walk(node, said: list[str], imports: set[str]) -> None:
    """Say a tree without what only some versions of Python have: fields that are empty, and empty or split texts
    around the values of an f-string. (ast.dump says them.)"""
    if isinstance(node, ast.Constant):
        said.append(f"{type(node.value).__name__} {node.value!r}")
        return
    if isinstance(node, ast.Import):
        imports |= {alias.name for alias in node.names}
    elif isinstance(node, ast.ImportFrom) and node.module:
        # What follows `import` may be a module, or a name in one.
        imports |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    said.append(f"({type(node).__name__}")
    for name in node._fields:
        value = getattr(node, name, None)
        if name == "body" and isinstance(node, DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            value = value[1:]
        if isinstance(node, ast.JoinedStr):
            value = _joined(value)
        if value is None or value == []:
            continue
        said.append(name)
        for part in value if isinstance(value, list) else (value,):
            if isinstance(part, ast.AST):
                _walk(part, said, imports)
            else:
                said.append(repr(part))
    said.append(")")


def _joined(parts: list[ast.expr]) -> list[ast.expr]:
    """The parts of an f-string, its texts whole."""
    whole: list[ast.expr] = []
    for part in parts:
        if isinstance(part, ast.Constant) and whole and isinstance(whole[-1], ast.Constant):
            whole.append(ast.Constant(whole.pop().value + part.value))
        elif not (isinstance(part, ast.Constant) and part.value == ""):
            whole.append(part)
    return whole


def _files(name: str) -> list[Path]:
    """The module of that name, and the packages that it is in; none if it is not of the project."""
    parts = name.split(".")
    within = [SCRIPTS.joinpath(*parts[:depth], "__init__.py") for depth in range(1, len(parts) + 1)]
    return [path for path in (*within, SCRIPTS.joinpath(*parts).with_suffix(".py")) if path.is_file()]
