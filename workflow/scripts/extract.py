"""Take the images of the two classes out of the raw files: y = 0 first, file order kept within a class."""

from common.startup import torch

import io
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
from PIL import Image

from common.errors import UserError, logged
from common.files import write
from common.params import read_params
from images import png
from images.idx import read_idx_classes


def read_png_classes(source: Path, classes: list, called: str) -> dict[str, list[torch.Tensor]]:
    """The same of a folder or archive of PNG images, each class in the order of its file names' numbers.

    called: what the user calls the source, of which an archive here is a copy.
    """
    names = [str(name) for name in classes]
    found: dict[str, dict[str, dict[str, np.ndarray]]] = {"train": {}, "test": {}}
    for part, name, image, content in png.each_image(source, names, called):
        found[part].setdefault(name, {})[image] = decode(image, content)
    for part, classes_found in found.items():
        for name in names:
            if name not in classes_found:
                counts = Counter(there for at, there, _, _ in png.each_image(source, None, called) if at == part)
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
        with warnings.catch_warnings(action="error"):  # PIL warns of some damage, and goes on
            with Image.open(io.BytesIO(content), formats=["PNG"]) as image:
                image.verify()  # its checksums, which loading ignores; nothing can be loaded after it
            with Image.open(io.BytesIO(content), formats=["PNG"]) as image:
                if image.size != (28, 28):
                    raise UserError(f"{name}: found {image.width} x {image.height} pixels, expected 28 x 28")
                if found := _lost(image):
                    expected = "expected grey, palette or RGB of 8 bits without transparency"
                    raise UserError(f"{name}: found {found}, {expected}")
                return np.array(image.convert("L"))
    except UserError:
        raise
    except Exception:  # of a damaged image PIL raises whatever it stumbles over
        raise UserError(f"{name}: not a readable PNG image") from None


def _lost(image: Image.Image) -> str:
    """What a conversion to 8 bits of grey would lose of the image, in words; '' where that is nothing but colour."""
    if ";16" in image.tile[0].args:  # how its pixels are packed: the mode of 16-bit RGB is RGB
        return "16 bits a channel"
    image.load()  # transparency may stand behind the pixels
    if image.has_transparency_data:
        return f"transparency (mode {image.mode})"
    return "" if image.mode in ("1", "L", "P", "RGB") else f"mode {image.mode}"


def _archive(raw: Path) -> Path:
    """The one file that download left; Snakemake keeps a time stamp beside it."""
    return next(path for path in raw.iterdir() if path.name != ".snakemake_timestamp")


def main(source: str, raw: Path, classes: list, output: dict) -> str:
    """Writes the images, for torch and without it; tells how many."""
    if source in ("mnist", "sample"):
        parts = read_idx_classes(raw, classes)
    else:
        parts = read_png_classes(Path(source) if Path(source).is_dir() else _archive(raw), classes, source)
    digits: dict = {"classes": classes}
    for part, images in parts.items():
        digits[f"{part}_images"] = torch.cat(images)
        digits[f"{part}_labels"] = torch.repeat_interleave(torch.tensor([len(images[0]), len(images[1])]))
    tensors, arrays = io.BytesIO(), io.BytesIO()
    torch.save(digits, tensors)
    np.savez(arrays, **{name: of.numpy() for name, of in digits.items() if name != "classes"})
    write(output["tensors"], tensors.getvalue())
    write(output["arrays"], arrays.getvalue())
    counts = {part: [len(of_class) for of_class in images] for part, images in parts.items()}
    each = " and ".join(f"{count:,} of {name}" for count, name in zip(counts["train"], classes, strict=True))
    return f"{sum(counts['train']):,} training images ({each}), {sum(counts['test']):,} test images"


if __name__ == "__main__":
    with logged(snakemake.log[0]) as say:
        asked = read_params(snakemake.params)
        say(main(asked["source"], Path(snakemake.input.raw), asked["classes"], dict(snakemake.output.items())))
