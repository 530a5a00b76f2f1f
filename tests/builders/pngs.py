"""Small images in PNG files, in the layout of mnist_png: folders and archives."""

import tarfile
from pathlib import Path

import download
import numpy as np
from PIL import Image

from builders.digits import draw_digits, extracted

COUNTS = {"training": 12, "testing": 5}


def write_pngs(folder: Path, classes=("0", "1", "7")) -> Path:
    """mnist_png/{training,testing}/{class}/{number}.png: a dozen and five per class, the numbers without padding."""
    generator = np.random.default_rng(3)
    for part, count in COUNTS.items():
        for place, name in enumerate(classes):
            (folder / part / name).mkdir(parents=True)
            for number, image in enumerate(draw_digits(np.full(count, place), generator)):
                Image.fromarray(image).save(folder / part / name / f"{number}.png")
    return folder


def pack(folder: Path, archive: Path) -> Path:
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(folder, arcname="mnist_png")
    return archive


def digits_from(source: str, tmp_path: Path, classes=(0, 1)) -> dict:
    raw = tmp_path / "raw"
    download.main(source, [], {}, "none", 2, raw, tmp_path / "source.json")
    return extracted(source, raw, list(classes), tmp_path)
