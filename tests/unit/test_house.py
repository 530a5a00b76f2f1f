"""The rooms of the code, and the order in which they may import each other."""

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from builders.places import ROOT

SCRIPTS = ROOT / "workflow/scripts"


def lint(scripts: Path) -> subprocess.CompletedProcess:
    """import-linter over a copy of the rooms, by the contracts of pyproject.toml."""
    program = "import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command())"
    command = [sys.executable, "-c", program, "--no-cache", "--config", str(ROOT / "pyproject.toml")]
    return subprocess.run(
        command, cwd=scripts, env={"PYTHONPATH": str(scripts)}, capture_output=True, text=True, check=False
    )


def settings() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]


def test_every_room_and_every_script_is_in_the_contracts():
    rooms = {path.name for path in SCRIPTS.iterdir() if path.is_dir() and path.name[0] not in "._"}
    assert set(settings()["root_packages"]) == rooms
    order, scripts, *_ = settings()["contracts"]
    assert {room.strip() for layer in order["layers"] for room in layer.split("|")} == rooms
    assert set(scripts["source_modules"]) == rooms
    assert set(scripts["forbidden_modules"]) == {path.stem for path in SCRIPTS.glob("*.py")}


def test_rooms_import_in_the_order_of_the_contracts():
    result = lint(SCRIPTS)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    ("module", "line", "broken"),
    [
        ("common/files.py", "import formulas.language", "Arrows run one way"),
        ("formulas/language.py", "from training import loss", "Arrows run one way"),
        ("training/loss.py", "from experiment import config", "Arrows run one way"),
        ("images/png.py", "from formulas import float32", "Arrows run one way"),
        ("training/data.py", "import train", "No room imports a rule's script"),
        ("formulas/parsing.py", "import common.files", "The language imports errors only"),
        ("experiment/sweeps.py", "import pandas", "The Snakefile starts without"),
        ("records/metrics.py", "import torch", "The page is made without torch"),
    ],
)
def test_import_against_the_order_is_found(tmp_path, module, line, broken):
    scripts = Path(shutil.copytree(SCRIPTS, tmp_path / "scripts"))
    path = scripts / module
    path.write_text(f"{path.read_text()}\n{line}\n")
    result = lint(scripts)
    assert result.returncode == 1
    assert any(broken in row and row.endswith("BROKEN") for row in result.stdout.splitlines()), result.stdout


def test_lock_has_every_pin():
    locked = dict(re.findall(r"^([\w.-]+)==(\S+)$", (ROOT / "requirements.lock").read_text().lower(), re.MULTILINE))
    for file in ROOT.glob("requirements*.txt"):
        for name, version in re.findall(r"^([\w.-]+)==(\S+)$", file.read_text().lower(), re.MULTILINE):
            assert locked[name] == version, name


def test_editors_can_read_the_schema_that_config_yaml_names():
    first = (ROOT / "config.yaml").read_text().splitlines()[0]
    schema = ROOT / first.removeprefix("# yaml-language-server: $schema=")
    assert not [event for event in yaml.parse(schema.read_text()) if getattr(event, "anchor", None)]
    validator = Draft202012Validator(yaml.safe_load(schema.read_text()))
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    validator.validate(config)
    config["variants"]["bce-raw"]["epochs"] = "many"
    assert [error.json_path for error in validator.iter_errors(config)] == ["$.variants['bce-raw'].epochs"]


def defined(path: Path) -> set[str]:
    """The public names that a module defines at its top level."""
    names = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names |= {part.id for target in targets for part in ast.walk(target) if isinstance(part, ast.Name)}
    return {name for name in names if not name.startswith("_")}


def test_no_public_name_is_defined_twice():
    """But `main`, as each rule's script calls what it does."""
    places: dict[str, list[str]] = {}
    for path in sorted(SCRIPTS.rglob("*.py")):
        for name in defined(path) - {"main"}:
            places.setdefault(name, []).append(str(path.relative_to(SCRIPTS)))
    assert len(places) > 400
    assert {name: there for name, there in places.items() if len(there) > 1} == {}


def imported(path: Path) -> set[str]:
    """Every part of the names that a file imports from."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    for node in nodes:
        if isinstance(node, ast.ImportFrom):
            names += [node.module or "", *(alias.name for alias in node.names)]
    return {part for name in names for part in name.split(".")}


def test_no_test_imports_another_test_or_a_conftest():
    files = sorted((ROOT / "tests").rglob("*.py"))
    known = {path.stem for path in files if path.name.startswith("test_")} | {"conftest"}
    assert {"test_house", "conftest"} <= known
    assert {str(path.relative_to(ROOT)): found for path in files if (found := imported(path) & known)} == {}


GENERATED = {"requirements.lock", "workflow/schemas/metrics.schema.yaml"}


def length(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


@pytest.mark.skipif(not (ROOT / ".git").exists() or not shutil.which("git"), reason="git says which files are written")
def test_no_written_file_is_too_long():
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    names = {name for name in listed.stdout.split("\0") if name and not name.endswith(".png")}
    assert len(names) > 200 and names > GENERATED
    there = [name for name in names - GENERATED if (ROOT / name).is_file()]  # not what was deleted a moment ago
    assert {name: lines for name in there if (lines := length(ROOT / name)) > 350} == {}


def test_no_room_is_too_large():
    rooms = [path for path in SCRIPTS.iterdir() if path.is_dir() and any(path.glob("*.py"))]
    lines = {room.name: sum(map(length, room.rglob("*.py"))) for room in rooms}
    most = sum(map(length, SCRIPTS.rglob("*.py"))) / 5
    assert len(lines) > 10
    assert {room: count for room, count in lines.items() if count > most} == {}
