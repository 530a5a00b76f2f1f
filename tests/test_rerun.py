"""Only what changed runs again: what `snakemake -n` says after each kind of edit, in a copy of the project."""

import os
import shutil
from pathlib import Path

import pytest
import yaml
from conftest import ROOT, Workflow, small_config

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
    "common/errors.py": from_rule("download") | from_rule("vega"),
    "common/files.py": from_rule("download") | from_rule("vega"),
    "common/lock.py": NOTHING,
    "common/sources.py": NOTHING,
    "common/startup.py": from_rule("extract"),
    "diagnosis/autopsy.py": from_rule("normalize"),
    "diagnosis/forecast.py": from_rule("train"),
    "diagnosis/mcnemar.py": from_rule("diagnose"),
    "diagnosis/probe.py": from_rule("train"),
    "diagnosis/suggestion.py": from_rule("diagnose"),
    "diagnosis/words.py": from_rule("normalize"),
    "experiment/config.py": NOTHING,
    "experiment/definitions.py": NOTHING,
    "experiment/schema.py": NOTHING,
    "experiment/sweeps.py": NOTHING,
    "formulas/float32.py": from_rule("normalize"),
    "formulas/language.py": from_rule("normalize"),
    "formulas/parsing.py": from_rule("normalize"),
    "images/idx.py": from_rule("extract"),
    "images/png.py": from_rule("download"),
    "images/vision.py": from_rule("extract"),
    "reporting/cards.py": from_rule("report"),
    "reporting/charts.py": from_rule("report"),
    "reporting/losses.py": from_rule("report"),
    "reporting/page.py": from_rule("report"),
    "reporting/pairs.py": from_rule("report"),
    "reporting/pictures.py": from_rule("report"),
    "reporting/provenance.py": from_rule("report"),
    "reporting/summary.py": from_rule("report"),
    "reporting/verdict.py": from_rule("report"),
    "training/fast.py": from_rule("normalize"),
    "training/history.py": from_rule("train"),
    "training/loop.py": from_rule("train"),
    "training/loss.py": from_rule("normalize"),
    "training/network.py": from_rule("normalize"),
    "training/optimizer.py": from_rule("train"),
    "../report/macros.html.j2": from_rule("report"),
    "../report/page.rst": from_rule("report"),
    "../report/report.css": from_rule("report"),
    "../report/report.html.j2": from_rule("report"),
    "../report/report.js": from_rule("report"),
    "../report/sections/cards.html.j2": from_rule("report"),
    "../report/sections/cards/autopsy.html.j2": from_rule("report"),
    "../report/sections/curves.html.j2": from_rule("report"),
    "../report/sections/diagnosis.html.j2": from_rule("report"),
    "../report/sections/diagnosis/corners.html.j2": from_rule("report"),
    "../report/sections/diagnosis/hardest.html.j2": from_rule("report"),
    "../report/sections/diagnosis/pairs.html.j2": from_rule("report"),
    "../report/sections/diagnosis/same-weights.html.j2": from_rule("report"),
    "../report/sections/diagnosis/suggestions.html.j2": from_rule("report"),
    "../report/sections/diagnosis/survival.html.j2": from_rule("report"),
    "../report/sections/header.html.j2": from_rule("report"),
    "../report/sections/provenance.html.j2": from_rule("report"),
    "../report/sections/table.html.j2": from_rule("report"),
    "../report/sections/verdict.html.j2": from_rule("report"),
    "../report/summary.rst": from_rule("report"),
    "../report/yhat.rst": from_rule("report"),
}


def test_every_file_is_edited_here():
    modules = {str(path.relative_to(ROOT / "workflow/scripts")) for path in (ROOT / "workflow/scripts").rglob("*.py")}
    page = {f"../{path.relative_to(ROOT / 'workflow')}" for path in (ROOT / "workflow/report").rglob("*.*")}
    assert modules | page == set(FILES)


@pytest.mark.parametrize("name", FILES)
def test_edit_of_a_file_runs_what_uses_it(project, name):
    path: Path = project / "workflow/scripts" / name
    original, times = path.read_bytes(), path.stat()
    try:
        path.write_bytes(original + b"\n")
        assert project.jobs() == FILES[name]
    finally:
        path.write_bytes(original)
        # Snakemake compares a module's checksum, but the date of a rule's own script.
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def test_touched_module_runs_nothing(project):
    (project / "workflow/scripts/common/formula.py").touch()
    assert project.jobs() == NOTHING
