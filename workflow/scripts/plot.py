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


def plot(
    yhat: np.ndarray, is_last_finite: list[bool], counts: list[int], seeds: list[int], classes: list[int], title: str
) -> bytes:
    """A PNG of ŷ (seeds, n) over the image number; counts: images with y = 0 and with y = 1, in that order.

    is_last_finite: of which seeds ŷ is that of the last finite weights.
    """
    y = np.repeat([0, 1], counts)
    figure, axes = plt.subplots(figsize=(8, 4), layout="constrained")
    axes.plot(y, color="black", linewidth=1, label="y")
    for seed, is_last, row in zip(seeds, is_last_finite, yhat, strict=True):
        label = "ŷ" if len(seeds) == 1 else f"ŷ, seed {seed}"
        label += " (last finite)" if is_last and not all(is_last_finite) else ""
        axes.plot(row, "o", alpha=0.4, markersize=4, markeredgewidth=0, label=label)
    if any(is_last_finite):
        title += ": diverged; ŷ at the last finite weights" if all(is_last_finite) else ": some seeds diverged"
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
    with logged(snakemake.log[0]):
        metrics = read(snakemake.input.metrics, Metrics)
        seeds = [outcome.seed for outcome in metrics.seeds]
        with np.load(snakemake.input.predictions) as predictions:
            yhat, is_last_finite = shown(dict(predictions), [outcome.status for outcome in metrics.seeds])
        classes, title = snakemake.params.classes, str(snakemake.wildcards.variant)
        picture = plot(yhat, is_last_finite, metrics.counts.train, seeds, classes, title)
        write(Path(snakemake.output[0]), picture)
