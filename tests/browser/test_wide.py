"""The page of many variants in a real browser: never wider than the window, and the answer in a few lines."""

import shutil

import pytest

from builders.browsing import PATIENCE
from builders.cases import cases
from builders.pipeline import Pipeline, checked


def no_product(count: int) -> dict:
    """A config of so many variants that are no plain product of loss, normalization and one key."""
    losses = {f"a-loss-of-a-long-name-{place}": f"mean((yhat - y) ** 2) + {place}" for place in range(5)}
    ways = [
        {},
        {"lr": 0.5},
        {"hidden": [3, 2]},
        {"optimizer": {"name": "SGD", "momentum": 0.9}},
        {"activation": "Tanh"},
    ]
    ways += [{"activation": {"name": "LeakyReLU", "negative_slope": 0.1}, "lr": 0.01}, {"epochs": 3, "seeds": [1, 2]}]
    units = {f"unit-{place}": f"x / {255 + place}" for place in range(8)}
    variants = {}
    for place in range(count):
        of = ways[place % len(ways)] | {"loss": f"a-loss-of-a-long-name-{place % 5}"}
        variants[f"variant-with-a-long-name-{place}"] = of | {"normalization": f"unit-{place // 7 % 8}"}
    defaults = {"hidden": [2], "epochs": 2, "seeds": [1]}
    return {
        "data": {"source": "sample"},
        "defaults": defaults,
        "diagnosis": {"trials": 0},
        "losses": losses,
        "normalizations": units,
        "variants": variants,
    }


@pytest.fixture(scope="module", params=[58, 198][: cases(1, 2)])
def wide(request, compared, tmp_path_factory):
    pipeline = Pipeline(tmp_path_factory.mktemp("wide"))
    shutil.copy(compared / "results/vega.js", pipeline.folder / "vega.js")
    pipeline.run(checked(no_product(request.param)))
    return (pipeline.folder / "results/page").rename(pipeline.folder / "report.html")


@pytest.mark.parametrize(("width", "lines"), [(1440, 2), (1024, 2), (390, 4)])
def test_page_of_no_plain_product_is_as_wide_as_the_window(browser, wide, width, lines):
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.set_default_timeout(PATIENCE)
    page.goto(f"file://{wide}")
    page.wait_for_selector("html[data-drawn]")
    assert page.evaluate("document.documentElement.scrollWidth") == width
    answer = page.locator(".best")
    assert answer.bounding_box()["height"] <= (lines + 0.5) * answer.evaluate(
        "one => parseFloat(getComputedStyle(one).lineHeight)"
    )
    assert page.locator(".why > ul > .cause").count() == min(12, page.locator(".cause").count())
    # No word is broken letter by letter, and what differs is said at the head of a line.
    chips = page.eval_on_selector_all(".chip", "chips => chips.map(chip => chip.getBoundingClientRect().height)")
    heads = page.locator(".grid .label").all_inner_texts()
    if width > 1000:
        assert max(chips) < 70
    assert "lr 0.5" in heads
    assert not any("optimizer" in text for text in page.locator(".chip strong").all_inner_texts())
    page.close()
