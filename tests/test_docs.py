"""README.md against the code: its reference tables are generated from the schema, its examples are real configs.

`python tests/test_readme.py` writes the tables anew.
"""

import copy
import re
import sys

import pytest
import yaml
from conftest import ROOT

sys.path.append(str(ROOT / "workflow/scripts"))

from experiment.config import check
from experiment.schema import SCHEMA, SETTINGS
from formulas.language import ARITHMETIC, COMPARISONS, FUNCTIONS, LOSS_VARIABLES, NORMALIZATION_VARIABLES

README = ROOT / "README.md"
START, END = "<!-- reference: python tests/test_readme.py -->\n", "<!-- end of reference -->\n"


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |\n" for row in lines)


def _default(schema: dict) -> str:
    default = schema.get("default")
    if default is None:
        return ""
    text = yaml.safe_dump(default, default_flow_style=True, width=1000).split("\n")[0]
    return f"`{text}`"


def _keys() -> str:
    sections = SCHEMA["properties"]
    rows = []
    for section, schema in sections.items():
        default = _default(schema) if schema["default"] else ""
        rows.append([f"`{section}`", schema["description"], default])
        if section == "variants":
            keys = {key: SETTINGS[key] for key in ("loss", "normalization")}
            rows += [[f"`variants.{{name}}.{key}`", keys[key]["description"], ""] for key in keys]
            rows.append(["`variants.{name}.…`", "any key of `defaults`, for this variant", ""])
        elif "properties" in schema:
            rows += [
                [f"`{section}.{key}`", item["description"], "" if key in ("md5", "mirrors") else _default(item)]
                for key, item in schema["properties"].items()
            ]
        else:
            rows.append([f"`{section}.{{name}}`", schema["additionalProperties"]["description"], ""])
    return _table(["key", "means", "default"], rows)


def _arguments(schema: dict) -> str:
    texts = []
    for argument, described in schema.get("properties", {}).items():
        item = SCHEMA["$defs"][described["$ref"].rsplit("/", 1)[1]] if "$ref" in described else described
        default = item.get("default")
        texts.append(f"`{argument}`" if default is None else f"`{argument}={str(default).replace(' ', '')}`")
    return ", ".join(texts) or "–"


def _names(kind: str) -> str:
    return _table(
        ["name", "arguments"], [[f"`{name}`", _arguments(item)] for name, item in SCHEMA["$defs"][kind].items()]
    )


def reference() -> str:
    symbols = " ".join(f"`{symbol}`" for symbol, _ in [*ARITHMETIC.values(), *COMPARISONS.values()])
    return f"""
**Keys of config.yaml**

{_keys()}
**Formulas** may use

{
        _table(
            ["", "names"],
            [
                ["variables of a loss", ", ".join(f"`{name}`" for name in LOSS_VARIABLES)],
                ["variables of a normalization", ", ".join(f"`{name}`" for name in NORMALIZATION_VARIABLES)],
                ["functions", ", ".join(f"`{name}({arguments})`" for name, (arguments, _) in FUNCTIONS.items())],
                ["operators", f"{symbols}, unary `-`, parentheses"],
            ],
        )
    }
**torch.nn losses** (`{{module: name, argument: value, input: yhat or logits}}`)

{_names("losses")}
**torch.nn activations** (`activation: name`, or `{{name: …, argument: value}}`)

{_names("activations")}
**torch.optim optimizers** (`optimizer: name`, or `{{name: …, argument: value}}`)

{_names("optimizers")}
"""


def _split() -> tuple[str, str, str]:
    text = README.read_text(encoding="utf-8")
    before, rest = text.split(START)
    here, after = rest.split(END)
    return before, here, after


def test_reference_is_that_of_the_schema_and_the_code():
    assert _split()[1] == reference(), "run: python tests/test_readme.py"


def _examples() -> list[str]:
    return re.findall(r"```yaml\n(.*?)```", README.read_text(encoding="utf-8"), flags=re.DOTALL)


@pytest.mark.parametrize("text", _examples(), ids=lambda text: " ".join(text.split()[:2]))
def test_example_is_a_config_when_it_is_added_to_the_default_one(text):
    example = yaml.safe_load(text)
    config = copy.deepcopy(yaml.safe_load((ROOT / "config.yaml").read_text()))
    source = example.get("data", {}).pop("source", None)  # a path that is not here
    for section, keys in example.items():
        config[section] = config.get(section, {}) | keys
    check(config)
    assert source is None or source.endswith(("tgz", "/"))


def test_examples_are_found():
    assert len(_examples()) >= 5


if __name__ == "__main__":
    before, _, after = _split()
    README.write_text(before + START + reference() + END + after, encoding="utf-8")
