"""The notebook's plot of one variant: y as a line, ŷ of every training image as dots."""

import io
import math
import os
from pathlib import Path

os.environ["MPLBACKEND"] = "agg"  # a notebook's, say, would be looked for as matplotlib is imported
import matplotlib
import numpy as np
from PIL import Image

from common.archives import read_arrays
from common.errors import logged
from common.files import write
from diagnosis.records import Metrics, read

matplotlib.rcParams["text.parse_math"] = False  # a class may be called $x$
import matplotlib.pyplot as plt

COLUMNS = 4  # of panels, at most
COLOURS = 64


def plot(
    yhat: np.ndarray, is_last_finite: list[bool], counts: list[int], seeds: list[int], classes: list[int], title: str
) -> bytes:
    """A PNG of ŷ (seeds, n) over the image number, a panel per seed; counts: images with y = 0, then with y = 1.

    is_last_finite: of which seeds ŷ is that of the last finite weights.
    """
    y = np.repeat([0, 1], counts)
    columns = min(COLUMNS, len(seeds))
    rows = math.ceil(len(seeds) / columns)
    size = (8, 4 if len(seeds) == 1 else 0.8 + rows * 5.6 / columns)
    figure, panels = plt.subplots(
        rows, columns, figsize=size, layout="constrained", sharex=True, sharey=True, squeeze=False
    )
    for axes, seed, is_last, row in zip(panels.flat, seeds, is_last_finite, yhat, strict=False):
        axes.plot(y, color="black", linewidth=1, label="y")
        axes.plot(row, "o", alpha=0.4, markersize=4 if columns == 1 else 2, markeredgewidth=0, label="ŷ")
        axes.set(ylim=(-0.05, 1.05))
        if np.isnan(row).any():
            word = "every ŷ is NaN" if np.isnan(row).all() else f"{np.isnan(row).sum():,} ŷ NaN"
            axes.text(0.5, 0.5, word, transform=axes.transAxes, ha="center", va="center", fontsize=12, color="tab:red")
        if len(seeds) > 1:
            axes.set_title(f"seed {seed}{' (last finite)' if is_last else ''}", fontsize=8)
    for axes in panels.flat[len(seeds) :]:
        axes.remove()
    if all(is_last_finite):
        title += ": diverged; ŷ at the last finite weights"
    elif any(is_last_finite):
        title += ": some seeds diverged; ŷ at their last finite weights"
    figure.suptitle(title)
    figure.supxlabel(f"training image (first the {classes[0]}s, then the {classes[1]}s)", fontsize="medium")
    figure.supylabel("y (line) and ŷ (dots)", fontsize="medium")
    if len(seeds) == 1:
        panels[0, 0].legend(loc="center right")
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=110)
    plt.close(figure)
    return in_few_colours(content.getvalue())


def in_few_colours(png: bytes) -> bytes:
    """The picture in COLOURS shades, a third of its size: the page holds one per variant."""
    content = io.BytesIO()
    with Image.open(io.BytesIO(png)) as image:
        # By coverage, or the few pixels of a red word would take the colour of the many.
        how = {"method": Image.Quantize.MAXCOVERAGE, "dither": Image.Dither.NONE}
        image.convert("RGB").quantize(COLOURS, **how).save(content, "PNG", optimize=True)
    return content.getvalue()


def shown(predictions: dict, status: list[str]) -> tuple[np.ndarray, list[bool]]:
    """ŷ of the training images, float32 (seeds, n), and of which seeds it is that of the last finite weights.

    Those are the seeds that diverged and whose final weights give NaN; of the others it is that of the final weights.
    """
    yhat = predictions["train"].copy()
    diverged = np.array([one == "diverged" for one in status])
    replaced = diverged & np.isnan(yhat).any(axis=1)
    if replaced.any():
        yhat[replaced] = predictions["last_finite"][replaced[diverged]]
    return yhat, replaced.tolist()


if __name__ == "__main__":
    with logged(snakemake.log[0]) as say:
        metrics = read(snakemake.input.metrics, Metrics)
        seeds = [outcome.seed for outcome in metrics.seeds]
        predictions = read_arrays(snakemake.input.predictions)
        yhat, is_last_finite = shown(predictions, [outcome.status for outcome in metrics.seeds])
        classes, title = snakemake.params.classes, str(snakemake.wildcards.variant)
        picture = plot(yhat, is_last_finite, metrics.counts.train, seeds, classes, title)
        write(Path(snakemake.output[0]), picture)
        say(snakemake.output[0])
