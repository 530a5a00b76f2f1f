"""A run on a folder of images."""

import shutil
from pathlib import Path

import pytest
import torch

from builders.pngs import write_pngs
from builders.workflows import Workflow, small_config


@pytest.fixture
def folder(tmp_path) -> Path:
    return write_pngs(tmp_path / "mnist_png")


def test_run_on_a_folder_of_images_notices_another_image(folder, tmp_path):
    config = small_config(folder)
    config["data"] = {"source": "../mnist_png", "classes": [1, 7]}
    config["variants"] = {"good": config["variants"]["good"]}
    workflow = Workflow(tmp_path / "work", config)
    workflow.ok("--cores", "2")
    assert workflow.jobs() == {}
    shutil.copy(folder / "training" / "1" / "3.png", folder / "training" / "1" / "99.png")
    assert workflow.jobs()["download"] == 1
    workflow.ok("--cores", "2", "results/data/digits.pt")
    digits = torch.load(workflow / "results/data/digits.pt", weights_only=True)
    assert digits["train_labels"].tolist() == [0] * 13 + [1] * 12
