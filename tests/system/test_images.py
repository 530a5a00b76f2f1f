"""A dry run on images that are none."""

from pathlib import Path

import pytest

from builders.pngs import write_pngs
from builders.workflows import Workflow, small_config


@pytest.fixture
def folder(tmp_path) -> Path:
    return write_pngs(tmp_path / "mnist_png")


def test_dry_run_on_a_dangling_link_is_one_line(folder, tmp_path):
    (folder / "testing/0/99.png").symlink_to("nowhere.png")
    config = small_config(folder) | {"data": {"source": str(folder), "classes": [0, 1]}}
    result = Workflow(tmp_path / "work", config).run("--dry-run")
    assert result.returncode == 1
    (line,) = [line for line in result.stderr.splitlines() if "99.png" in line]
    assert line.startswith("error: config: ")
    assert "Traceback" not in result.stderr
