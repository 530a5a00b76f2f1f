"""The ŷ plot: a panel per seed, and what stands in it."""

import io

import numpy as np
import plot
import pytest
from matplotlib.figure import Figure
from PIL import Image

from common.english import shortened

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


def dots(axes, of: str) -> dict[int, float]:
    """ŷ by image number, of the dots of a colour."""
    (line,) = [line for line in axes.lines if line.get_marker() == "s" and line.get_color() == plot.shade(of)]
    return dict(zip(line.get_xdata().tolist(), line.get_ydata().tolist(), strict=True))


def y_of(axes) -> list[int]:
    (line,) = [line for line in axes.lines if line.get_color() == plot.shade(plot.BLACK)]
    return line.get_ydata().tolist()


def words(axes) -> list[str]:
    return [text.get_text() for text in axes.texts if text.get_text()]


def test_single_seed_is_the_notebook_s_plot(drawn):
    figure = drawn(1, [False])
    (axes,) = figure.axes
    assert y_of(axes) == [0, 0, 1]
    assert dots(axes, plot.BLUE) == pytest.approx({0: 0.1, 1: 0.2, 2: 0.9})
    assert figure.get_suptitle() == "a $x$"
    assert figure.get_supxlabel() == "training image: first the cats, then the dogs"
    assert words(axes) == ["cat called dog: 0 of 2", "dog called cat: 0 of 1"]


def panel(yhat: list, names: list[str] | None = None):
    axes = Figure().subplots()
    plot.draw(axes, np.array([0, 0, 0, 1, 1]), np.array(yhat, np.float32), names)
    return axes


def test_wrong_answers_are_red_on_top_and_counted_per_class():
    axes = panel([0.9, 0.1, 0.5, 0.5, 1.0], ["3", "8"])
    assert dots(axes, plot.RED) == pytest.approx({0: 0.9, 3: 0.5})  # 0.5 is the answer 0
    assert dots(axes, plot.BLUE) == pytest.approx({1: 0.1, 2: 0.5, 4: 1.0})
    assert axes.lines[-1].get_color() == plot.shade(plot.RED)
    assert [(text.get_text(), text.get_position()[1]) for text in axes.texts] == [
        ("3 called 8: 1 of 3", 1 + plot.OUTSIDE / 2),
        ("8 called 3: 1 of 2", -plot.OUTSIDE / 2),
    ]


def test_count_is_red_only_where_something_is_wrong():
    colours = [text.get_color() for text in panel([0.9, 0.1, 0.5, 0.6, 1.0], ["3", "8"]).texts]
    assert colours == [plot.shade(plot.RED), plot.shade(plot.GREY)]


def test_small_panel_says_nothing_of_a_class_without_wrong_images():
    assert words(panel([0.9, 0.1, 0.5, 0.6, 1.0])) == ["1 wrong"]


def test_image_without_an_answer_is_neither_right_nor_wrong():
    axes = panel([0.1, np.nan, np.nan, 0.9, np.nan], ["3", "8"])
    assert words(axes) == ["3 called 8: 0 of 1", "8 called 3: 0 of 1", "3 ŷ NaN"]
    assert dots(axes, plot.RED) == {}
    assert words(panel([np.nan] * 5, ["3", "8"])) == ["every ŷ is NaN"]


def test_names_are_cut_in_the_middle():
    assert shortened("a-long-name-lr=0.1", 11) == "a-lon…r=0.1"
    assert shortened("a-long-name", 11) == "a-long-name"


def test_each_of_many_seeds_has_a_panel_of_its_own(drawn):
    figure = drawn(4, [False, True, False, False])
    assert [axes.get_title() for axes in figure.axes] == ["seed 7", "seed 8*", "seed 9", "seed 10"]
    assert [words(axes) for axes in figure.axes] == [[], ["1 wrong"], ["every ŷ is NaN"], ["1 ŷ NaN"]]
    assert [text.get_text() for text in figure.texts if "*" in text.get_text()] == [
        "*diverged; ŷ at the last finite weights"
    ]


def test_head_says_that_all_diverged(drawn):
    assert "diverged; ŷ at the last finite weights" in [text.get_text() for text in drawn(2, [True, True]).texts]
    figure = drawn(3, [False] * 3)
    assert len(figure.axes) == 3
    assert not any("diverged" in text.get_text() for text in figure.texts)


@pytest.mark.parametrize("seeds", [1, 2, 3, 4])
def test_no_text_lies_on_another_or_beyond_the_edge(drawn, seeds):
    figure = drawn(seeds, [place == 1 for place in range(seeds)])
    texts = list(figure.texts)  # the title and the names of the axes, too
    for axes in figure.axes:
        texts += [axes.title, *axes.texts]
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
        for colour in (plot.WHITE, plot.BLACK, plot.BLUE, plot.RED):
            is_it = np.abs(before - colour).max(axis=-1) <= 1
            assert is_it.any() and (np.abs(after - colour).max(axis=-1)[is_it] <= 1).all()


def test_plot_of_many_images_that_learned_nothing_is_small(drawn):
    """The page holds one per variant."""
    yhat = np.random.default_rng(0).random((1, 12665), np.float32)
    assert len(plot.plot(yhat, [False], [5923, 6742], [7], [0, 1], "some")) < 16_000


def test_panels_are_alike_and_share_no_axes(drawn):
    """With shared axes the time of a plot grows with the square of the seeds, three times as long for twice 24."""
    panels = drawn(4, [False] * 4).axes
    limits = {(axes.get_xlim(), axes.get_ylim()) for axes in panels}
    assert (len(panels), len(limits)) == (4, 1)
    assert [len(axes.get_shared_x_axes().get_siblings(axes)) for axes in panels] == [1] * 4
    assert [len(axes.get_shared_y_axes().get_siblings(axes)) for axes in panels] == [1] * 4
