"""The notebook's plot of one variant: y as a line, ŷ of every training image as dots."""

import io
import math
import os
from pathlib import Path

os.environ["MPLBACKEND"] = "agg"  # a notebook's, say, would be looked for as matplotlib is imported
import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from common.archives import read_arrays
from common.english import shortened
from common.errors import logged
from common.files import write
from common.params import read_params
from records.strict import read_record
from records.training import Training

matplotlib.rcParams["text.parse_math"] = False  # a class may be called $x$

PANEL_COLUMNS = 3  # of panels, at most
WHITE, BLACK, GREY, BLUE, RED = (255, 255, 255), (0, 0, 0), (96, 96, 96), (150, 183, 214), (200, 20, 30)
LARGE, MEDIUM = 17, 15  # points: the page shows the 8 inches at two thirds of their size, a phone at two fifths
RIGHT_DOT, WRONG_DOT = 4, 5  # points
LONGEST_TITLE, LONGEST_SEED, LONGEST_CLASS = 50, 17, 12  # letters
OUTSIDE = 0.28  # of the axis of ŷ, above 1 and below 0, where the counts stand


def plot(
    yhat: np.ndarray, is_last_finite: list[bool], counts: list[int], seeds: list[int], classes: list, title: str
) -> bytes:
    """A PNG of ŷ (seeds, n) over the image number, a panel per seed; counts: images with y = 0, then with y = 1.

    is_last_finite: of which seeds ŷ is that of the last finite weights.
    """
    y = np.repeat([0, 1], counts)
    is_one = len(seeds) == 1
    columns = min(PANEL_COLUMNS, len(seeds))
    rows = math.ceil(len(seeds) / columns)
    note = noted(is_last_finite)
    above, below = 0.42 + 0.28 * bool(note) + 0.25 * (not is_one), 0.7 if is_one else 0.4
    width, height = 8, above + below + (3 if is_one else 4.8 / columns * rows)
    figure = Figure(figsize=(width, height), dpi=100)
    canvas = FigureCanvasAgg(figure)
    # In inches: a layout engine would draw everything twice, to find the same.
    frame = {"left": 0.75 / width, "right": 1 - 0.1 / width, "bottom": below / height, "top": 1 - above / height}
    # Not sharex and sharey: with them, the time grows with the square of the seeds.
    panels = figure.subplots(rows, columns, squeeze=False, gridspec_kw=frame | {"wspace": 0.05, "hspace": 0.25})
    names = [shortened(str(name), LONGEST_CLASS) for name in classes]
    for place, (axes, seed, is_last, row) in enumerate(zip(panels.flat, seeds, is_last_finite, yhat, strict=False)):
        draw(axes, y, row, names if is_one else None)
        axes.set(xticks=[], yticks=[0, 0.5, 1], yticklabels=["0", "0.5", "1"] if place % columns == 0 else [])
        axes.tick_params(labelsize=MEDIUM)
        if not is_one:
            axes.set_title(shortened(f"seed {seed}", LONGEST_SEED) + "*" * is_last, fontsize=MEDIUM, pad=3)
    for axes in panels.flat[len(seeds) :]:
        axes.remove()
    if is_one:
        near = 0.15 * len(y)  # to an end: the numbers would lie on each other
        ticks = [0, *(end for end in counts[:1] if near < end < len(y) - near), len(y)]
        panels[0, 0].set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    figure.suptitle(shortened(title, LONGEST_TITLE), fontsize=LARGE, y=1 - 0.08 / height)
    figure.text(0.5, 1 - 0.42 / height, note, fontsize=MEDIUM, ha="center", va="top")
    figure.supxlabel(f"training image: first the {names[0]}s, then the {names[1]}s", fontsize=MEDIUM, y=0.05 / height)
    figure.supylabel("y (line), ŷ (dots)", fontsize=MEDIUM, x=0.05 / width)
    canvas.draw()
    return in_few_colours(np.asarray(canvas.buffer_rgba()))


def draw(axes: Axes, y: np.ndarray, yhat: np.ndarray, names: list[str] | None) -> None:
    """A quiet band of dots for right answers, y, and wrong answers on top, counted above those of 0 and below those of
    1, with the names of the classes where there are any."""
    images, answers = np.arange(len(y)), yhat > 0.5
    is_wrong = (answers != y) & ~np.isnan(yhat)
    dots = {"linestyle": "", "marker": "s", "markeredgewidth": 0, "antialiased": False}
    axes.axhline(0.5, color=shade(GREY), linewidth=1, linestyle=(0, (5, 5)))
    axes.plot(images[~is_wrong], yhat[~is_wrong], color=shade(BLUE), markersize=RIGHT_DOT, **dots)
    axes.plot(y, color=shade(BLACK), linewidth=1.2)
    axes.plot(images[is_wrong], yhat[is_wrong], color=shade(RED), markersize=WRONG_DOT, **dots)
    axes.set(ylim=(-OUTSIDE, 1 + OUTSIDE))
    text = {"transform": axes.get_yaxis_transform(), "fontsize": MEDIUM, "va": "center"}
    for label, x, side in ((0, 0.01, "left"), (1, 0.99, "right")):
        wrong, of = int(is_wrong[y == label].sum()), int((~np.isnan(yhat[y == label])).sum())
        words = f"{wrong:,} wrong" if wrong else ""
        if names and of:
            words = f"{names[label]} called {names[1 - label]}: {wrong:,} of {of:,}"
        level = -OUTSIDE / 2 if label else 1 + OUTSIDE / 2
        axes.text(x, level, words, color=shade(RED if wrong else GREY), ha=side, **text)
    if np.isnan(yhat).any():
        words = "every ŷ is NaN" if np.isnan(yhat).all() else f"{np.isnan(yhat).sum():,} ŷ NaN"
        axes.text(0.5, 0.5, words, color=shade(RED), ha="center", backgroundcolor="white", **text)


def noted(is_last_finite: list[bool]) -> str:
    """What is said of models that diverged."""
    if all(is_last_finite):
        return "diverged; ŷ at the last finite weights"
    return "*diverged; ŷ at the last finite weights" if any(is_last_finite) else ""


def shade(colour: tuple[int, int, int], share: float = 1) -> tuple[float, ...]:
    """A colour of which this share covers white, as matplotlib takes it: red, green, blue from 0 to 1."""
    return tuple((share * over + (1 - share) * under) / 255 for over, under in zip(colour, WHITE, strict=True))


def in_few_colours(picture: np.ndarray) -> bytes:
    """A PNG of the uint8 (height, width, 4), a quarter of its size: the page holds one per variant.

    Its 16 colours, half a byte per pixel, are those that are drawn: dots, lines, and the edges of letters.
    """
    greys = [*(shade(BLACK, share) for share in (0, 0.07, 0.16, 0.27, 0.38, 0.5, 0.77, 0.9, 1)), shade(GREY)]
    colours = [*greys, shade(BLUE), *(shade(RED, share) for share in (0.25, 0.5, 0.75, 0.9, 1))]
    palette = Image.new("P", (1, 1))
    palette.putpalette([round(255 * part) for colour in colours for part in colour])
    content = io.BytesIO()
    in_colour = Image.fromarray(picture).convert("RGB")
    in_colour.quantize(palette=palette, dither=Image.Dither.NONE).save(content, "PNG", compress_level=9)
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
