"""Digits and plots as data URIs, so that the page needs no other file."""

import base64
import io

from PIL import Image

from diagnosis.records import Metrics

SHOWN = 24  # wrong images on a card


def data_uri(content: bytes, kind: str = "image/png") -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


class Pictures:
    """The digits of diagnosis/pictures.npz: dark ink on white, as on paper.

    shown: {name: data URI} of those that the page shows, each once; its places refer to it by that name.
    """

    def __init__(self, arrays: dict):
        """arrays: per part, its images uint8 (n, 28, 28), and under {part}_index their places (n,)."""
        self.images = {
            (part, int(index)): image
            for part in ("train", "test")
            for index, image in zip(arrays[f"{part}_index"], arrays[part], strict=True)
        }
        self.shown: dict[str, str] = {}

    def show(self, part: str, index: int) -> str:
        """Its name, test-17 say."""
        name = f"{part}-{index}"
        if name not in self.shown:
            content = io.BytesIO()
            Image.fromarray(255 - self.images[part, index]).save(content, "PNG", optimize=True)
            self.shown[name] = data_uri(content.getvalue())
        return name


def wrong_digits(pictures: Pictures, entry: Metrics, wrong: dict, yhat: dict, y: dict) -> list[dict]:
    """Per part, the images that a variant's first surviving seed gets wrong, the surest first.

    yhat: {part: float32 (seeds, n)}; y: {part: labels (n,)}. Each: part, count, images (index, name, y, yhat).
    """
    found = []
    for place, one in enumerate(entry.seeds):
        if one.status != "finished":
            continue
        for part in ("test", "train"):
            indices = wrong[part].get(str(one.seed), [])
            shown = [index for index in indices if (part, index) in pictures.images]
            shown.sort(key=lambda index: -abs(float(yhat[part][place, index]) - 0.5))
            images = [
                {
                    "index": index,
                    "name": pictures.show(part, index),
                    "y": int(y[part][index]),
                    "yhat": float(yhat[part][place, index]),
                }
                for index in shown[:SHOWN]
            ]
            found.append({"part": part, "seed": one.seed, "count": len(indices), "images": images})
        break
    return found


def hardest(pictures: Pictures, metrics: list[Metrics], wrong: dict, y: dict, most: int = 24) -> list[dict]:
    """The test images that most variants get wrong: index, name, y, variants (their names), of how many."""
    missed: dict[int, list[str]] = {}
    of = 0
    for entry in metrics:
        lists = wrong[entry.variant]["test"]
        first = next((str(one.seed) for one in entry.seeds if str(one.seed) in lists), None)
        if first is not None:
            of += 1
            for index in lists[first]:
                missed.setdefault(index, []).append(entry.variant)
    order = sorted(
        (index for index in missed if ("test", index) in pictures.images), key=lambda i: (-len(missed[i]), i)
    )
    return [
        {"index": i, "name": pictures.show("test", i), "y": int(y["test"][i]), "variants": missed[i], "of": of}
        for i in order[:most]
    ]
