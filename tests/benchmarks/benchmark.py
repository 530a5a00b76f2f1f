"""How fast, against a plain script on the same machine, both sides in one run, medians.

    .venv/bin/python tests/benchmarks/benchmark.py [what …] [--repeat N]

what: loop, diagnosis, run, trials, sweep, short, add, seeds, dry-run, page, memory, calls (of single functions); and,
only if asked for, tricks (what a training takes without each one of training/fast.py and common/startup.py) and jax
(needs `.venv/bin/pip install jax`).
Takes the raw files from results/data/raw (run the pipeline once before), or from ../shared/mnist.
"""

import argparse
import contextlib
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from importlib.util import find_spec
from itertools import chain
from pathlib import Path

import yaml

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.append(str(ROOT / "workflow/scripts"))
sys.path.append(str(HERE.parent))

from moments import calls, in_chromium
from snakefiles import EMPTY, WITH_FILES

from builders.needs import CHROMIUM
from experiment.config import check
from reporting.provenance import machine

CORES = 2
ONE = {"loss": "manual-bce", "normalization": "unit"}  # a variant that finishes
SWEEP = {
    "loss": ["bce", "bce-logits", "manual-bce", "manual-bce-eps"],
    "normalization": ["raw", "unit", "standard"],
    "lr": [0.001, 0.002],
}
TRICKS = ("bags", "blocks", "Adam", "startup")


def raw_files() -> Path:
    for folder in (ROOT / "results/data/raw", ROOT.parent / "shared/mnist"):
        if (folder / "train-images-idx3-ubyte.gz").exists():
            return folder
    sys.exit("error: no raw files in results/data/raw or ../shared/mnist: run the pipeline once")


def output(command: list[str], cores: int = CORES) -> str:
    """What a command prints; it may use this many of the machine's cores (where the system can say so)."""
    allowed = sorted(os.sched_getaffinity(0))[:cores] if hasattr(os, "sched_setaffinity") else None
    limit = (lambda: os.sched_setaffinity(0, allowed)) if allowed else None
    result = subprocess.run(command, capture_output=True, text=True, check=False, preexec_fn=limit)
    if result.returncode:
        sys.exit(f"error: {' '.join(command)[:200]}\n{result.stdout}{result.stderr}")
    return result.stdout


def seconds(command: list[str]) -> float:
    start = time.perf_counter()
    output(command)
    return time.perf_counter() - start


def plain(variants: dict, threads: int, images: str | None = None) -> list[str]:
    keys = ("loss", "normalization", "lr", "epochs")
    listed = json.dumps([{key: settings[key] for key in keys} for settings in variants.values()])
    images = images or str(raw_files())
    return [sys.executable, str(HERE / "plain.py"), images, str(threads), tempfile.mkdtemp(), listed]


def default_config(trials: int = 0) -> dict:
    """config.yaml; the plain script makes no trials."""
    config = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
    return config | {"diagnosis": {"trials": trials}}


class Project:
    """A working directory whose raw files are there; each `snakemake` is a run in it."""

    def __init__(self, config: dict):
        self.folder = Path(tempfile.mkdtemp())
        self.config = config
        if config["data"].get("source") != "sample":
            config["data"] |= {"mirrors": [str(raw_files())], "fallback": "none"}
        self.write()
        self.snakemake("results/data/raw")

    def write(self) -> None:
        (self.folder / "config.yaml").write_text(yaml.safe_dump(self.config, sort_keys=False))

    def snakemake(self, *arguments: str, cores: int = CORES) -> float:
        snakefile = ["--snakefile", str(ROOT / "Snakefile"), "--directory", str(self.folder)]
        return seconds([sys.executable, "-m", "snakemake", "--cores", str(cores), *snakefile, *arguments])


class Loops:
    """Single trainings of the variant ONE, each in a process of its own."""

    def __init__(self):
        config = default_config() | {"variants": {"one": dict(ONE)}}
        project = Project(config)
        project.snakemake("results/data/normalized/unit.pt")
        self.normalized = str(project.folder / "results/data/normalized/unit.pt")
        self.variants = check(config).variants

    def ours(self, threads: int, *without: str) -> tuple[float, float, float]:
        """Seconds of the loop, of the loop with its diagnosis, and of their process from start to end."""
        settings = json.dumps(self.variants["one"])
        command = [sys.executable, str(HERE / "loop.py"), self.normalized, str(threads), settings, *without]
        start = time.perf_counter()
        loop, diagnosed = map(float, output(command, threads).split())
        return loop, diagnosed, time.perf_counter() - start

    def plain(self, threads: int) -> float:
        return float(output(plain(self.variants, threads), threads))

    def jit(self, threads: int) -> float:
        command = [sys.executable, str(HERE / "jit.py"), str(raw_files()), str(self.variants["one"]["epochs"])]
        return float(output(command, threads).split()[0])


