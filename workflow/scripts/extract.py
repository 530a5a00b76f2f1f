"""Take the images of the two classes out of the raw files: y = 0 first, file order kept within a class."""

from common.startup import torch

import gzip
import io
import tempfile
import zlib
from collections import Counter
from pathlib import Path

import numpy as np
from PIL import Image

from common import png
from common.errors import UserError, logged
from common.files import write
from common.vision import torchvision

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
            unpacked.write_bytes(gzip.decompress(path.read_bytes()))
            return read(str(unpacked))
        except FileNotFoundError:
            raise UserError(f"{path}: is missing; {AGAIN}") from None
        except (OSError, EOFError, zlib.error) as error:
            raise UserError(f"{path}: not a whole gzip file: {error}; {AGAIN}") from None
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


def read_png_classes(source: Path, classes: list, called: str) -> dict[str, list[torch.Tensor]]:
    """The same of a folder or archive of PNG images, each class in the order of its file names' numbers.

    called: what the user calls the source, of which an archive here is a copy.
    """
    names = [str(name) for name in classes]
    found: dict[str, dict[str, dict[str, np.ndarray]]] = {"train": {}, "test": {}}
    for part, name, image, content in png.images(source, names, called):
        found[part].setdefault(name, {})[image] = decode(image, content)
    for part, classes_found in found.items():
        for name in names:
            if name not in classes_found:
                counts = Counter(there for at, there, _, _ in png.images(source, None, called) if at == part)
                raise png.missing(called, part, name, counts)
    return {
        part: [
            torch.from_numpy(np.stack([images[name][image] for image in sorted(images[name], key=png.order)]))
            for name in names
        ]
        for part, images in found.items()
    }


def decode(name: str, content: bytes) -> np.ndarray:
    """uint8 (28, 28) of a PNG. Raises UserError naming the image."""
    try:
        with Image.open(io.BytesIO(content), formats=["PNG"]) as image:
            if image.size != (28, 28):
                raise UserError(f"{name}: found {image.width} x {image.height} pixels, expected 28 x 28")
            return np.array(image.convert("L"))
    except (OSError, SyntaxError, ValueError, zlib.error):
        raise UserError(f"{name}: not a readable PNG image") from None


def _archive(raw: Path) -> Path:
    """The one file that download left; Snakemake keeps a time stamp beside it."""
    return next(path for path in raw.iterdir() if path.name != ".snakemake_timestamp")


def main(source: str, raw: Path, classes: list, output: Path) -> None:
    if source in ("mnist", "sample"):
        parts = read_idx_classes(raw, classes)
    else:
        parts = read_png_classes(Path(source) if Path(source).is_dir() else _archive(raw), classes, source)
    digits: dict = {"classes": classes}
    for part, images in parts.items():
        digits[f"{part}_images"] = torch.cat(images)
        digits[f"{part}_labels"] = torch.repeat_interleave(torch.tensor([len(images[0]), len(images[1])]))
    content = io.BytesIO()
    torch.save(digits, content)
    write(output, content.getvalue())


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        main(
            snakemake.params.source,
            Path(snakemake.input.raw),
            list(snakemake.params.classes),
            Path(snakemake.output.digits),
        )
