"""Only what changed runs again: what `snakemake -n` says after each kind of edit, in a copy of the project."""

import re
import shutil
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from builders.workflows import Workflow, copy_project, outputs, read_summary, small_config

SEEDS = [1, 2, 3, 4, 5]
AFTER_TRAINING = ["diagnose", "plot", "compare", "report"]
DOWNSTREAM = {
    "download": ["extract", "normalize", "train", *AFTER_TRAINING],
    "extract": ["normalize", "train", *AFTER_TRAINING],
    "normalize": ["train", *AFTER_TRAINING],
    "chart": ["diagnose", "compare", "report"],
    "train": AFTER_TRAINING,
    "diagnose": ["compare", "report"],
    "plot": ["report"],
    "compare": ["report"],
    "vega": ["report"],
    "report": [],
}
# Of three variants, two losses and two normalizations.
EACH = {"download": 1, "extract": 1, "normalize": 2, "chart": 2, "train": 3 * len(SEEDS), "diagnose": 3, "plot": 3}
EACH |= dict.fromkeys(["compare", "vega", "report"], 1)
NOTHING: dict[str, int] = {}


def from_rule(rule: str) -> dict[str, int]:
    """All jobs of a rule, and of all that comes after it."""
    return {name: EACH[name] for name in (rule, *DOWNSTREAM[rule])}


def of_variants(count: int, trainings: int = len(SEEDS)) -> dict[str, int]:
    """The jobs of so many variants, of each of which so many models are trained, and what is made of all variants."""
    return {"train": count * trainings, "diagnose": count, "plot": count, "compare": 1, "report": 1}


@pytest.fixture(scope="module")
def project(tmp_path_factory, small_mnist) -> Workflow:
    """A copy of the project, whose files a test may edit, with a finished run in it."""
    folder = tmp_path_factory.mktemp("project")
    snakefile = copy_project(folder)
    config = small_config(small_mnist)
    config["defaults"]["seeds"] = SEEDS
    config["normalizations"]["raw"] = "x"
    config["variants"]["raw"] = {"loss": "bce", "normalization": "raw"}
    workflow = Workflow(folder, config, snakefile)
    workflow.ok("--cores", "2")
    assert workflow.jobs() == NOTHING
    return workflow


@contextmanager
def config_of(project: Workflow, edit):
    """The config after an edit; afterwards as it was."""
    original = yaml.safe_dump(project.config, sort_keys=False)
    try:
        edit(project.config)
        project.write_config()
        yield
    finally:
        project.config = yaml.safe_load(original)
        project.write_config()


@contextmanager
def edited(path: Path, more: str):
    """The file with more at its end; afterwards as it was, but for its date."""
    original = path.read_bytes()
    try:
        path.write_bytes(original + more.encode())
        yield
    finally:
        path.write_bytes(original)


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


def more_seeds(config):
    config["defaults"]["seeds"] = [*SEEDS, 6, 7, 8, 9, 10]


def add_seed(config):
    config["variants"]["good"]["seeds"] = [*SEEDS, 6]


def remove_seed(config):
    config["variants"]["good"]["seeds"] = SEEDS[:-1]


def reverse_seeds(config):
    config["variants"]["good"]["seeds"] = SEEDS[::-1]


def try_nothing(config):
    config["diagnosis"] = {"trials": 0}


def exchange_values(config):
    """Snakemake compares params as a set of values without names."""
    config["variants"]["good"] |= {"epochs": 1, "seeds": [5]}


def say_the_default(config):
    config["variants"]["good"] |= {"activation": "ReLU", "seeds": SEEDS, "optimizer": {"name": "Adam"}}


def add_unused_loss(config):
    config["losses"]["unused"] = "mean(yhat)"


def add_unused_normalization(config):
    config["normalizations"]["unused"] = "x - 1"


def reorder(config):
    for key in list(config):
        config[key] = dict(reversed(config.pop(key).items()))


def edit_white_space(config):
    config["losses"]["negative-log"] += "  "


def change_classes(config):
    config["data"]["classes"] = [1, 0]


def change_epochs(config):
    config["defaults"]["epochs"] = 6


def add_note(config):
    """In a param that is a text, Snakemake reads {x} as a wildcard."""
    config["variants"]["good"]["note"] = "the one that works {x}"


def add_sweep(config):
    config["sweeps"] = {"study": {"loss": "bce", "normalization": "unit", "lr": [0.1, 0.01]}}