def whole_run(config: dict) -> tuple[float, float]:
    """Seconds of a whole run, and of the plain script over the same variants."""
    return Project(config).snakemake(), seconds(plain(check(config).variants, CORES))


def added_variant(config: dict) -> tuple[float, float]:
    """Seconds of what one more variant takes after a finished run, and of the plain script over all of them."""
    project = Project(config)
    project.snakemake()
    config["variants"]["added"] = ONE | {"lr": 0.001}
    project.write()
    return project.snakemake(), seconds(plain(check(config).variants, CORES))


def side_by_side(seeds: int) -> tuple[float, float]:
    """Seconds from the first training's start to the last one's end of one variant with that many seeds, on two cores
    and on one."""
    config = default_config() | {"variants": {"one": ONE | {"seeds": list(range(seeds))}}}
    found = []
    for cores in (CORES, 1):
        project = Project(config)
        project.snakemake("results/data/normalized/unit.pt")
        project.snakemake("--until", "train", cores=cores)
        ends = {file: file.stat().st_mtime for file in (project.folder / "results/benchmarks/train/one").glob("*.tsv")}
        took = {file: float(file.read_text().split("\n")[1].split("\t")[0]) for file in ends}
        found.append(max(ends.values()) - min(ends[file] - took[file] for file in ends))
    return found[0], found[1]


def short_config(variants: int) -> dict:
    """Learning rates of one loss, 30 epochs each, on the embedded images."""
    config = default_config()
    one = ONE | {"epochs": 30}
    rates = {f"rate-{place:04}": one | {"lr": (place + 1) / 100 / variants} for place in range(variants)}
    return config | {"data": {"source": "sample"}, "variants": rates}


def short_run(variants: int) -> tuple[float, float]:
    """CPU seconds of a whole run of short trainings, and of the plain script over the same."""
    config = short_config(variants)
    project, script = Project(config), plain(check(config).variants, CORES, "sample")
    return cpu_seconds(project.snakemake), cpu_seconds(lambda: output(script))


