"""The images that each variant gets wrong, and which of them the page shows."""

import numpy as np

from records.metrics import Metrics

IMAGES_SHOWN = 24  # of many, on the page


def wrong_images(metrics: list[Metrics], predictions: dict, y: dict) -> tuple[dict, dict]:
    """{variant: {part: bool (seeds, n)}} of what each model gets right, and {variant: {part: {seed: [image, …]}}}."""
    right: dict = {}
    wrong: dict = {}
    for entry in metrics:
        name = entry.variant
        right[name] = {part: (predictions[name][part] > 0.5) == y[part] for part in ("train", "test")}
        wrong[name] = {
            part: {
                str(one.seed): np.flatnonzero(~right[name][part][place]).tolist()
                for place, one in enumerate(entry.seeds)
                if (one.correct if part == "train" else one.test_correct) is not None
            }
            for part in ("train", "test")
        }
    return right, wrong


def first_finished(entry: Metrics) -> int | None:
    """The place of the seed whose wrong images the page shows."""
    return next((place for place, one in enumerate(entry.seeds) if one.status == "finished"), None)


def surest(images: list[int], yhat: np.ndarray) -> list[int]:
    """Of these images, those whose ŷ is furthest from 0.5, the furthest first. yhat: of all images, float32 (n,)."""
    order = np.argsort(-np.abs(yhat[images] - 0.5), kind="stable")  # NaN comes last
    return [images[place] for place in order[:IMAGES_SHOWN]]


def hardest(metrics: list[Metrics], wrong: dict) -> tuple[dict[int, list[str]], int]:
    """{test image: the variants that get it wrong} of those that the most do, most first; of how many variants.

    A variant counts by its first seed that has answers. wrong: as wrong_images() gives it.
    """
    missed: dict[int, list[str]] = {}
    answering = 0
    for entry in metrics:
        lists = wrong[entry.variant]["test"]
        first = next((str(model.seed) for model in entry.seeds if str(model.seed) in lists), None)
        if first is not None:
            answering += 1
            for index in lists[first]:
                missed.setdefault(index, []).append(entry.variant)
    order = sorted(missed, key=lambda index: (-len(missed[index]), index))
    return {index: missed[index] for index in order[:IMAGES_SHOWN]}, answering
