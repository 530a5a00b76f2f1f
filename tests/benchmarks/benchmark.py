"""How fast, against a plain script on the same machine, both sides in one run, medians.

    .venv/bin/python tests/benchmarks/benchmark.py [what …] [--repeat N]

what: loop, run, sweep, add, dry-run, memory, tricks (default: all but tricks). Takes the raw files from
results/data/raw (run the pipeline once before), or from ../shared/mnist.
"""

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "workflow/scripts"))

from common.config import check
from reporting.provenance import machine

PLAIN = [sys.executable, str(Path(__file__).with_name("plain.py"))]
CORES = "2"
SWEEP = {
    "loss": ["bce", "bce-logits", "manual-bce", "manual-bce-eps"],
    "normalization": ["raw", "unit", "standard"],
    "lr": [0.001, 0.002],
}
# What a process of its own does for the pipeline's side of `loop`, with one of the tricks left out.
LOOP = """
import sys, time
started = time.perf_counter()
sys.path.append({scripts!r})
import torch, train
from common import fast, network
without, threads = {without!r}, {threads}
if without == "bags": train.pack = lambda x: x
if without == "blocks": fast.BLOCK = 1 << 30
if without == "Adam": network.Adam = torch.optim.Adam
if without != "keep_memory": fast.keep_memory()
torch.set_num_threads(threads)
data = torch.load({normalized!r}, weights_only=True, mmap=True)
data["x_packed"] = train.pack(data["x_train"])
settings = {settings!r}
outcome = train.train_seed(12345, settings, data)["outcome"]
print(outcome["seconds"], time.perf_counter() - started)
"""


def raw_files() -> Path:
    for folder in (ROOT / "results/data/raw", ROOT.parent / "shared/mnist"):
        if (folder / "train-images-idx3-ubyte.gz").exists():
            return folder
    sys.exit("error: no raw files in results/data/raw or ../shared/mnist: run the pipeline once")


def seconds(command: list[str]) -> float:
    start = time.perf_counter()
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        sys.exit(f"error: {' '.join(command)[:200]}\n{result.stdout}{result.stderr}")
    return time.perf_counter() - start


def plain(variants: dict, threads: int) -> list[str]:
    keys = ("loss", "normalization", "lr", "epochs")
    listed = json.dumps([{key: settings[key] for key in keys} for settings in variants.values()])
    return [*PLAIN, str(raw_files()), str(threads), tempfile.mkdtemp(), listed]


class Project:
    """A working directory whose raw files are there; each `run` is a whole run."""

    def __init__(self, config: dict):
        self.folder = Path(tempfile.mkdtemp())
        self.config = config
        config["data"] |= {"mirrors": [str(raw_files())], "fallback": "none"}
        self.write()
        self.snakemake("results/data/raw")

    def write(self) -> None:
        (self.folder / "config.yaml").write_text(yaml.safe_dump(self.config, sort_keys=False))

    def command(self, *arguments: str) -> list[str]:
        snakefile = ["--snakefile", str(ROOT / "Snakefile"), "--directory", str(self.folder)]
        return [sys.executable, "-m", "snakemake", "--cores", CORES, *snakefile, *arguments]

    def snakemake(self, *arguments: str) -> float:
        return seconds(self.command(*arguments))


def default_config() -> dict:
    return yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))


def loops(threads: int, repeat: int, without: str = "nothing", whole: bool = False) -> tuple[list[float], list[float]]:
    """Seconds of the pipeline's loop (or of its `whole` process), and of the plain one, of a variant that finishes."""
    config = default_config()
    config["variants"] = {"one": {"loss": "manual-bce", "normalization": "unit"}}
    project = Project(config)
    project.snakemake("results/data/normalized/unit.pt")
    variants = check(config).variants
    settings = variants["one"] | {"classes": [0, 1]}
    normalized = str(project.folder / "results/data/normalized/unit.pt")
    ours = LOOP.format(
        scripts=str(ROOT / "workflow/scripts"),
        without=without,
        threads=threads,
        normalized=normalized,
        settings=settings,
    )
    theirs, mine = [], []
    for _ in range(repeat):
        for command, found in ((plain(variants, threads), theirs), ([sys.executable, "-c", ours], mine)):
            output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            found.append(float(output.split()[-1 if whole else 0]))
    return mine, theirs


