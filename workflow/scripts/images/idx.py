"""MNIST's own format: IDX files, by torchvision's readers."""

from common.startup import torch

import gzip
import tempfile
import zlib
from pathlib import Path

from common.errors import UserError
from common.files import write
from images.vision import torchvision

AGAIN = "to get it again: snakemake --cores 4 --forcerun download"


def read_idx(images: Path, labels: Path) -> tuple[torch.Tensor, torch.Tensor]:
    """uint8 (n, 28, 28) and int64 (n,) of a pair of gzipped IDX files. Raises UserError naming the bad file."""
    readers = torchvision.datasets.mnist
    pixels, digits = _read(images, readers.read_image_file), _read(labels, readers.read_label_file)
    if pixels.shape[1:] != (28, 28):
        raise UserError(f"{images}: found images of {' x '.join(map(str, pixels.shape[1:]))}, expected 28 x 28")
    if len(pixels) != len(digits):
        raise UserError(f"{labels}: found {len(digits)} labels, expected {len(pixels)}, one per image")
    return pixels, digits


def _read(path: Path, read) -> torch.Tensor:
    """torchvision's readers take an unpacked file."""
    with tempfile.TemporaryDirectory() as folder:
        unpacked = Path(folder) / path.stem
        try:
            content = gzip.decompress(path.read_bytes())
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise UserError(f"{path}: not a whole gzip file: {error}; {AGAIN}") from None
        except OSError as error:
            raise UserError(f"{path}: {error.strerror}; {AGAIN}") from None
        write(unpacked, content)
        try:
            return read(str(unpacked))
        except (AssertionError, IndexError, KeyError, RuntimeError, TypeError, ValueError):
            raise UserError(f"{path}: not an IDX file of bytes; {AGAIN}") from None


def read_idx_classes(raw: Path, classes: list) -> dict[str, list[torch.Tensor]]:
    """{part: [images of the first class, images of the second]} of the four IDX files in `raw`."""
    parts = {}
    for part, name in (("train", "train"), ("test", "t10k")):
        files = raw / f"{name}-images-idx3-ubyte.gz", raw / f"{name}-labels-idx1-ubyte.gz"
        pixels, digits = read_idx(*files)
        parts[part] = [pixels[digits == digit] for digit in classes]
        for digit, images in zip(classes, parts[part], strict=True):
            if not len(images):
                raise UserError(f"{files[1]}: found no image of the digit {digit}, which data.classes asks for")
    return parts
