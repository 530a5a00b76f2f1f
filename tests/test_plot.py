"""The ŷ plot: a panel per seed, and what stands in it."""

import io

import matplotlib.pyplot as plt
import numpy as np
import plot
import pytest
from PIL import Image

YHAT = np.array([[0.1, 0.2, 0.9], [0.5, 0.5, 0.5], [np.nan, np.nan, np.nan], [0.1, np.nan, 0.9]], np.float32)


@pytest.fixture
def drawn(monkeypatch):
    """Draws some seeds; the figure, not yet closed."""
    figures = []
    monkeypatch.setattr(plt, "close", figures.append)

    def draw(seeds: int, is_last_finite: list[bool]):
        png = plot.plot(YHAT[:seeds], is_last_finite, [2, 1], list(range(7, 7 + seeds)), ["cat", "dog"], "a $x$")
        assert png.startswith(b"\x89PNG")
        return figures[-1]

    yield draw
    monkeypatch.undo()
    for figure in figures:
        plt.close(figure)


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
    assert figure.get_suptitle() == "a $x$: some seeds diverged; ŷ at their last finite weights"


def test_title_says_that_all_diverged(drawn):
    assert drawn(2, [True, True]).get_suptitle() == "a $x$: diverged; ŷ at the last finite weights"
    assert len(drawn(3, [False] * 3).axes) == 3


def test_few_colours_are_near_those_of_the_plot(monkeypatch):
    few_of = plot.in_few_colours
    monkeypatch.setattr(plot, "in_few_colours", lambda png: png)
    yhat = np.stack([np.linspace(0, 1, 5000), np.full(5000, np.nan)]).astype(np.float32)
    full = plot.plot(yhat, [False, False], [2500, 2500], [7, 8], ["cat", "dog"], "some")
    few = few_of(full)
    assert len(few) < len(full) / 2
    before, after = (np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int) for png in (full, few))
    assert len(np.unique(after.reshape(-1, 3), axis=0)) <= plot.COLOURS
    assert np.abs(before - after).max() < 30
    assert ((after[..., 0] > 180) & (after[..., 1] < 90)).any()  # the words are red
