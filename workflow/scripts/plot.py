"""The notebook's plot of one variant: y as a line, ŷ of every training image as dots."""

import io
from pathlib import Path

import matplotlib
import numpy as np

from common.errors import logged
from common.files import write
from diagnosis.records import Metrics, read

matplotlib.use("Agg")
matplotlib.rcParams["text.parse_math"] = False  # a class may be called $x$
import matplotlib.pyplot as plt


def plot(yhat: np.ndarray, counts: list[int], seeds: list[int], classes: list[int], title: str) -> bytes:
    """A PNG of ŷ (seeds, n) over the image number; counts: images with y = 0 and with y = 1, in that order."""
    y = np.repeat([0, 1], counts)
    figure, axes = plt.subplots(figsize=(8, 4), layout="constrained")
    axes.plot(y, color="black", linewidth=1, label="y")
    for seed, row in zip(seeds, yhat, strict=True):
        label = "ŷ" if len(seeds) == 1 else f"ŷ, seed {seed}"
        axes.plot(row, "o", alpha=0.4, markersize=4, markeredgewidth=0, label=label)
    missing = int(np.isnan(yhat).any(axis=1).sum())
    if missing:
        text = "every ŷ is NaN" if np.isnan(yhat).all() else f"ŷ is NaN for {missing} of {len(seeds)} seeds"
        axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", fontsize=16, color="tab:red")
    axes.set(
        title=title,
        xlabel=f"training image (first the {classes[0]}s, then the {classes[1]}s)",
        ylabel="y and ŷ",
        ylim=(-0.05, 1.05),
    )
    axes.legend(loc="center right", ncols=1 + len(seeds) // 12)
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=110)
    plt.close(figure)
    return content.getvalue()


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        metrics = read(snakemake.input.metrics, Metrics)
        with np.load(snakemake.input.predictions) as predictions:
            yhat = predictions["train"]
        seeds = [outcome.seed for outcome in metrics.seeds]
        picture = plot(yhat, metrics.counts.train, seeds, snakemake.params.classes, str(snakemake.wildcards.variant))
        write(Path(snakemake.output[0]), picture)
