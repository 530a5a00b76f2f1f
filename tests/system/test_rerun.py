"""Only what changed runs again: what `snakemake -n` says after each kind of edit, in a copy of the project."""

import re
import shutil
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from builders.places import ROOT
from builders.workflows import Workflow, small_config
from common.sources import mark

DOWNSTREAM = {
    "download": ["extract", "normalize", "train", "diagnose", "plot", "report"],
    "extract": ["normalize", "train", "diagnose", "plot", "report"],
    "normalize": ["train", "diagnose", "plot", "report"],
    "train": ["diagnose", "plot", "report"],
    "diagnose": ["report"],
    "plot": ["report"],
    "vega": ["report"],
    "report": [],
}
EACH = {"download": 1, "extract": 1, "normalize": 2, "train": 3, "diagnose": 1, "plot": 3, "vega": 1, "report": 1}
NOTHING: dict[str, int] = {}


def from_rule(rule: str) -> dict[str, int]:
    """The jobs of a rule for every variant, and of all that comes after it."""
    return {name: EACH[name] for name in (rule, *DOWNSTREAM[rule])}


ONE_VARIANT = {"train": 1, "diagnose": 1, "plot": 1, "report": 1}


@pytest.fixture(scope="module")
def project(tmp_path_factory, small_mnist) -> Workflow:
    """A copy of the project, whose files a test may edit, with a finished run in it."""
    folder = tmp_path_factory.mktemp("project")
    for name in ("Snakefile", "workflow", "profiles"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    config = small_config(small_mnist)
    config["normalizations"]["raw"] = "x"
    config["variants"]["raw"] = {"loss": "bce", "normalization": "raw"}
    workflow = Workflow(folder, config, snakefile=folder / "Snakefile")
    workflow.ok("--cores", "2")
    shutil.copytree(workflow / "results/settings", workflow / "settings as the run left them")
    assert workflow.jobs() == NOTHING
    return workflow


def add_variant(config):
    config["variants"]["more"] = {"loss": "bce", "normalization": "raw", "lr": 0.1}


def remove_variant(config):
    del config["variants"]["raw"]


def rename_variant(config):
    config["variants"]["renamed"] = config["variants"].pop("good")


def edit_loss(config):
    config["losses"]["negative-log"] = "mean(log(yhat - 2))"


def edit_constant(config):
    config["losses"]["bce"]["reduction"] = "sum"


def edit_normalization(config):
    config["normalizations"]["raw"] = "x / 2"


def add_seed(config):
    config["variants"]["good"]["seeds"] = [1, 2, 3]


def say_the_default(config):
    config["variants"]["good"] |= {"activation": "ReLU", "seeds": [1, 2], "optimizer": {"name": "Adam"}}


def add_unused_loss(config):
    config["losses"]["unused"] = "mean(yhat)"


def add_unused_normalization(config):
    config["normalizations"]["unused"] = "x - 1"


def reorder(config):
    for key in list(config):
        config[key] = dict(reversed(config.pop(key).items()))


def edit_white_space(config):
    config["losses"]["negative-log"] = "mean( log(yhat - 1) )".replace("( ", "(").replace(" )", ")") + "  "


def change_classes(config):
    config["data"]["classes"] = [1, 0]


def change_epochs(config):
    config["defaults"]["epochs"] = 6


def add_note(config):
    config["variants"]["good"]["note"] = "the one that works"


def add_sweep(config):
    config["sweeps"] = {"study": {"loss": "bce", "normalization": "unit", "lr": [0.1, 0.01]}}


EDITS = {
    add_variant: ONE_VARIANT,
    remove_variant: {"diagnose": 1, "report": 1},
    rename_variant: ONE_VARIANT,
    edit_loss: ONE_VARIANT,
    edit_constant: {"train": 2, "diagnose": 1, "plot": 2, "report": 1},
    edit_normalization: {"normalize": 1} | ONE_VARIANT,
    add_seed: ONE_VARIANT,
    say_the_default: NOTHING,
    add_unused_loss: {"diagnose": 1, "report": 1},  # it is evaluated where others broke
    add_unused_normalization: NOTHING,
    reorder: NOTHING,
    edit_white_space: NOTHING,
    change_classes: from_rule("extract"),
    change_epochs: from_rule("train"),
    add_note: {"report": 1},
    add_sweep: {"train": 2, "diagnose": 1, "plot": 2, "report": 1},
}


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.__name__)
def test_edit_of_the_config_runs_what_it_changes(project, edit):
    original = yaml.safe_dump(project.config)
    try:
        edit(project.config)
        project.write_config()
        assert project.jobs() == EDITS[edit]
    finally:
        project.config = yaml.safe_load(original)
        project.write_config()


