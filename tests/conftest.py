"""How the tests are marked and configured, and the fixtures of several folders: small images, a finished run."""

import signal
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import settings

from builders import cases
from builders.digits import draw_digits, write_idx
from builders.needs import needs_chromium
from builders.places import ROOT
from builders.workflows import Workflow, small_config

# What folder a test lies in says what it needs, and whether `pytest` alone runs it.
MARKS = {"browser": [pytest.mark.browser, needs_chromium], "system": [pytest.mark.slow]}

# As in the jobs: two threads on two busy cores wait for each other.
torch.set_num_threads(1)

# The same examples each time, and no time limit per example: a busy machine is no failure.
settings.register_profile("tests", deadline=None, derandomize=True)
settings.load_profile("tests")


def pytest_addoption(parser):
    parser.addoption("--whole", action="store_true", help="all cases, in place of a quick choice")


def pytest_configure(config):
    # What a shell runs in the background ignores SIGINT, and so would all that is interrupted here.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    cases.IS_WHOLE = config.getoption("--whole")


def pytest_collection_modifyitems(items):
    for item in items:
        for mark in MARKS.get(item.path.relative_to(ROOT / "tests").parts[0], []):
            item.add_marker(mark)


def pytest_terminal_summary(terminalreporter):
    """Print the tables that tests recorded; what a test prints itself stays in the process that ran it."""
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        for name, text in report.user_properties:
            if name == "table" and report.when == "call":
                terminalreporter.section(report.nodeid)
                terminalreporter.write_line(text)


@pytest.fixture(scope="session")
def small_mnist(tmp_path_factory) -> Path:
    """A folder with four IDX files of 400 and 100 made-up images, ten digits in random order."""
    folder = tmp_path_factory.mktemp("small-mnist")
    generator = np.random.default_rng(0)
    for part, count in (("train", 400), ("test", 100)):
        labels = generator.permutation(np.arange(count) % 10).astype(np.uint8)
        write_idx(folder, part, draw_digits(labels, generator), labels)
    return folder


@pytest.fixture(scope="session")
def finished(tmp_path_factory, small_mnist) -> Workflow:
    """A finished run of `small_config`: read it, or copy it and go on in the copy."""
    workflow = Workflow(tmp_path_factory.mktemp("finished"), small_config(small_mnist))
    workflow.ok("--cores", "4")
    return workflow


@pytest.fixture
def copy(finished, tmp_path) -> Workflow:
    return finished.copy(tmp_path / "copy")
