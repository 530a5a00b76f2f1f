"""What a script depends on: which modules it imports, and what of their text counts."""

import ast
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from builders.places import ROOT
from common import sources
from common.sources import SCRIPTS, digest, parsed

RULES = ["download", "extract", "normalize", "chart", "train", "diagnose", "plot", "compare", "vega", "report"]

# In a fork for each script, so that torch is imported once.
LOADED = """
import json, os, sys
sys.path.insert(0, sys.argv[1])
import torch, pandas, matplotlib.figure, altair, msgspec, mpmath
for rule in sys.argv[2:]:
    if os.fork() == 0:
        __import__(rule)
        files = [getattr(module, "__file__", None) or "" for module in sys.modules.values()]
        print(json.dumps([rule, [file for file in files if file.startswith(sys.argv[1])]]), flush=True)
        os._exit(0)
    os.wait()
"""


def test_whatever_a_script_loads_counts():
    command = [sys.executable, "-c", LOADED, str(SCRIPTS), *RULES]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    loaded = dict(map(json.loads, lines))
    assert set(loaded) == set(RULES) == {path.stem for path in SCRIPTS.glob("*.py")}
    for rule, files in loaded.items():
        assert set(map(Path, files)) <= sources.sources(SCRIPTS / f"{rule}.py"), rule
        assert len(files) > 2, rule


def test_what_only_the_snakefile_uses_runs_no_job():
    used = set.union(*(sources.sources(SCRIPTS / f"{rule}.py") for rule in RULES))
    rest = {str(path.relative_to(SCRIPTS)) for path in set(SCRIPTS.rglob("*.py")) - used}
    assert {name for name in rest if not name.startswith("running/")} == {
        "common/sources.py",
        "experiment/config.py",
        "experiment/definitions.py",
        "experiment/reading.py",
        "experiment/schema.py",
        "experiment/sweeps.py",
        "reporting/closing.py",
    }
    assert not [path for path in used if path.parent.name == "running"]


@pytest.fixture
def rooms(tmp_path, monkeypatch) -> Path:
    """A folder of scripts: one.py imports room.a inside a function, which imports room.b."""
    files = {
        "one.py": '"""One."""\nimport json\n\ndef f():\n    from room import a\n    return a\n',
        "room/__init__.py": "",
        "room/a.py": "import room.b\nx = f'{room.b.y} and {1:>{2}}'  # why\n",
        "room/b.py": "y = 1\n",
        "room/c.py": "",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    monkeypatch.setattr(sources, "SCRIPTS", tmp_path)
    return tmp_path


def digest_of(rooms: Path) -> str:
    parsed.cache_clear()
    return digest(rooms / "one.py")


def test_import_inside_a_function_counts_and_that_of_an_import(rooms):
    parsed.cache_clear()
    found = sources.sources(rooms / "one.py")
    assert {str(path.relative_to(rooms)) for path in found} == {"one.py", "room/__init__.py", "room/a.py", "room/b.py"}


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("room/b.py", "y = 1", "# a comment\ny = 1"),
        ("room/b.py", "y = 1", '"""A docstring."""\n\n\ny   =  (1)'),
        ("one.py", '"""One."""', "'Another one.'"),
        ("one.py", "def f():\n", 'def f():\n    """Of a function."""\n'),
        ("room/a.py", "f'{room.b.y} and {1:>{2}}'", 'f"{room.b.y}" " and " f"{1:>{2}}"'),
        ("room/c.py", "", "nobody = 'imports this'"),
    ],
)
def test_what_changes_no_syntax_changes_nothing(rooms, name, old, new):
    before = digest_of(rooms)
    text = (rooms / name).read_text()
    assert old in text
    (rooms / name).write_text(text.replace(old, new, 1))
    assert digest_of(rooms) == before


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("room/b.py", "y = 1", "y = 1.0"),
        ("room/b.py", "y = 1", "y = True"),
        ("room/b.py", "y = 1", "y = '1'"),
        ("room/b.py", "y = 1", "z = 1"),
        ("room/b.py", "y = 1", "y += 1"),
        ("room/b.py", "y = 1", "y = 1; 'no docstring'"),
        ("room/a.py", " and ", " or "),
        ("room/a.py", ">{2}", "<{2}"),
        ("room/__init__.py", "", "import json"),
        ("one.py", "return a", "return None"),
        ("one.py", "return a", "return"),
        ("one.py", "from room import a", "from room import c as a"),
    ],
)
def test_what_changes_the_syntax_counts(rooms, name, old, new):
    before = digest_of(rooms)
    text = (rooms / name).read_text()
    assert old in text
    (rooms / name).write_text(text.replace(old, new, 1))
    assert digest_of(rooms) != before


def test_texts_of_an_f_string_may_be_split_or_empty_as_in_other_versions_of_python(rooms):
    """Python 3.12 has empty texts where 3.11 has none."""
    whole = ast.parse("f'{a} and {b:>{c}}'")
    split = ast.parse("f'{a} and {b:>{c}}'")
    joined = split.body[0].value
    joined.values[1:2] = [ast.Constant(" a"), ast.Constant(""), ast.Constant("nd ")]
    joined.values.append(ast.Constant(""))
    joined.values[-2].format_spec.values.append(ast.Constant(""))
    said: list[list[str]] = [[], []]
    for tree, words in zip((whole, split), said, strict=True):
        sources._walk(tree, words, set())
    assert said[0] == said[1]


ODD = '''
a = f"{x}" f"{x:}" f"{x:{y}}" f"{x!r:>{width}}" f"{x=}" f"{x = !s:>10}" f"a{{b}}c{x}d" "e" f"{y}" u"u"
b = "" f"{x}" "", f"", f"{{" f"}}", f"{x:{y}.{width}f}", rf"\\d{x}\\w", f"{'a' + 'b'}{x}", b"a" b"b"
def f(a: int, /, b=1, *c, d, e=2, **k) -> int:
    "doc"
    return {**k, "a": [*c, 1, 1.5, 1e400, -0.0, 2j, None, ..., True]}
class A(dict, metaclass=type):
    """doc"""
async def g():
    async with a as b, c: pass
    return [i async for i in x if i]
match x:
    case {"a": 1, **rest} | [1, *_] | A(b=2) | None: pass
try: pass
except* (ValueError, TypeError) as e: pass
z = x if y else (w := 3); del x[1:2, ..., ::3]; (v): int = lambda: (yield)
'''


def test_digest_is_the_same_on_every_python(tmp_path):
    """That of Python 3.11, 3.12 and 3.13, whose ast.dump differ."""
    file = tmp_path / "odd.py"
    file.write_text(ODD)
    assert parsed(file).digest.hex()[:16] == "5a4ac25c8d5b5127"


def test_every_file_of_the_page_counts(tmp_path):
    page = Path(shutil.copytree(ROOT / "workflow/report", tmp_path / "report"))
    script = SCRIPTS / "report.py"
    found = {digest(script), digest(script, others=page)}
    files = [path for path in page.rglob("*") if path.is_file() and path.suffix != ".rst"]
    for path in files:
        path.write_text(path.read_text() + "\n")
        found.add(digest(script, others=page))
    (page / ".report.css.swp").write_text("of an editor")
    found.add(digest(script, others=page))
    assert len(found) == len(files) + 2 > 15