RULES = sorted((ROOT / "workflow/rules").glob("*.smk"))


@contextmanager
def as_it_was(folder: Path, kept: Path):
    """Whatever happens inside, the folder and all dates in it are afterwards what they were."""
    shutil.copytree(folder, kept)
    try:
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.move(kept, folder)


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.__name__)
def test_edit_counts_where_snakemake_remembers_nothing_and_compares_dates_alone(project, tmp_path, edit):
    bookkeeping, settings = (as_it_was(project / name, tmp_path / name) for name in (".snakemake", "results/settings"))
    original = yaml.safe_dump(project.config)
    (tmp_path / "results").mkdir()
    with bookkeeping, settings:
        shutil.rmtree(project / ".snakemake")
        shutil.rmtree(project / "results/settings")
        shutil.copytree(project / "settings as the run left them", project / "results/settings")
        try:
            edit(project.config)
            project.write_config()
            assert project.jobs("--rerun-triggers", "mtime") == EDITS[edit]
        finally:
            project.config = yaml.safe_load(original)
            project.write_config()


def test_triggers_of_a_user_s_profile_hide_no_edit(project, strict_profile):
    project.config["variants"]["good"]["lr"] = 0.5
    project.write_config()
    try:
        assert project.jobs(*strict_profile) == ONE_VARIANT
    finally:
        del project.config["variants"]["good"]["lr"]
        project.write_config()
    assert project.jobs(*strict_profile) == NOTHING


def test_settings_of_every_rule_are_a_file(project):
    shutil.rmtree(project / "results/settings")
    assert project.jobs() == NOTHING  # Snakemake has their checksums
    rules = set(re.findall(r"^rule (\w+):", "".join(map(Path.read_text, RULES)), re.MULTILINE))
    written = {path: path.stat().st_mtime_ns for path in (project / "results/settings").rglob("*.json")}
    assert {path.relative_to(project / "results/settings").parts[0].removesuffix(".json") for path in written} == rules
    assert project.jobs() == NOTHING
    assert {path: path.stat().st_mtime_ns for path in written} == written


def test_comment_in_the_config_runs_nothing(project):
    path = project / "config.yaml"
    path.write_text("# what a study\n" + path.read_text() + "\n# the end\n")
    assert project.jobs() == NOTHING
    project.write_config()


