"""MNIST's own images in PNG files, and in its IDX files."""

import shutil
from pathlib import Path

import pytest
import torch

from builders.digits import extracted
from builders.needs import needs_shared_mnist
from builders.places import SHARED
from builders.pngs import digits_from, write_pngs
from builders.workflows import Workflow, small_config


@needs_shared_mnist
@pytest.mark.skipif(not (SHARED / "mnist_png.tgz").exists(), reason="mnist_png.tgz is not in ../shared")
def test_png_archive_holds_the_images_of_the_idx_files(tmp_path):
    from_png = digits_from(str(SHARED / "mnist_png.tgz"), tmp_path)
    from_idx = extracted("mnist", SHARED / "mnist", [0, 1], tmp_path)
    for part in ("train", "test"):
        assert torch.equal(from_png[f"{part}_labels"], from_idx[f"{part}_labels"])
        for label in (0, 1):
            images = [digits[f"{part}_images"][digits[f"{part}_labels"] == label] for digits in (from_png, from_idx)]
            # Order within a class aside: compare the sorted rows.
            ours, theirs = (sorted(bytes(image.numpy()) for image in of_class) for of_class in images)
            assert ours == theirs


@pytest.fixture
def folder(tmp_path) -> Path:
    return write_pngs(tmp_path / "mnist_png")


def test_run_on_a_folder_of_images_notices_another_image(folder, tmp_path):
    config = small_config(folder)
    config["data"] = {"source": "../mnist_png", "classes": [1, 7]}
    config["variants"] = {"good": config["variants"]["good"]}
    workflow = Workflow(tmp_path / "work", config)
    made = "results/data/digits.pt"
    workflow.ok("--cores", "2", made)
    assert workflow.jobs(made) == {}
    shutil.copy(folder / "training" / "1" / "3.png", folder / "training" / "1" / "99.png")
    workflow.ok("--cores", "2", made)
    digits = torch.load(workflow / "results/data/digits.pt", weights_only=True)
    assert digits["train_labels"].tolist() == [0] * 13 + [1] * 12
