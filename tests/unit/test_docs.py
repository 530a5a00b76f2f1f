"""README.md, CONTRIBUTING.md and docs/ against the project: what they say, show, link to and name is there.

The reference of docs/config.md is generated from the schema and the code: `python tests/unit/test_docs.py` writes it
anew.
"""

import copy
import re
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest
import yaml

# Where pytest looks for modules, too.
sys.path.append(str(Path(__file__).parents[1]))
sys.path.append(str(Path(__file__).parents[2] / "workflow/scripts"))

from builders.places import ROOT
from experiment.config import check
from experiment.definitions import loss_definition
from experiment.schema import SCHEMA, SETTING_SCHEMAS
from findings.catalogue import CATALOGUE
from formulas.language import ARITHMETIC, COMPARISONS, FUNCTIONS, LOSS_VARIABLES, NORMALIZATION_VARIABLES
from images import png
from losses.rewrites import better_form
from records.training import MODEL_FILES
from reporting.summary import COLUMNS
from running.lock import LOCK
from training.loss import build_loss

README, CONTRIBUTING, CONFIG, RESULTS, FINDINGS = (
    ROOT / name for name in ("README.md", "CONTRIBUTING.md", "docs/config.md", "docs/results.md", "docs/findings.md")
)
PAGES = [README, CONTRIBUTING, *sorted((ROOT / "docs").glob("*.md"))]
START, END = "<!-- reference: python tests/unit/test_docs.py -->\n", "<!-- end of reference -->\n"
FENCED = re.compile(r"^```(\w+)\n(.*?)^```$", flags=re.DOTALL | re.MULTILINE)
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def read(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def prose(page: Path) -> str:
    """A page without its fenced blocks."""
    return FENCED.sub("", read(page))


def fenced(page: Path, language: str) -> list[str]:
    return [text for name, text in FENCED.findall(read(page)) if name == language]


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
            keys = {key: SETTING_SCHEMAS[key] for key in ("loss", "normalization", "note")}
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
### Keys of config.yaml

{_keys()}
### Names in formulas

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
### torch.nn losses

`{{module: name, argument: value, input: yhat or logits}}`

{_names("losses")}
### torch.nn activations

`activation: name`, or `activation: {{name: …, argument: value}}`

{_names("activations")}
### torch.optim optimizers

`optimizer: name`, or `optimizer: {{name: …, argument: value}}`

{_names("optimizers")}
"""


def kinds() -> str:
    """The table of all kinds of findings, in the order in which they are told."""
    head = ["kind", "means", "where it comes from", "what helps", "an alarm", "tried first"]
    cells = [
        [f"`{kind.name}`", kind.means, kind.why, kind.helps, kind.alarm, _tried(kind.tries)]
        for kind in CATALOGUE.values()
    ]
    return f"\n{_table(head, cells)}\n"


def _tried(ways: tuple[str, ...]) -> str:
    return ", ".join(f"`{way}`" for way in ways) or "–"


GENERATED = {CONFIG: reference, FINDINGS: kinds}


def _split(page: Path) -> tuple[str, str, str]:
    before, rest = read(page).split(START)
    here, after = rest.split(END)
    return before, here, after


@pytest.mark.parametrize("page", GENERATED, ids=lambda page: page.name)
def test_generated_tables_are_those_of_the_schema_and_the_code(page):
    assert _split(page)[1] == GENERATED[page](), "run: python tests/unit/test_docs.py"


def test_every_kind_is_explained():
    for kind in CATALOGUE.values():
        assert all(len(text) > 4 and not text.endswith(".") for text in (kind.means, kind.why, kind.helps, kind.alarm))


EXAMPLES = [pytest.param(text, id=f"{page.stem}: {text.split()[0]}") for page in PAGES for text in fenced(page, "yaml")]


@pytest.mark.parametrize("text", EXAMPLES)
def test_example_is_a_config_when_it_is_added_to_the_default_one(text):
    example = yaml.safe_load(text)
    config = copy.deepcopy(yaml.safe_load((ROOT / "config.yaml").read_text()))
    source = example.get("data", {}).pop("source", None)  # a path that is not here
    for section, keys in example.items():
        config[section] = config.get(section, {}) | keys
    check(config)
    assert source is None or source.endswith(("tgz", "/"))


def test_examples_are_found():
    assert len(EXAMPLES) >= 6


def _anchors(page: Path) -> set[str]:
    """The fragments of a page's headings, as GitHub makes them."""
    anchors: set[str] = set()
    for heading in re.findall(r"^#+ (.+)$", prose(page), flags=re.MULTILINE):
        slug = re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
        taken = sum(re.sub(r"-\d+$", "", other) == slug for other in anchors)
        anchors.add(f"{slug}-{taken}" if taken else slug)
    return anchors


@each_page
def test_links_lead_somewhere(page):
    links = [link for link in re.findall(r"\]\(([^)]*)\)", prose(page)) if "://" not in link]
    for link in links:
        path, _, fragment = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), link
        assert not fragment or fragment in _anchors(target), link


def test_readme_links_to_every_page():
    for page in PAGES[1:]:
        assert f"]({page.relative_to(ROOT)})" in read(README)


