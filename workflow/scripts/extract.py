"""Take the images of the two classes out of the raw files: y = 0 first, file order kept within a class."""

import gzip
import io
import tempfile
import zlib
from pathlib import Path

import torch

from common.errors import UserError, logged
from common.files import write
from common.vision import torchvision


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
        except (OSError, EOFError, zlib.error) as error:
            raise UserError(f"{path}: not a whole gzip file: {error}") from None
        except (AssertionError, IndexError, KeyError, RuntimeError, TypeError, ValueError):
            raise UserError(f"{path}: not an IDX file of bytes") from None


def pick(pixels: torch.Tensor, digits: torch.Tensor, classes: list[int]) -> tuple[torch.Tensor, torch.Tensor]:
    """The images of two classes, those of the first class first, each class in file order; and their digits."""
    places = torch.cat([torch.nonzero(digits == digit).flatten() for digit in classes])
    return pixels[places], digits[places]


def main(raw: Path, classes: list[int], output: Path) -> None:
    parts = {}
    for part, name in (("train", "train"), ("test", "t10k")):
        files = raw / f"{name}-images-idx3-ubyte.gz", raw / f"{name}-labels-idx1-ubyte.gz"
        images, labels = pick(*read_idx(*files), classes)
        for digit in classes:
            if not (labels == digit).any():
                raise UserError(f"{files[1]}: found no image of the digit {digit}, which data.classes asks for")
        parts |= {f"{part}_images": images, f"{part}_labels": labels}
    content = io.BytesIO()
    torch.save(parts | {"classes": classes}, content)
    write(output, content.getvalue())


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        main(Path(snakemake.input.raw), list(snakemake.params.classes), Path(snakemake.output.digits))