def whole_runs(config: dict, repeat: int, change=None) -> tuple[list[float], list[float]]:
    """Seconds of whole runs (or, with `change`, of what a finished run does after it), and of the plain script."""
    variants = check(config).variants
    mine, theirs = [], []
    for _ in range(repeat):
        project = Project(json.loads(json.dumps(config)))
        if change:
            project.snakemake()
            change(project.config)
            project.write()
            variants = check(project.config).variants
        mine.append(project.snakemake())
        theirs.append(seconds(plain(variants, 2)))
    return mine, theirs


def add_variant(config: dict) -> None:
    config["variants"]["added"] = {"loss": "manual-bce", "normalization": "unit", "lr": 0.001}


def dry_runs(repeat: int) -> tuple[list[float], list[float]]:
    project = Project(default_config())
    project.snakemake()
    empty = Path(tempfile.mkdtemp()) / "Snakefile"
    empty.write_text("")
    command = [sys.executable, "-m", "snakemake", "-n", "--snakefile", str(empty), "--directory", str(empty.parent)]
    mine, theirs = [], []
    for _ in range(repeat):
        mine.append(project.snakemake("-n"))
        theirs.append(seconds(command))
    return mine, theirs


def largest_memory() -> float:
    """MB of the largest train job of the default config."""
    project = Project(default_config())
    project.snakemake()
    tables = (project.folder / "results/benchmarks/train").glob("*.tsv")
    return max(float(table.read_text().split("\n")[1].split("\t")[2]) for table in tables)


def row(what: str, against: str, sides: tuple[list[float], list[float]], target: float) -> None:
    mine, theirs = (statistics.median(side) for side in sides)
    print(f"| {what} | {mine:.2f} s | {against} | {theirs:.2f} s | {mine / theirs:.2f} | {target:.2f} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    kinds = ("loop", "run", "sweep", "add", "dry-run", "memory", "tricks")
    parser.add_argument("what", nargs="*", choices=[*kinds, []], help="what to measure; all but tricks by default")
    parser.add_argument("--repeat", type=int, default=5)
    options = parser.parse_args()
    what = options.what or kinds[:-1]
    print(f"{machine()}; load {os.getloadavg()[0]:.1f}; medians of {options.repeat}\n")
    print("| what | here | against | there | ratio | at most |\n| --- | --- | --- | --- | --- | --- |", flush=True)
    n = options.repeat
    if "loop" in what:
        for threads in (1, 2):
            name = f"training loop, {threads} thread{'s' * (threads > 1)}"
            row(name, "plain loop", loops(threads, n), 0.50 if threads == 1 else 0.52)
    if "run" in what:
        row("default config", "plain script, 2 threads", whole_runs(default_config(), n), 0.75)
    if "sweep" in what:
        config = default_config() | {"variants": {}, "sweeps": {"grid": SWEEP}}
        row("sweep of 24 variants", "plain script, 2 threads", whole_runs(config, n), 0.65)
    if "add" in what:
        sides = whole_runs(default_config(), n, add_variant)
        row("one variant added", "plain script over all variants", sides, 0.30)
    if "dry-run" in what:
        row("snakemake -n, all done", "snakemake -n, empty Snakefile", dry_runs(n), 1.40)
    if "memory" in what:
        print(f"| largest train job | {largest_memory():.0f} MB | – | – | – | 600 MB |")
    if "tricks" in what:
        everything, _ = loops(1, n, whole=True)
        for trick in ("bags", "blocks", "keep_memory", "Adam"):
            sides = loops(1, n, without=trick, whole=True)[0], everything
            row(f"whole process without {trick}", "with all", sides, 1.0)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
