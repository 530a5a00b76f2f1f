"""What the tests share: small MNIST-like IDX files, and a working directory that runs the real snakemake."""

import gzip
import hashlib
import json
import shutil
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from hypothesis import settings

pytest_plugins = ["browsing"]  # the fixtures of tests in a browser

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared"
IDX_FILES = {
    "train": ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"),
    "test": ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"),
}

# As in the jobs: two threads on two busy cores wait for each other.
torch.set_num_threads(1)

# The same examples each time, and no time limit per example: a busy machine is no failure.
settings.register_profile("tests", deadline=None, derandomize=True)
settings.load_profile("tests")

IS_WHOLE = False

needs_shared_mnist = pytest.mark.skipif(
    not (SHARED / "mnist").is_dir(), reason="the four MNIST files are not in ../shared/mnist"
)


def pytest_addoption(parser):
    parser.addoption("--whole", action="store_true", help="all cases of tests/faults, in place of a quick choice")


def pytest_configure(config):
    # What a shell runs in the background ignores SIGINT, and so would all that is interrupted here.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    global IS_WHOLE  # noqa: PLW0603 (test modules ask while they are imported, after this)
    IS_WHOLE = config.getoption("--whole")


def cases(quick: int, whole: int) -> int:
    """How many a test of tests/faults tries."""
    return whole if IS_WHOLE else quick


def pytest_terminal_summary(terminalreporter):
    """Print the tables that tests recorded; what a test prints itself stays in the process that ran it."""
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        for name, text in report.user_properties:
            if name == "table" and report.when == "call":
                terminalreporter.section(report.nodeid)
                terminalreporter.write_line(text)


def least(measure, bound: float, seconds: float = 30) -> float:
    """The least that `measure` gives, tried until it is below the bound or the seconds are over: what else the machine
    does meanwhile makes any single try slow, and none fast."""
    end = time.monotonic() + seconds
    found = measure()
    while found >= bound and time.monotonic() < end:
        found = min(found, measure())
    return found


def elapsed(action) -> float:
    """Seconds that a call takes."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def draw_digits(labels: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """uint8 (n, 28, 28): a digit d is a bright block whose place depends on d, on a noisy background."""
    images = generator.integers(0, 60, (len(labels), 28, 28), dtype=np.uint8)
    for image, digit in zip(images, labels, strict=True):
        row, column = 2 + 12 * (digit // 5), 2 + 5 * (digit % 5)
        image[row : row + 10, column : column + 4] += generator.integers(60, 190, dtype=np.uint8)
    return images


def write_idx(folder: Path, part: str, images: np.ndarray, labels: np.ndarray) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    image_file, label_file = (folder / name for name in IDX_FILES[part])
    header = struct.pack(">IIII", 0x803, *images.shape)
    image_file.write_bytes(gzip.compress(header + images.tobytes(), mtime=0))
    label_file.write_bytes(gzip.compress(struct.pack(">II", 0x801, len(labels)) + labels.tobytes(), mtime=0))


@pytest.fixture(scope="session")
def small_mnist(tmp_path_factory) -> Path:
    """A folder with four IDX files of 400 and 100 made-up images, ten digits in random order."""
    folder = tmp_path_factory.mktemp("small-mnist")
    generator = np.random.default_rng(0)
    for part, count in (("train", 400), ("test", 100)):
        labels = generator.permutation(np.arange(count) % 10).astype(np.uint8)
        write_idx(folder, part, draw_digits(labels, generator), labels)
    return folder


def md5_of(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.md5(path.read_bytes()).hexdigest() for path in sorted(folder.glob("*.gz"))}


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

    def run(self, *arguments: str, timeout: float = 300, **options) -> subprocess.CompletedProcess:
        return subprocess.run(
            self.command(*arguments), capture_output=True, text=True, timeout=timeout, check=False, **options
        )

    def ok(self, *arguments: str, timeout: float = 300) -> subprocess.CompletedProcess:
        result = self.run(*arguments, timeout=timeout)
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


@pytest.fixture(scope="session")
def finished(tmp_path_factory, small_mnist) -> Workflow:
    """A finished run of `small_config`: read it, or copy it and go on in the copy."""
    workflow = Workflow(tmp_path_factory.mktemp("finished"), small_config(small_mnist))
    workflow.ok("--cores", "4")
    return workflow


@pytest.fixture
def copy(finished, tmp_path) -> Workflow:
    return finished.copy(tmp_path / "copy")


@pytest.fixture
def module(small_mnist, tmp_path, monkeypatch) -> Workflow:
    """A workflow of somebody else that has this one as a module, with paths of its own, and makes rows.txt of it."""
    monkeypatch.chdir(tmp_path)  # where no profiles/default is
    workflow = Workflow(tmp_path / "parent", {"digits": small_config(small_mnist)}, tmp_path / "parent" / "Snakefile")
    workflow.snakefile.write_text(f"""
configfile: "config.yaml"

module digits:
    snakefile: {str(ROOT / "Snakefile")!r}
    config: config["digits"]
    prefix: "digits"

use rule * from digits as digits_*

use rule train from digits as digits_train with:
    threads: 1

rule count:
    default_target: True
    input: "digits/results/summary.csv"
    output: "rows.txt"
    shell: "wc -l < {{input}} > {{output}}"
""")
    return workflow


@pytest.fixture(scope="session")
def real(tmp_path_factory) -> Workflow:
    """The default config.yaml, run on the real MNIST files."""
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    config["data"] |= {"mirrors": [str(SHARED / "mnist")], "fallback": "none"}
    workflow = Workflow(tmp_path_factory.mktemp("real"), config)
    workflow.ok("--cores", "4")
    return workflow