FILES = {
    "download.py": from_rule("download"),
    "extract.py": from_rule("extract"),
    "normalize.py": from_rule("normalize"),
    "train.py": from_rule("train"),
    "diagnose.py": from_rule("diagnose"),
    "plot.py": from_rule("plot"),
    "report.py": from_rule("report"),
    "vega.py": from_rule("vega"),
    "common/__init__.py": from_rule("download") | from_rule("vega"),
    "formulas/__init__.py": from_rule("normalize"),
    "images/__init__.py": from_rule("download"),
    "experiment/__init__.py": NOTHING,
    "training/__init__.py": from_rule("normalize"),
    "diagnosis/__init__.py": from_rule("normalize"),
    "reporting/__init__.py": from_rule("report"),
    "common/archives.py": from_rule("normalize"),
    "common/dates.py": NOTHING,
    "common/environment.py": NOTHING,
    "common/english.py": from_rule("download"),
    "common/errors.py": from_rule("download") | from_rule("vega"),
    "common/files.py": from_rule("download") | from_rule("vega"),
    "common/lock.py": NOTHING,
    "common/settings.py": NOTHING,
    "common/sources.py": NOTHING,
    "common/forks.py": NOTHING,
    "common/rate.py": NOTHING,
    "common/terminal.py": NOTHING,
    "common/warm.py": NOTHING,
    "common/tensors.py": from_rule("normalize"),
    "common/startup.py": from_rule("extract"),
    "training/device.py": from_rule("train"),
    "diagnosis/answers.py": from_rule("train"),
    "diagnosis/autopsy.py": from_rule("train"),
    "diagnosis/chart.py": from_rule("train"),
    "diagnosis/culprits.py": from_rule("normalize"),
    "diagnosis/evidence.py": from_rule("train"),
    "diagnosis/exact.py": from_rule("train"),
    "diagnosis/findings.py": from_rule("train"),
    "diagnosis/forecast.py": from_rule("train"),
    "diagnosis/gather.py": from_rule("train"),
    "diagnosis/kinds.py": from_rule("train"),
    "diagnosis/mcnemar.py": from_rule("train"),
    "diagnosis/of_loss.py": from_rule("train"),
    "diagnosis/of_pixels.py": from_rule("train"),
    "diagnosis/of_answers.py": from_rule("train"),
    "diagnosis/of_run.py": from_rule("train"),
    "diagnosis/proportions.py": from_rule("train"),
    "diagnosis/paired.py": from_rule("diagnose"),
    "diagnosis/pairs.py": from_rule("diagnose"),
    "diagnosis/pixels.py": from_rule("train"),
    "diagnosis/rates.py": from_rule("train"),
    "diagnosis/records.py": from_rule("normalize"),
    "diagnosis/signs.py": from_rule("train"),
    "diagnosis/steps.py": from_rule("train"),
    "diagnosis/rewrites.py": from_rule("train"),
    "diagnosis/snippets.py": from_rule("train"),
    "diagnosis/changes.py": from_rule("train"),
    "diagnosis/cures.py": from_rule("train"),
    "diagnosis/told.py": from_rule("train"),
    "diagnosis/words.py": from_rule("normalize"),
    "experiment/config.py": NOTHING,
    "experiment/definitions.py": NOTHING,
    "experiment/effective.py": NOTHING,
    "experiment/schema.py": NOTHING,
    "experiment/sweeps.py": NOTHING,
    "formulas/algebra.py": from_rule("train"),
    "formulas/float32.py": from_rule("normalize"),
    "formulas/meant.py": from_rule("train"),
    "formulas/rewriting.py": from_rule("train"),
    "formulas/language.py": from_rule("normalize"),
    "formulas/parsing.py": from_rule("normalize"),
    "images/fetch.py": from_rule("download"),
    "images/idx.py": from_rule("extract"),
    "images/mnist.py": from_rule("download"),
    "images/png.py": from_rule("download"),
    "images/vision.py": from_rule("extract"),
    "reporting/best.py": from_rule("report"),
    "reporting/answer.py": from_rule("report"),
    "reporting/cards.py": from_rule("report"),
    "reporting/charts.py": from_rule("report"),
    "reporting/closing.py": NOTHING,
    "reporting/cures.py": from_rule("report"),
    "reporting/grid.py": from_rule("report"),
    "reporting/intervals.py": from_rule("report"),
    "reporting/losses.py": from_rule("report"),
    "reporting/page.py": from_rule("report"),
    "reporting/pairs.py": from_rule("report"),
    "reporting/pictures.py": from_rule("report"),
    "reporting/provenance.py": from_rule("report"),
    "reporting/summary.py": from_rule("report"),
    "reporting/table.py": from_rule("report"),
    "training/fast.py": from_rule("train"),
    "training/history.py": from_rule("train"),
    "training/loop.py": from_rule("train"),
    "training/loss.py": from_rule("train"),
    "training/network.py": from_rule("train"),
    "training/normalization.py": from_rule("normalize"),
    "training/optimizer.py": from_rule("train"),
    "training/progress.py": from_rule("train"),
    "training/repeats.py": from_rule("train"),
    "../report/charts.css": from_rule("report"),
    "../report/charts.js": from_rule("report"),
    "../report/report.css": from_rule("report"),
    "../report/report.html.j2": from_rule("report"),
    "../report/report.js": from_rule("report"),
    "../report/sections/diagnosis/pairs.html.j2": from_rule("report"),
}


