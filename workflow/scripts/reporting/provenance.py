"""Where the results come from: code, packages, machine, seconds."""

import math
import os
import platform
import shlex
import subprocess
from collections import Counter
from importlib.metadata import version
from pathlib import Path

import yaml

from records.metrics import Metrics

PACKAGES = (
    "snakemake",
    "torch",
    "torchvision",
    "numpy",
    "pandas",
    "matplotlib",
    "altair",
    "vl-convert-python",
    "pyyaml",
    "jinja2",
    "mlxtend",
)

WORKFLOW = ("Snakefile", "workflow")  # what makes results, in the project's folder

HEADER = """\
# The config that report.html beside this file was made with: every default filled in, every sweep expanded. To make it
# again, copy this file into an empty folder, and name that: snakemake --cores 4 --directory folder
"""


def packages() -> dict[str, str]:
    return {"Python": platform.python_version()} | {package: version(package) for package in PACKAGES}


def machine() -> str:
    """The CPU's name, its cores, the system."""
    name = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = (line.split(":", 1) for line in cpuinfo.read_text(encoding="utf-8").splitlines() if ":" in line)
        name = next((value.strip() for key, value in lines if key.strip() == "model name"), name)
    return f"{name}, {os.cpu_count()} cores, {platform.system()}"


def accelerators(metrics: list[Metrics]) -> dict[str, int]:
    """How many variants each was used for, beside the CPU."""
    return dict(Counter(entry.device for entry in metrics if entry.device != "cpu"))


def commit(home: Path) -> dict | None:
    """hash, and dirty: whether files of the workflow differ from it; None where the project is no git repository.

    To edit config.yaml is ordinary use, and what the experiment was stands in results/config.yaml.
    """

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(home), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()

    try:
        if Path(git("rev-parse", "--show-toplevel")).resolve() != home.resolve():
            return None
        return {"hash": git("rev-parse", "HEAD"), "dirty": bool(git("diff", "--name-only", "HEAD", "--", *WORKFLOW))}
    except (OSError, subprocess.SubprocessError):
        return None


def recipe(config: Path, home: Path) -> list[str]:
    """The commands that, in the project's folder, make the page anew in a folder of its own.

    config: results/config.yaml, which says all that --directory, --configfile and --config said.
    """
    path = config.absolute()
    shown = path.relative_to(home) if path.is_relative_to(home) else path
    return ["mkdir again", f"cp {shlex.quote(str(shown))} again/", "snakemake --cores 4 --directory again"]


def as_yaml(config: dict) -> str:
    """An effective config as a config.yaml. Local paths are absolute, so that it means the same in any folder."""
    data = config["data"]
    places = {"mirrors": [_absolute(mirror) for mirror in data["mirrors"]]}
    if data["source"] not in ("mnist", "sample"):
        places["source"] = _absolute(data["source"])
    order = ("data", "defaults", "diagnosis", "normalizations", "losses", "variants")
    sorted_so = {key: config[key] for key in order} | {"data": data | places}
    return HEADER + yaml.safe_dump(sorted_so, sort_keys=False, allow_unicode=True, width=120)


def _absolute(place: str) -> str:
    return place if "://" in place else str(Path(place).expanduser().absolute())


def job_names(variants: dict, losses: list[str]) -> dict[str, list[str]]:
    """{rule: its jobs' names} of all that the page is made from; '' where the rule has one job only."""
    names = {rule: [""] for rule in ("download", "extract", "vega", "compare")}
    names["normalize"] = sorted({settings["normalization"] for settings in variants.values()})
    names |= {"chart": losses, "diagnose": list(variants), "plot": list(variants)}
    return names | {"train": [f"{name}/{seed}" for name, of in variants.items() for seed in of["seeds"]]}


def seconds_per_rule(benchmarks: Path, names: dict[str, list[str]]) -> list[dict]:
    """rule, jobs, seconds, and the most memory that a job took, MB or None; of the last run of each job.

    names: as job_names() gives them, without those of variants that are gone.
    """
    rows = []
    for rule, jobs in names.items():
        files = [benchmarks / rule / f"{job}.tsv" if job else benchmarks / f"{rule}.tsv" for job in jobs]
        found = [row for file in files if (row := _benchmark(file))]
        if found:
            seconds, memory = zip(*found, strict=True)
            most = max(filter(math.isfinite, memory), default=None)
            rows.append({"rule": rule, "jobs": len(found), "seconds": sum(seconds), "megabytes": most})
    return rows


def _benchmark(file: Path) -> tuple[float, float] | None:
    """Seconds and MB that Snakemake measured, NaN where it has no memory; None where that is lost: no result depends
    on it."""
    try:
        names, values = (line.split("\t") for line in file.read_text(encoding="utf-8").splitlines())
        row = dict(zip(names, values, strict=True))
        seconds, memory = float(row["s"]), math.nan if row["max_rss"] in ("-", "NA") else float(row["max_rss"])
    except (OSError, ValueError, KeyError):
        return None
    return (seconds, memory) if math.isfinite(seconds) else None
