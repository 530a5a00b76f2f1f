"""The notebook's plot of one variant: y as a line, ŷ of every training image as dots."""

import io
import math
import os
from pathlib import Path

os.environ["MPLBACKEND"] = "agg"  # a notebook's, say, would be looked for as matplotlib is imported
import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from common.archives import read_arrays
from common.errors import logged
from common.files import write
from common.params import read_params
from records.strict import read_record
from records.training import Training

matplotlib.rcParams["text.parse_math"] = False  # a class may be called $x$

PANEL_COLUMNS = 4  # of panels, at most
WHITE, BLACK, BLUE, RED = (255, 255, 255), (0, 0, 0), (31, 119, 180), (214, 39, 40)
OPACITY = 0.4  # of a dot


def plot(
    yhat: np.ndarray, is_last_finite: list[bool], counts: list[int], seeds: list[int], classes: list[int], title: str
) -> bytes:
    """A PNG of ŷ (seeds, n) over the image number, a panel per seed; counts: images with y = 0, then with y = 1.

    is_last_finite: of which seeds ŷ is that of the last finite weights.
    """
    y = np.repeat([0, 1], counts)
    columns = min(PANEL_COLUMNS, len(seeds))
    rows = math.ceil(len(seeds) / columns)
    width, height = (8, 4 if len(seeds) == 1 else 0.8 + rows * 5.6 / columns)
    figure = Figure(figsize=(width, height), dpi=100)
    canvas = FigureCanvasAgg(figure)
    # In inches: a layout engine would draw everything twice, to find the same.
    above = 0.35 if len(seeds) == 1 else 0.5
    frame = {"left": 0.65 / width, "right": 1 - 0.1 / width, "bottom": 0.5 / height, "top": 1 - above / height}
    # Not sharex and sharey: with them, the time grows with the square of the seeds.
    panels = figure.subplots(rows, columns, squeeze=False, gridspec_kw=frame | {"wspace": 0.08, "hspace": 0.25})
    for axes, seed, is_last, row in zip(panels.flat, seeds, is_last_finite, yhat, strict=False):
        axes.plot(y, color=shade(BLACK), linewidth=1, label="y")
        size = 4 if columns == 1 else 2
        axes.plot(row, "o", color=shade(BLUE), alpha=OPACITY, markersize=size, markeredgewidth=0, label="ŷ")
        axes.set(ylim=(-0.05, 1.05))
        axes.label_outer()
        if np.isnan(row).any():
            word = "every ŷ is NaN" if np.isnan(row).all() else f"{np.isnan(row).sum():,} ŷ NaN"
            place = {"transform": axes.transAxes, "ha": "center", "va": "center"}
            axes.text(0.5, 0.5, word, fontsize=12, color=shade(RED), **place)
        if len(seeds) > 1:
            axes.set_title(f"seed {seed}{' (last finite)' if is_last else ''}", fontsize=8)
    for axes in panels.flat[len(seeds) :]:
        axes.remove()
    if all(is_last_finite):
        title += ": diverged; ŷ at the last finite weights"
    elif any(is_last_finite):
        title += ": “last finite” is ŷ before a seed diverged"
    figure.suptitle(title)
    figure.supxlabel(f"training image (first the {classes[0]}s, then the {classes[1]}s)", fontsize="medium")
    figure.supylabel("y (line) and ŷ (dots)", fontsize="medium", x=0.05 / width)
    if len(seeds) == 1:
        panels[0, 0].legend(loc="center right", framealpha=1)
    canvas.draw()
    return in_few_colours(np.asarray(canvas.buffer_rgba()))


def shade(colour: tuple[int, int, int], share: float = 1, on: tuple[int, int, int] = WHITE) -> tuple[float, ...]:
    """A colour of which this share covers another, as matplotlib takes it: red, green, blue from 0 to 1."""
    return tuple((share * over + (1 - share) * under) / 255 for over, under in zip(colour, on, strict=True))


def in_few_colours(picture: np.ndarray) -> bytes:
    """A PNG of the uint8 (height, width, 4), a quarter of its size: the page holds one per variant.

    Its 16 colours, half a byte per pixel, are those that are drawn: dots on white, on each other and on the line, and
    the edges of what is black or red.
    """
    on_white = [shade(BLUE, 1 - (1 - OPACITY) ** dots) for dots in (0.5, 1, 2, 3, 4)]
    on_line = [shade(BLUE, 1 - (1 - OPACITY) ** dots, on=BLACK) for dots in (1, 2)]
    edges = [*(shade(BLACK, share) for share in (0, 0.13, 0.3, 0.5, 0.77, 1)), shade(RED, 0.5), shade(RED)]
    palette = Image.new("P", (1, 1))
    palette.putpalette([round(255 * part) for colour in [*on_white, shade(BLUE), *on_line, *edges] for part in colour])
    content = io.BytesIO()
    in_colour = Image.fromarray(picture).convert("RGB")
    in_colour.quantize(palette=palette, dither=Image.Dither.NONE).save(content, "PNG")
    return content.getvalue()


def shown(predictions: dict, record: Training) -> tuple[np.ndarray, bool]:
    """ŷ of the training images, float32 (n,), and whether it is that of the last finite weights: of a model that
    diverged, and whose final weights give NaN."""
    yhat = predictions["train"]
    is_last_finite = record.diverged_epoch is not None and bool(np.isnan(yhat).any())
    return (predictions["last_finite"] if is_last_finite else yhat), is_last_finite


def main(trainings: list[str], predictions: list[str], classes: list, title: str, output: Path) -> None:
    """trainings, predictions: the files of each model of a variant."""
    records = [read_record(path, Training) for path in trainings]
    models = [shown(read_arrays(path), record) for path, record in zip(predictions, records, strict=True)]
    yhat, is_last_finite = np.stack([of for of, _ in models]), [is_last for _, is_last in models]
    seeds = [record.seed for record in records]
    write(output, plot(yhat, is_last_finite, records[0].counts.train, seeds, classes, title))


if __name__ == "__main__":
    with logged(snakemake.log[0]) as say:
        inputs, (output,) = snakemake.input, snakemake.output
        classes = read_params(snakemake.params)["classes"]
        main(inputs.training, inputs.predictions, classes, str(snakemake.wildcards.variant), Path(output))
        say(output)