def test_every_module_is_edited_here():
    modules = {str(path.relative_to(ROOT / "workflow/scripts")) for path in (ROOT / "workflow/scripts").rglob("*.py")}
    assert modules == {name for name in FILES if name.endswith(".py")}


def test_report_depends_on_every_file_of_the_page(tmp_path):
    """What the rules make of a folder of others, without the -n that the tests below ask for some of its files."""
    page = Path(shutil.copytree(ROOT / "workflow/report", tmp_path / "report"))
    script = ROOT / "workflow/scripts/report.py"
    names = {mark(tmp_path / "marks", script, page)}
    files = [path for path in page.rglob("*") if path.is_file()]
    for path in files:
        path.write_text(path.read_text() + "\n")
        names.add(mark(tmp_path / "marks", script, page))
    assert len(names) == len(files) + 1 > 15


@contextmanager
def edited(path: Path):
    """The file with one more line; afterwards as it was, but for its date."""
    original = path.read_bytes()
    try:
        path.write_bytes(original + b"\n")
        yield
    finally:
        path.write_bytes(original)


@pytest.fixture(scope="module")
def strict_profile(tmp_path_factory) -> list[str]:
    """A user's profile that leaves out the triggers on params and code."""
    folder = tmp_path_factory.mktemp("profile")
    (folder / "config.yaml").write_text("rerun-triggers: [mtime, input]\n")
    return ["--profile", str(folder)]


@pytest.mark.parametrize("name", FILES)
def test_edit_of_a_file_runs_what_uses_it(project, name):
    with edited(project / "workflow/scripts" / name):
        assert project.jobs() == FILES[name]


@pytest.mark.parametrize("name", ["train.py", "training/loop.py", "../report/report.css"])
def test_edit_of_a_file_counts_whatever_the_triggers_of_a_profile(project, strict_profile, name):
    with edited(project / "workflow/scripts" / name):
        assert project.jobs(*strict_profile) == FILES[name]
        assert project.jobs("--rerun-triggers", "mtime") == FILES[name]


def test_touch_of_all_files_runs_nothing(project, strict_profile):
    files = [path for path in project.folder.rglob("*") if path.is_file() and ".snakemake" not in path.parts]
    for path in files:
        if "results" not in path.relative_to(project.folder).parts:
            path.touch()
    assert project.jobs() == NOTHING
    assert project.jobs(*strict_profile) == NOTHING


def test_what_an_edit_changes_is_one_short_word_in_the_reasons(project):
    with edited(project / "workflow/scripts/plot.py"):
        output = project.ok("--dry-run").stdout
    reason = next(line for line in output.splitlines() if line.startswith("    reason: ") and "code" in line)
    assert re.fullmatch(r" +reason: Updated input files: \.snakemake/code/plot-\w{10}", reason)
    assert not re.search(r"scripts/\S+\.py", output)


def test_import_inside_a_function_and_of_a_new_module_counts(project):
    """What is followed are import statements, wherever they stand."""
    new, uses = project / "workflow/scripts/training/new.py", project / "workflow/scripts/plot.py"
    original = uses.read_text()
    try:
        new.write_text("")
        assert project.jobs() == NOTHING
        uses.write_text(original + "\n\ndef unused():\n    from training import new\n")
        assert project.jobs() == from_rule("plot")
        before = project.ok("--dry-run").stdout.split("code/plot-")[1][:10]
        new.write_text("x = 1\n")
        assert project.ok("--dry-run").stdout.split("code/plot-")[1][:10] != before
    finally:
        new.unlink()
        uses.write_text(original)
    assert project.jobs() == NOTHING


def test_deleted_bookkeeping_of_snakemake_runs_nothing(project):
    marks = project / ".snakemake/code"
    shutil.rmtree(marks)
    assert project.jobs() == NOTHING
    assert list(marks.iterdir())