NO_TRAINING = {"diagnose": 1, "plot": 1, "compare": 1, "report": 1}
EDITS = {
    add_variant: of_variants(1),
    remove_variant: {"compare": 1, "report": 1},
    rename_variant: of_variants(1),
    edit_loss: {"chart": 1} | of_variants(1),
    edit_constant: {"chart": 1} | of_variants(2),
    edit_normalization: {"normalize": 1} | of_variants(1),
    more_seeds: of_variants(3, trainings=5),
    add_seed: of_variants(1, trainings=1),
    remove_seed: NO_TRAINING,
    reverse_seeds: NO_TRAINING,
    exchange_values: of_variants(1, trainings=1),
    say_the_default: NOTHING,
    try_nothing: from_rule("diagnose"),
    add_unused_loss: {"chart": 1, "compare": 1, "report": 1},  # it is evaluated where others broke
    add_unused_normalization: NOTHING,
    reorder: NOTHING,
    edit_white_space: NOTHING,
    change_classes: from_rule("extract"),
    change_epochs: from_rule("train"),
    add_note: {"report": 1},
    add_sweep: of_variants(2),
}


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.__name__)
def test_edit_of_the_config_runs_what_it_changes(project, edit):
    with config_of(project, edit):
        assert project.jobs() == EDITS[edit]


@pytest.mark.parametrize("rule", EACH)
def test_edit_of_a_script_runs_its_rule_and_what_comes_after(project, rule):
    """What a script imports, and what of its text counts: tests/unit/test_sources.py."""
    with edited(project / f"workflow/scripts/{rule}.py", "\nUNUSED = 1\n"):
        assert project.jobs() == from_rule(rule)


@pytest.mark.parametrize(
    ("file", "more", "jobs"),
    [
        ("training/observer.py", "\nUNUSED = 1\n", from_rule("train")),
        ("training/loss.py", "\nUNUSED = 1\n", from_rule("chart") | from_rule("train")),
        ("formulas/language.py", "\nUNUSED = 1\n", from_rule("chart") | from_rule("normalize")),
        ("losses/infimum.py", "\nUNUSED = 1\n", from_rule("chart")),
        ("autopsy/words.py", "\nUNUSED = 1\n", from_rule("diagnose")),  # a sentence
        ("findings/of_run.py", "\nUNUSED = 1\n", from_rule("diagnose")),
        ("cures/changes.py", "\nUNUSED = 1\n", from_rule("diagnose")),
        ("comparing/survival.py", "\nUNUSED = 1\n", from_rule("compare")),
        ("reporting/table.py", "\nUNUSED = 1\n", from_rule("report")),
        ("running/lock.py", "\nUNUSED = 1\n", NOTHING),
        ("../report/style/page.css", "\n", from_rule("report")),
    ],
)
def test_edit_of_another_file_runs_what_uses_it(project, file, more, jobs):
    with edited(project / "workflow/scripts" / file, more):
        assert project.jobs() == jobs


@pytest.mark.parametrize("file", ["train.py", "training/loss.py", "autopsy/words.py", "records/training.py"])
def test_comment_or_docstring_runs_nothing(project, file):
    path = project / "workflow/scripts" / file
    with edited(path, "\n# A comment.\n"):
        text = path.read_text()
        assert text.startswith('"""')
        path.write_text(text.replace('"""', '"""In other words: ', 1))
        assert project.jobs() == NOTHING


def test_models_that_are_there_are_kept_when_seeds_are_added(project, tmp_path):
    folder = shutil.copytree(project.folder, tmp_path / "more")
    more = Workflow(folder, yaml.safe_load((folder / "config.yaml").read_text()), snakefile=folder / "Snakefile")
    models = [more / f"results/variants/{name}/{seed}" for name in more.config["variants"] for seed in SEEDS]
    files = [path for model in models for path in model.iterdir()]
    dates = [path.stat().st_mtime_ns for path in files]
    more_seeds(more.config)
    more.write_config()
    more.ok("--cores", "2")
    assert more.jobs() == NOTHING
    assert [path.stat().st_mtime_ns for path in files] == dates
    assert len(list((more / "results/variants").glob("*/*/model.pt"))) == 2 * len(models)
    assert len(read_summary(more)) == 2 * len(models)


