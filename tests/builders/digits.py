"""Small MNIST-like images in IDX files, and the images of two classes taken out of any source."""

import gzip
import hashlib
import struct
from pathlib import Path

import extract
import numpy as np
import torch

IDX_FILES = {
    "train": ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"),
    "test": ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"),
}


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


def md5_of(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.md5(path.read_bytes()).hexdigest() for path in sorted(folder.glob("*.gz"))}


def extracted(source: str, raw: Path, classes: list, folder: Path) -> dict:
    """What the job extract writes into digits.pt; digits.npz lies beside it."""
    extract.main(source, raw, classes, {"tensors": folder / "digits.pt", "arrays": folder / "digits.npz"})
    return torch.load(folder / "digits.pt", weights_only=True)
