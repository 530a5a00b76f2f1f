"""The page of many variants in a real browser: never wider than the window, and the answer in a few lines."""

import io
import shutil

import pandas as pd
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


@pytest.fixture(scope="module")
def long_names(compared, tmp_path_factory):
    config = no_product(3)
    settings = list(config["variants"].values())
    names = ["short", *(f"a-variant-of-a-very-{'long-' * 12}name-{place}" for place in (1, 2))]
    config["variants"] = dict(zip(names, settings, strict=True))
    pipeline = Pipeline(tmp_path_factory.mktemp("long"))
    shutil.copy(compared / "results/vega.js", pipeline.folder / "vega.js")
    pipeline.run(checked(config))
    return (pipeline.folder / "results/page").rename(pipeline.folder / "report.html")


def opened(browser, path, width: int):
    """The page in a window of this width, drawn."""
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.set_default_timeout(PATIENCE)
    page.goto(f"file://{path}")
    page.wait_for_selector("html[data-drawn]")
    return page


@pytest.mark.parametrize("width", [1440, 1280, 1024])
def test_row_is_one_line_and_no_column_is_beyond_the_edge(browser, wide, width):
    page = opened(browser, wide, width)
    boxes = "all => all.map(one => one.getBoundingClientRect()).map(({ height, right }) => [height, right])"
    rows = page.eval_on_selector_all("#table tbody tr", boxes)
    assert max(height for height, _ in rows) < 40
    assert max(right for _, right in rows) <= width
    heads = page.locator("#table thead th:visible").all_inner_texts()
    assert heads[1].startswith("verdict")
    names = page.locator("#table .name a")
    assert names.first.evaluate("one => one.scrollWidth <= one.clientWidth + 1")
    # What is cut is whole under the pointer.
    cell = page.locator("#table td[data-label='activation'] .text", has_text="LeakyReLU").first
    right = "one => one.getBoundingClientRect().right"
    hidden = "one => getComputedStyle(one.closest('td')).overflowX"
    assert cell.evaluate(hidden) == "hidden"
    cell.hover()
    assert cell.evaluate(hidden) == "visible"
    assert cell.evaluate(right) > cell.evaluate("one => one.closest('td').getBoundingClientRect().right")
    page.close()


def test_long_name_is_cut_in_the_middle_and_whole_where_the_focus_is(browser, long_names):
    page = opened(browser, long_names, 1280)
    whole = f"a-variant-of-a-very-{'long-' * 12}name-1"
    link = page.locator(f"tr[data-variant='{whole}'] a")
    assert link.locator(".short").inner_text() == f"{whole[:20]}…{whole[-19:]}"
    size = "one => one.getBoundingClientRect().width"
    assert link.locator(".whole").evaluate(size) <= 1
    page.focus(f"tr[data-variant='{whole}'] input")
    page.keyboard.press("Tab")
    assert link.evaluate("one => one === document.activeElement")
    assert link.locator(".whole").evaluate(size) > 400
    page.close()


def test_below_1020_pixels_a_variant_is_lines_of_text(browser, wide):
    page = opened(browser, wide, 1000)
    row = page.locator("#table tbody tr").first
    assert not page.locator("#table thead").is_visible()
    before = row.locator("td").nth(1).evaluate("one => getComputedStyle(one, '::before').content")
    assert before.startswith('"wrong test images')
    assert row.bounding_box()["height"] < 110
    assert page.evaluate("document.documentElement.scrollWidth") == 1000
    page.close()


def test_copied_rows_of_single_seeds_have_their_interval_as_numbers(browser, wide):
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(f"file://{wide}")
    page.wait_for_selector("html[data-drawn]")
    page.get_by_role("button", name="copy as CSV").click()
    page.get_by_text("copied", exact=True).wait_for()
    table = pd.read_csv(io.StringIO(page.evaluate("navigator.clipboard.readText()")))
    assert len(table) == page.locator("#table tbody tr").count()
    for key in ("test_wrong", "test_wrong_low", "test_wrong_high", "train_wrong", "final_loss", "seconds", "lr"):
        assert table[key].dtype in ("float64", "int64"), key
    single = table[table.seeds == "1"]
    assert len(single)
    assert (single.test_wrong_low < single.test_wrong_high).all()
    context.close()


@pytest.mark.parametrize(("width", "lines"), [(1440, 2), (1024, 2), (390, 4)])
def test_page_of_no_plain_product_is_as_wide_as_the_window(browser, wide, width, lines):
    page = opened(browser, wide, width)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    answer = page.locator(".best")
    assert answer.bounding_box()["height"] <= (lines + 0.5) * answer.evaluate(
        "one => parseFloat(getComputedStyle(one).lineHeight)"
    )
    assert page.locator(".why > ul > .cause").count() == min(12, page.locator(".cause").count())
    # Cells are of one size, and what differs is said at the head of a line.
    boxes = page.eval_on_selector_all(
        ".chip", "chips => chips.map(chip => chip.getBoundingClientRect()).map(({ width, height }) => [width, height])"
    )
    assert {tuple(round(side) for side in box) for box in boxes} == {tuple(round(side) for side in boxes[0])}
    assert boxes[0][0] >= 34 and boxes[0][1] >= 24
    heads = page.locator(".grid .label").all_inner_texts()
    assert "lr 0.5" in heads
    assert not any("optimizer" in text for text in page.locator(".chip strong").all_inner_texts())
    page.close()
