"""config.yaml, read: what YAML says, where it is no more than a config can be, and nothing is overwritten silently.

Imported by the Snakefile: no torch, pandas or matplotlib here.
"""

import re
import sys
from dataclasses import dataclass
from pathlib import Path

import yaml

from common.errors import UserError
from experiment.schema import SCHEMA, quoted, unknown

MOST_BYTES = 16 << 20
MOST_VALUES = 100_000
MOST_DIGITS = 1000


@dataclass(frozen=True)
class ConfigFile:
    """A config.yaml. text: what was typed; content: the mapping that YAML makes of it."""

    path: str
    text: str
    content: dict


def read_config(path: str) -> dict:
    """The mapping in a YAML file. Raises UserError where it is not YAML, not a mapping, or names a key twice."""
    return _read(path).content


def _read(path: str) -> ConfigFile:
    try:
        if Path(path).exists() and not Path(path).is_file():  # a pipe, say, from which nothing may ever come
            raise UserError(
                f"{path}: found {'a folder' if Path(path).is_dir() else 'no regular file'}, expected a file"
            )
        if (size := Path(path).stat().st_size) > MOST_BYTES:
            raise UserError(f"{path}: found {size:,} bytes, expected at most {MOST_BYTES:,}")
        text = Path(path).read_text(encoding="utf-8")
        config = yaml.load(text, _Loader)
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        column = error.start - error.object.rfind(b"\n", 0, error.start)
        found = f"byte 0x{error.object[error.start]:02x}, which is not UTF-8 text"
        raise UserError(f"{path}, line {line}, column {column}: found {found}") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = getattr(error, "problem", None) or str(error)
        hint = "; is a space missing after a colon above it, or quotes around a text with a colon?"
        hint = hint if problem.startswith("mapping values") else ""
        what = "" if isinstance(error, _RefusedError) else "not valid YAML: "
        raise UserError(f"{path}{place}: {what}{problem}{hint}") from None
    except (RecursionError, ValueError) as error:
        raise UserError(f"{path}: not valid YAML: {error}") from None
    _check_size(config, path)
    if not isinstance(config, dict):
        raise UserError(f"{path}: found {quoted(config)}, expected keys such as data, losses and variants")
    for key in config:
        if key not in SCHEMA["properties"]:
            raise UserError(f"{path}: {unknown(str(key), SCHEMA['properties'])}")
    return ConfigFile(path, text, config)


def _check_size(value, path: str) -> None:
    """Refuse what YAML's anchors can make of a few lines: a value inside itself, or a billion of them."""
    count, waiting = 0, [(value, ())]
    while waiting:
        value, around = waiting.pop()
        count += 1
        if count > MOST_VALUES or id(value) in around:
            why = f"more than {MOST_VALUES:,} values" if count > MOST_VALUES else "a value that contains itself"
            raise UserError(f"{path}: found {why}")
        if isinstance(value, dict | list):
            inner = value.values() if isinstance(value, dict) else value
            waiting += [(item, (*around, id(value))) for item in inner]


def file_in_use(home: Path, is_main: bool) -> ConfigFile:
    """The config.yaml of the working directory (--directory), else the one beside the Snakefile, in `home`. As a module
    of another workflow, whose own config.yaml stands in the working directory, always the latter.

    It is read here, since Snakemake would show a traceback; where it is damaged, this process ends with one line."""
    path = "config.yaml" if is_main and Path("config.yaml").exists() else str(home / "config.yaml")
    try:
        return _read(path)
    except UserError as error:
        sys.exit(f"error: {error}")


class _RefusedError(yaml.constructor.ConstructorError):
    """Valid YAML that is not taken: its problem says what was found."""


class _Loader(yaml.SafeLoader):
    """YAML that refuses what PyYAML would silently overwrite, a key named twice, and a value that is not of its tag."""

    nodes = 0  # keys and values
    merges = 0  # in each other, of which the loader is in the midst
    merged = 0  # keys that they brought

    def compose_node(self, parent, index):
        self.nodes += 1
        if self.nodes > 2 * MOST_VALUES:
            raise _RefusedError(None, None, f"found more than {MOST_VALUES:,} values", self.peek_event().start_mark)
        return super().compose_node(parent, index)

    def construct_object(self, node, deep=False):
        try:
            return super().construct_object(node, deep)
        except (AttributeError, LookupError, OverflowError, TypeError, ValueError):  # PyYAML's constructors say no more
            problem = f"{quoted(node.value)} cannot be read as {node.tag.replace('tag:yaml.org,2002:', '!!')}"
            raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark) from None

    def compose_mapping_node(self, anchor):
        mapping = super().compose_mapping_node(anchor)
        seen = set()
        for key, _ in mapping.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                problem = f"the key '{key.value}' stands here a second time"
                raise yaml.composer.ComposerError(None, None, problem, key.start_mark)
            seen.add(key.value if isinstance(key, yaml.ScalarNode) else id(key))
        return mapping

    def construct_number(self, node):
        if len(node.value) > MOST_DIGITS:
            raise ValueError
        number = self.construct_yaml_int(node) if node.tag.endswith("int") else self.construct_yaml_float(node)
        # In YAML 1.1, 010 is 8 and 1:30 is 90.
        if ":" in node.value or (
            re.fullmatch(r"[-+]?0[\d_]+", node.value) and int(node.value.replace("_", "")) != number
        ):
            problem = f"found {node.value}, which YAML takes for {number}; write {number}, or put it in quotes"
            raise _RefusedError(None, None, problem, node.start_mark)
        return number

    def flatten_mapping(self, node):
        """Merge keys, of which each may double what stands there: by a few lines, beyond any memory.

        PyYAML calls this of a mapping, and of each that it merges, before it copies their keys.
        """
        self.merges += 1
        super().flatten_mapping(node)
        self.merges -= 1
        self.merged += len(node.value) if self.merges else 0
        if self.merged > MOST_VALUES:
            problem = f"found merge keys (<<) of more than {MOST_VALUES:,} values"
            raise _RefusedError(None, None, problem, node.start_mark)


for kind in ("int", "float"):
    _Loader.add_constructor(f"tag:yaml.org,2002:{kind}", _Loader.construct_number)
