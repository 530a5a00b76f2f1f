"""The ŷ plot: a panel per seed, and what stands in it."""

import io

import numpy as np
import plot
import pytest
from PIL import Image

YHAT = np.array([[0.1, 0.2, 0.9], [0.5, 0.5, 0.5], [np.nan, np.nan, np.nan], [0.1, np.nan, 0.9]], np.float32)


@pytest.fixture
def drawn(monkeypatch):
    """Draws some seeds; the figure."""
    figures = []
    made = plot.Figure
    monkeypatch.setattr(plot, "Figure", lambda **how: figures.append(made(**how)) or figures[-1])

    def draw(seeds: int, is_last_finite: list[bool]):
        png = plot.plot(YHAT[:seeds], is_last_finite, [2, 1], list(range(7, 7 + seeds)), ["cat", "dog"], "a $x$")
        assert png.startswith(b"\x89PNG")
        return figures[-1]

    return draw


def dots(axes) -> np.ndarray:
    return axes.lines[1].get_ydata()


def test_single_seed_is_the_notebook_s_plot(drawn):
    figure = drawn(1, [False])
    (axes,) = figure.axes
    assert axes.lines[0].get_ydata().tolist() == [0, 0, 1]
    np.testing.assert_array_equal(dots(axes), YHAT[0])
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["y", "ŷ"]
    assert figure.get_suptitle() == "a $x$"
    assert figure.get_supxlabel() == "training image (first the cats, then the dogs)"


def test_each_of_many_seeds_has_a_panel_of_its_own(drawn):
    figure = drawn(4, [False, True, False, False])
    assert [axes.get_title() for axes in figure.axes] == ["seed 7", "seed 8 (last finite)", "seed 9", "seed 10"]
    for axes, yhat in zip(figure.axes, YHAT, strict=True):
        np.testing.assert_array_equal(dots(axes), yhat)
    words = [[text.get_text() for text in axes.texts] for axes in figure.axes]
    assert words == [[], [], ["every ŷ is NaN"], ["1 ŷ NaN"]]
    assert figure.get_suptitle() == "a $x$: “last finite” is ŷ before a seed diverged"


def test_title_says_that_all_diverged(drawn):
    assert drawn(2, [True, True]).get_suptitle() == "a $x$: diverged; ŷ at the last finite weights"
    assert len(drawn(3, [False] * 3).axes) == 3


@pytest.mark.parametrize("seeds", [1, 2, 3, 4])
def test_no_text_lies_on_another_or_beyond_the_edge(drawn, seeds):
    figure = drawn(seeds, [False] * seeds)
    texts = [figure._suptitle, figure._supxlabel, figure._supylabel]
    for axes in figure.axes:
        texts.append(axes.title)
        for axis in (axes.xaxis, axes.yaxis):
            low, high = axis.get_view_interval()
            texts += [tick.label1 for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]
    boxes = [(text.get_text(), text.get_window_extent()) for text in texts if text.get_visible() and text.get_text()]
    assert len(boxes) > 8
    width, height = figure.canvas.get_width_height()
    for place, (text, box) in enumerate(boxes):
        assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= width and box.y1 <= height, text
        assert [other for other, at in boxes[:place] if box.overlaps(at)] == [], text


def test_few_colours_are_near_those_of_the_plot(monkeypatch):
    few_of = plot.in_few_colours
    monkeypatch.setattr(plot, "in_few_colours", lambda picture: picture)
    yhat = np.stack([np.random.default_rng(0).random(5000), np.full(5000, np.nan)]).astype(np.float32)
    for seeds in (1, 2):
        full = plot.plot(yhat[:seeds], [False] * seeds, [2500, 2500], [7, 8][:seeds], ["cat", "dog"], "some")
        image = Image.open(io.BytesIO(few_of(full)))
        assert len(image.getpalette()) == 3 * 16
        before, after = full[..., :3].astype(int), np.asarray(image.convert("RGB")).astype(int)
        assert np.abs(before - after).max(axis=-1).mean() < 5
        is_grey, stays_grey = (np.ptp(picture, axis=-1) == 0 for picture in (before, after))
        assert stays_grey[is_grey].all()
        one_dot = [round(255 * part) for part in plot.shade(plot.BLUE, plot.OPACITY)]
        for colour in (plot.WHITE, plot.BLACK, one_dot):
            is_it = np.abs(before - colour).max(axis=-1) <= 1
            assert is_it.any() and (np.abs(after - colour).max(axis=-1)[is_it] <= 1).all()
    assert ((after[..., 0] > 180) & (after[..., 1] < 90)).any()  # the words are red


def test_panels_are_alike_and_share_no_axes(drawn):
    """With shared axes the time of a plot grows with the square of the seeds, three times as long for twice 24."""
    panels = drawn(4, [False] * 4).axes
    limits = {(axes.get_xlim(), axes.get_ylim()) for axes in panels}
    assert (len(panels), len(limits)) == (4, 1)
    assert [len(axes.get_shared_x_axes().get_siblings(axes)) for axes in panels] == [1] * 4
    assert [len(axes.get_shared_y_axes().get_siblings(axes)) for axes in panels] == [1] * 4
