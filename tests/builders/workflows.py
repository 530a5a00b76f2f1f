"""A working directory that runs the real snakemake, and what a run left."""

import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

from builders.digits import md5_of
from builders.places import ROOT
from builders.waiting import LONG
from common.params import each, param, read_params
from experiment.config import Experiment


def small_config(mnist: Path) -> dict:
    """Five epochs of a tiny network: one variant that finishes, one that diverges at once, two seeds each."""
    return {
        "data": {"mirrors": [str(mnist)], "md5": md5_of(mnist), "fallback": "none"},
        "defaults": {"hidden": [4], "epochs": 5, "seeds": [1, 2]},
        "normalizations": {"unit": "x / 255"},
        "losses": {"bce": {"module": "BCELoss"}, "negative-log": "mean(log(yhat - 1))"},
        "variants": {
            "good": {"loss": "bce", "normalization": "unit"},
            "bad": {"loss": "negative-log", "normalization": "unit"},
        },
    }


class Workflow:
    """A working directory with a config.yaml of its own, in which the project's Snakefile is run."""

    def __init__(self, folder: Path, config: dict, snakefile: Path = ROOT / "Snakefile"):
        self.folder, self.config, self.snakefile = folder, config, snakefile
        folder.mkdir(parents=True, exist_ok=True)
        self.write_config()

    def write_config(self) -> None:
        (self.folder / "config.yaml").write_text(yaml.safe_dump(self.config, sort_keys=False))

    def command(self, *arguments: str) -> list[str]:
        snakemake = [sys.executable, "-m", "snakemake", "--snakefile", str(self.snakefile)]
        return [*snakemake, "--directory", str(self.folder), *arguments]

    def run(self, *arguments: str, **options) -> subprocess.CompletedProcess:
        return subprocess.run(
            self.command(*arguments), capture_output=True, text=True, timeout=LONG, check=False, **options
        )

    def ok(self, *arguments: str) -> subprocess.CompletedProcess:
        result = self.run(*arguments)
        assert result.returncode == 0, result.stdout + result.stderr
        return result

    def jobs(self, *arguments: str) -> dict[str, int]:
        """{rule: jobs} that a run with these arguments would do now, without `all`."""
        output = self.ok("--dry-run", *arguments).stdout
        if "Nothing to be done" in output:
            return {}
        table = output.split("Job stats:")[1].split("total")[0].splitlines()[3:]
        return {rule: int(count) for rule, count in (row.split() for row in table if row.strip()) if rule != "all"}

    def copy(self, folder: Path) -> "Workflow":
        shutil.copytree(self.folder, folder)
        return Workflow(folder, json.loads(json.dumps(self.config)))

    def __truediv__(self, path: str) -> Path:
        return self.folder / path


def copy_project(folder: Path, *more: str) -> Path:
    """A copy of what makes results, whose files a test may edit, and of more of the project's files; its Snakefile."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("Snakefile", "workflow", "profiles", *more):
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, folder / name)
    return folder / "Snakefile"


# Those of an experiment that the report is made of.
SECTIONS = ("data", "defaults", "diagnosis", "normalizations", "losses", "variants", "notes")


def handed(experiment: Experiment, *sections: str, **others) -> dict:
    """What a rule that has these sections of an experiment as params, and others, tells its script."""
    params = [text for section in sections for text in each(section, getattr(experiment, section))]
    return read_params(params + [param(name, value) for name, value in others.items()])


def outputs(workflow: Workflow) -> dict[str, bytes]:
    """Everything that must be the same bytes each time: all but what holds seconds or dates."""
    files = [path for path in (workflow / "results").rglob("*") if path.suffix in (".pt", ".npz", ".csv", ".png")]
    return {str(p.relative_to(workflow.folder)): p.read_bytes() for p in files if p.name != "summary.csv"}


def read_summary(workflow: Workflow) -> list[dict]:
    with open(workflow / "results/summary.csv") as file:
        return list(csv.DictReader(file))