# All that a run makes, from the rules: results/variants/{variant}/model.pt
OUTPUTS = {
    output
    for rules in (ROOT / "workflow/rules").glob("*.smk")
    for output in re.findall(r'"results/([\w./{}-]+)"', read(rules))
    if "{file}" not in output  # of names that stand beside it
} | {LOCK, *(f"variants/{{variant}}/{{seed}}/{file}" for file in MODEL_FILES.values())}
SUFFIX = re.compile(r"\.(css|csv|html|j2|js|json|md|npz|png|pt|py|smk|toml|txt|yaml)$")


def _named_paths(page: Path) -> set[str]:
    """What looks like a path in the page's code and commands; what follows a command's option is the user's own."""
    found = set()
    for span in [*re.findall(r"`([^`\n]+)`", prose(page)), *fenced(page, "sh")]:
        before = ""
        for word in span.split():
            name = word.strip(",;")
            is_path = re.fullmatch(r"(\.?[\w{][\w.{}-]*/)*\.?[\w{][\w.{}-]*/?", name)
            if is_path and ("/" in name or SUFFIX.search(name)) and not before.startswith("--"):
                found.add(name)
            before = word
    return {name for name in found if not name.startswith(".venv/")}


def _is_made_by_a_run(name: str) -> bool:
    """Whether the name is that of an output, or the end of one; where it ends with a /, of a folder of outputs."""
    wanted = name.rstrip("/").split("/")
    for output in OUTPUTS:
        parts = ["results", *output.split("/")]
        for start in [0] if wanted[0] == "results" else range(len(parts)):
            there, rest = parts[start : start + len(wanted)], parts[start + len(wanted) :]
            fits = len(there) == len(wanted) and all(map(fnmatch, wanted, (re.sub(r"{\w+}", "*", p) for p in there)))
            if fits and any("{" not in part for part in there) and (not rest or name.endswith("/")):
                return True
    return False


@each_page
def test_named_paths_exist(page):
    of_others = {f"{folder}/{{class}}/" for folder in png.PARTS} | {
        ".snakemake/",
        ".snakemake/log/",
    }  # the user's and Snakemake's
    missing = {
        name
        for name in _named_paths(page) - of_others
        if not any((home / name).exists() for home in (ROOT, ROOT / "workflow/scripts")) and not _is_made_by_a_run(name)
    }
    assert not missing


def test_paths_are_told_from_results():
    assert {"config.yaml", "results/report.html"} <= _named_paths(README)
    assert {"formulas/language.py", ".ci/run"} <= _named_paths(CONTRIBUTING)
    made = ("summary.csv", "results/variants/bce-raw/metrics.json", "data/normalized/{normalization}.pt", "logs/")
    other = ("summary.md", "results/metrics.json", "variants/bce-raw/metrics.csv", "{variant}/", "normalize.py")
    assert [*filter(_is_made_by_a_run, (*made, *other))] == [*made]


def test_names_stand_in_the_files_that_contributing_gives():
    places = re.findall(r"((?:`[$\w]+`(?:, | and ))*`[$\w]+`) in `([^`]+)`", read(CONTRIBUTING))
    for names, path in places:
        file = next(home / path for home in (ROOT, ROOT / "workflow/scripts") if (home / path).exists())
        for name in re.findall(r"`([$\w]+)`", names):
            assert re.search(rf"(^|\s){re.escape(name)}\b", read(file)), f"{name} in {path}"
    assert len(places) >= 5


def test_every_output_has_a_line_in_the_table_of_results():
    table = "".join(line for line in read(RESULTS).splitlines() if line.startswith("|"))
    for output in OUTPUTS:
        folder = output.split("/")[0]
        name = folder if folder in ("logs", "benchmarks") else output
        assert f"`{name}`" in table or f"`{name}/`" in table, name


def test_losses_that_readme_shows_have_no_better_form():
    examples = map(yaml.safe_load, re.findall(r"```yaml\n(.*?)```", read(README), re.DOTALL))
    losses = [value for example in examples for value in example.get("losses", {}).values()]
    assert losses
    assert [better_form(build_loss(loss_definition(value))) for value in losses] == [None] * len(losses)


def test_columns_of_summary_are_listed():
    assert f"`{', '.join(COLUMNS)}`" in read(RESULTS)


def test_citation_is_of_the_newest_release():
    release = re.search(r"^## \[(\d.*)\] - (.*)$", read(ROOT / "CHANGELOG.md"), flags=re.MULTILINE)
    citation = yaml.safe_load(read(ROOT / "CITATION.cff"))
    assert release.groups() == (citation["version"], citation["date-released"])


def test_readme_and_contributing_stay_short():
    assert len(read(README).splitlines()) <= 150
    assert len(read(CONTRIBUTING).splitlines()) <= 80


@each_page
def test_lines_are_at_most_120_characters_except_in_tables(page):
    long = [line for line in read(page).splitlines() if len(line) > 120 and not line.startswith("|")]
    assert [line for line in long if not line.startswith(("error: ", "warning: "))] == []


def test_commands_to_set_up_and_to_test_are_lines_of_their_own():
    assert [line for line in read(README).splitlines() if line.startswith("python3 -m venv")] == [
        "python3 -m venv .venv && .venv/bin/pip install -r requirements.txt && .venv/bin/snakemake --cores 4",
        "python3 -m venv .venv && .venv/bin/pip install -r requirements-test.txt && .venv/bin/pytest",  # of .ci/run
    ]


if __name__ == "__main__":
    for made, table in GENERATED.items():
        before, _, after = _split(made)
        made.write_text(before + START + table() + END + after, encoding="utf-8")
