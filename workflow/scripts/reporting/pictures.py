"""Digits and plots as data URIs, so that the page needs no other file."""

import base64
import io
import math
from pathlib import Path

import numpy as np
from PIL import Image

from common.archives import read_arrays
from common.files import damaged
from comparing.images import first_finished, hardest, surest
from findings.unlike import mean_image
from records.metrics import Metrics


def data_uri(content: bytes, kind: str = "image/png") -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


class Pictures:
    """The digits of data/digits.npz: dark ink on white, as on paper.

    shown: {name: data URI} of those that the page shows, each once; its places refer to it by that name.
    """

    def __init__(self, path: str | Path):
        """The file has per part its images, uint8 (n, 28, 28), and labels, (n,)."""
        self.path, self.arrays = path, read_arrays(path)
        self.shown: dict[str, str] = {}

    def show(self, part: str, index: int) -> str:
        """Its name, test-17 say. Raises UserError where there is no picture of it."""
        name = f"{part}-{index}"
        if name not in self.shown:
            images = self.arrays[f"{part}_images"]
            if not 0 <= index < len(images):
                raise damaged(self.path, f"no picture of {part} image {index}")
            self.shown[name] = _ink(images[index])
        return name

    def show_mean(self, part: str) -> str:
        """The name of the mean image of a part, both classes counting alike."""
        name = f"{part}-mean"
        if name not in self.shown:
            mean = mean_image(self.arrays[f"{part}_images"], self.arrays[f"{part}_labels"])
            self.shown[name] = _ink(mean.round().astype(np.uint8))
        return name


def _ink(image: np.ndarray) -> str:
    """A data URI. image: uint8 (28, 28)."""
    content = io.BytesIO()
    Image.fromarray(255 - image).save(content, "PNG", optimize=True)
    return data_uri(content.getvalue())


def wrong_digits(pictures: Pictures, entry: Metrics, wrong: dict, yhat: dict, y: dict) -> list[dict]:
    """Per part, the images that a variant's first surviving seed gets wrong, the surest first; no part for whose images
    it has a ŷ that is NaN.

    yhat: of that seed, {part: float32 (n,)}; y: {part: labels (n,)}. Each: part, count, images (index, name, y, says,
    sure: how sure of it, in per cent).
    """
    place = first_finished(entry)
    if place is None:
        return []
    seed = entry.seeds[place].seed
    found = []
    for part in ("test", "train"):
        if str(seed) not in wrong[part]:
            continue
        indices, of_part = wrong[part][str(seed)], yhat[part]
        images = [
            {
                "index": index,
                "name": pictures.show(part, index),
                "y": int(y[part][index]),
                "says": int(of_part[index] > 0.5),
                "sure": sureness(float(of_part[index])),
            }
            for index in surest(indices, of_part)
        ]
        found.append({"part": part, "seed": seed, "count": len(indices), "images": images})
    return found


def sureness(yhat: float) -> str:
    """ŷ of the class that it says, in per cent: '99.4 %'. Only a ŷ of exactly 0 or 1 is sure."""
    share = max(yhat, 1 - yhat)
    if math.isnan(yhat):
        return "ŷ is NaN"
    if yhat in (0, 1):
        return "100 %"
    if share > 0.999:
        return "> 99.9 %"
    return f"{math.floor(share * 1000) / 10:.1f} %" if share >= 0.99 else f"{math.floor(share * 100)} %"


def hardest_digits(pictures: Pictures, metrics: list[Metrics], wrong: dict, y: dict) -> list[dict]:
    """The test images that most variants get wrong: index, name, y, variants (their names), of how many. With two
    classes each of these says the other one."""
    missed, answering = hardest(metrics, wrong)
    return [
        {"index": i, "name": pictures.show("test", i), "y": int(y["test"][i]), "variants": names, "of": answering}
        for i, names in missed.items()
    ]