def reasons(output: str, rule: str) -> list[str]:
    """The reasons that a dry run gives for the jobs of a rule."""
    jobs = re.split(r"\n(?=(?:local)?rule )", output)
    return [re.search("reason: (.*)", job)[1] for job in jobs if re.match(rf"(?:local)?rule {rule}:", job)]


def test_reason_says_which_setting_changed(project):
    with config_of(project, change_epochs):
        found = reasons(project.ok("--dry-run").stdout, "train")
    assert len(found) == EACH["train"]
    for reason in found:
        assert reason.startswith("Params have changed since last execution: ")
        assert reason.split("before: ")[1].split() == ["'epochs=5'", "now:", "'epochs=6'"]
    with config_of(project, add_note):
        (reason,) = reasons(project.ok("--dry-run").stdout, "report")
    assert 'now: \'notes={"good": "the one that works {x}"}\'' in reason
    with edited(project / "workflow/scripts/plot.py", "\nUNUSED = 1\n"):
        found = reasons(project.ok("--dry-run").stdout, "plot")
    assert all(re.search(r"before: 'code=\"\w{10}\"' now: 'code=\"\w{10}\"'", reason) for reason in found)


def test_touch_of_all_files_and_a_comment_in_the_config_run_nothing(project):
    for path in project.folder.rglob("*"):
        if path.is_file() and not {".snakemake", "results"} & set(path.relative_to(project.folder).parts):
            path.touch()
    with edited(project / "config.yaml", "\n# the end\n"):
        assert project.jobs() == NOTHING


def test_dry_run_writes_nothing_beside_snakemake_s_own_folder(small_mnist, tmp_path):
    workflow = Workflow(tmp_path, small_config(small_mnist), copy_project(tmp_path))

    def there() -> set[Path]:
        return {path for path in tmp_path.rglob("*") if ".snakemake" not in path.relative_to(tmp_path).parts}

    before = there()
    assert workflow.jobs()["train"] == 4
    assert there() == before
    ours = [path for path in (tmp_path / ".snakemake").rglob("*") if path.is_file() and path.parent.name != "iocache"]
    assert ours == []


def test_settings_that_snakemake_does_not_know_are_told_with_what_trains_them(project, tmp_path):
    """Its notes are gone, as in a second folder that shares the results; or only dates are asked for."""
    kept = shutil.copytree(project / ".snakemake", tmp_path / "kept")
    results = shutil.copytree(project / "results", tmp_path / "results")
    try:
        with config_of(project, lambda config: config["variants"]["good"].update(lr=0.5)):
            models = " ".join(f"results/variants/good/{seed}/training.json" for seed in SEEDS)
            command = f"snakemake --cores 4 --forcerun {models}"
            said = project.ok("--dry-run", "--rerun-triggers", "mtime").stderr
            assert f"good/{SEEDS[-1]} (lr=0.002); to train anew: {command}" in said
            assert "to train anew" not in project.ok("--dry-run").stderr  # it is about to be trained
            shutil.rmtree(project / ".snakemake")
            said = project.ok("--cores", "2")
            assert "nothing to do" in said.stderr and command in said.stderr
            said = project.ok("--cores", "2", "--forcerun", "report").stderr
            assert said.splitlines()[-1].endswith(command)
            page = (project / "results/report.html").read_text()
            assert "Some models were trained with other settings or code" in page and command in page
            project.ok(*command.split()[1:])
            assert "to train anew" not in project.ok("--dry-run").stderr
            assert "Some models were trained" not in (project / "results/report.html").read_text()
        with edited(project / "workflow/scripts/train.py", "\nUNUSED = 1\n"):
            said = project.ok("--dry-run", "--rerun-triggers", "mtime").stderr
            assert "bad/1 (other code)" in said and said.splitlines()[-1].endswith("--forcerun extract")
    finally:
        for name, was in (("results", results), (".snakemake", kept)):
            shutil.rmtree(project / name)
            shutil.move(was, project / name)
    assert project.jobs() == NOTHING


def test_edit_that_is_undone_before_it_ran_runs_nothing(project):
    before = outputs(project)
    with config_of(project, change_epochs):
        assert project.jobs() == from_rule("train")
    assert project.jobs() == NOTHING
    assert outputs(project) == before


def test_project_that_moved_with_its_results_runs_nothing(project, tmp_path):
    folder = shutil.copytree(project.folder, tmp_path / "moved")
    assert Workflow(folder, project.config, snakefile=folder / "Snakefile").jobs() == NOTHING