def cpu_seconds(action: Callable[[], object]) -> float:
    """Of all processes that an action starts and waits for."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    action()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def large_dry_runs(variants: int, others: str) -> Callable[[], tuple[float, float]]:
    """Seconds of `snakemake -n` before anything was made, and of that with a Snakefile of as many other jobs."""
    project = Project(short_config(variants))
    snakefile = Path(tempfile.mkdtemp()) / "Snakefile"
    snakefile.write_text(others.format(variants=variants))
    command = [sys.executable, "-m", "snakemake", "-n", "-q", "--snakefile", str(snakefile), "--directory"]
    return lambda: (project.snakemake("-n", "-q"), seconds([*command, str(snakefile.parent)]))


def page_of(variants: int) -> Path:
    """The report of that many variants on MNIST."""
    config = short_config(variants) | {"data": {}}
    project = Project(config)
    project.snakemake()
    return project.folder / "results/report.html"


def dry_runs() -> Callable[[], tuple[float, float]]:
    project = Project(default_config())
    project.snakemake()
    empty = Path(tempfile.mkdtemp()) / "Snakefile"
    empty.write_text("")
    command = [sys.executable, "-m", "snakemake", "-n", "--snakefile", str(empty), "--directory", str(empty.parent)]
    return lambda: (project.snakemake("-n"), seconds(command))


def largest_memory() -> float:
    """MB of the largest train job of the default config."""
    project = Project(default_config())
    project.snakemake()
    tables = (project.folder / "results/benchmarks/train").glob("*/*.tsv")
    return max(float(table.read_text().split("\n")[1].split("\t")[2]) for table in tables)


def row(what: str, against: str, target: float | None, repeat: int, measure: Callable[[], tuple[float, float]]) -> None:
    """Print the medians of both sides, measured in turn, and their ratio."""
    mine, theirs = (statistics.median(side) for side in zip(*(measure() for _ in range(repeat)), strict=True))
    at_most = "–" if target is None else f"{target:.2f}"
    print(f"| {what} | {mine:.2f} s | {against} | {theirs:.2f} s | {mine / theirs:.2f} | {at_most} |", flush=True)


def loop_rows(what: list[str], repeat: int) -> None:
    loops = Loops()
    for threads, target in ((1, 0.50), (2, 0.52)):
        name = f"training loop, {threads} thread{'s' * (threads > 1)}"
        if "loop" in what:
            row(name, "plain loop", target, repeat, lambda n=threads: (loops.ours(n)[0], loops.plain(n)))
        if "jax" in what:
            row(name, "jax.jit", None, repeat, lambda n=threads: (loops.ours(n)[0], loops.jit(n)))
    if "diagnosis" in what:
        sides = lambda: (loops.ours(1)[1], loops.ours(1, "diagnosis")[0])  # noqa: E731
        row("healthy training, diagnosed", "the same, not diagnosed", 1.05, repeat, sides)
    for trick in TRICKS if "tricks" in what else ():
        sides = lambda trick=trick: (loops.ours(1)[2], loops.ours(1, trick)[2])  # noqa: E731
        row("process of a training", f"without {trick}", None, repeat, sides)


def rows_without_another_side(what: list[str], repeat: int) -> None:
    moments = []
    if "page" in what:
        page = page_of(300)
        print(f"| page of 300 variants | {page.stat().st_size / 1e6:.1f} MB | – | – | – | 8 MB |", flush=True)
        if Path(CHROMIUM).exists():
            moments.append(in_chromium(page, repeat))
    if "memory" in what:
        print(f"| memory of the largest train job | {largest_memory():.0f} MB | – | – | – | 600 MB |", flush=True)
    if "calls" in what:
        moments.append(calls(repeat))
    for name, found, most in chain(*moments):
        print(f"| {name} | {found:.3f} s | – | – | – | {most:g} s |", flush=True)


def at_least_one(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"found {text!r}, expected a whole number of at least 1")
    return int(text)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    default = ["loop", "diagnosis", "run", "trials", "sweep", "short", "add", "seeds"]
    default += ["dry-run", "page", "memory", "calls"]
    kinds = [*default, "tricks", "jax"]
    parser.add_argument("what", nargs="*", metavar="what", help=f"{', '.join(kinds)}; all but the last two if none")
    parser.add_argument("--repeat", type=at_least_one, default=5)
    options = parser.parse_args()
    what, repeat = options.what or default, options.repeat
    if unknown := set(what) - set(kinds):
        parser.error(f"found {', '.join(sorted(unknown))}; expected some of: {', '.join(kinds)}")
    if "jax" in what and not find_spec("jax"):
        sys.exit("error: jax is not installed: .venv/bin/pip install jax")
    print(f"{machine()}, torch {version('torch')}; load {os.getloadavg()[0]:.1f}; medians of {repeat}\n")
    print("| what | here | against | there | ratio | at most |\n| --- | --- | --- | --- | --- | --- |", flush=True)
    script = "plain script, 2 threads"
    if {"loop", "diagnosis", "tricks", "jax"} & set(what):
        loop_rows(what, repeat)
    if "run" in what:
        row("default config", script, 0.70, repeat, lambda: whole_run(default_config()))
    if "trials" in what:
        row("default config, 4 trials", script, 1.00, repeat, lambda: whole_run(default_config(trials=4)))
    if "sweep" in what:
        config = default_config() | {"variants": {}, "sweeps": {"grid": SWEEP}}
        row("sweep of 24 variants", script, 0.60, repeat, lambda: whole_run(config))
    if "short" in what:
        row("384 short trainings, CPU", script, 2.00, repeat, lambda: short_run(384))
    if "seeds" in what:
        row("8 seeds of one variant, 2 cores", "1 core", 0.60, repeat, lambda: side_by_side(8))
    if "add" in what:
        row("one variant added", f"{script}, all variants", 0.25, repeat, lambda: added_variant(default_config()))
    if "dry-run" in what:
        row("`snakemake -n`, all done", "`snakemake -n`, empty Snakefile", 1.40, repeat, dry_runs())
        for variants in (1000, 5000):
            name = f"`snakemake -n`, {variants:,} variants"
            row(name, "as many jobs of empty rules", 1.30, repeat, large_dry_runs(variants, EMPTY))
            row(name, "as many jobs of rules with as many files", None, repeat, large_dry_runs(variants, WITH_FILES))
    rows_without_another_side(what, repeat)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt), tempfile.TemporaryDirectory() as folder:
        tempfile.tempdir = folder  # where every other one is made, to go with it
        main()
