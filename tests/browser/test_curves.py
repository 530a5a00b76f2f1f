"""The curves in a real browser: medians of many lines, names, limits, saved files, taps, and zoom in the address."""

import json
import re
import shutil
from urllib.parse import quote

import numpy as np
import pytest
from playwright.sync_api import expect

from builders.charting import LINES, NAMES, changed, dispatch, epochs, heights, point_at
from builders.pipeline import Pipeline, checked
from builders.waiting import wait_for
from reporting.page import HOME


@pytest.fixture(scope="module")
def fourteen(compared, tmp_path_factory):
    """A page of two losses with seven learning rates each."""
    losses = {"bce": {"module": "BCELoss"}, "square": "mean((yhat - y) ** 2)"}
    rates = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1]
    config = {
        "data": {"source": "sample"},
        "defaults": {"hidden": [2], "epochs": 3, "seeds": [1]},
        "diagnosis": {"trials": 0},
        "losses": losses,
        "normalizations": {"unit": "x / 255"},
        "variants": {
            f"{loss}-{lr}": {"loss": loss, "normalization": "unit", "lr": lr} for loss in losses for lr in rates
        },
    }
    pipeline = Pipeline(tmp_path_factory.mktemp("fourteen"))
    shutil.copy(compared / "results/vega.js", pipeline.folder / "vega.js")
    pipeline.run(checked(config))
    (pipeline.folder / "results/page").rename(pipeline.folder / "results/report.html")
    return pipeline.folder


def test_from_a_dozen_lines_on_there_is_a_median_per_value_and_below_a_line_per_variant(open_page, fourteen):
    page = open_page(workflow=fourteen)
    drawn = page.locator(f"[data-chart='loss'] {LINES}")
    expect(drawn).to_have_count(14 + 2)
    widths = drawn.evaluate_all("paths => paths.map(path => Number(path.getAttribute('stroke-width')))")
    assert sorted(widths) == [0.8] * 14 + [2.6] * 2
    assert page.locator("[data-chart='loss'] .mark-area path").count() == 2
    assert set(page.locator(f"[data-chart='loss'] {NAMES}").all_text_contents()) == {"bce", "square"}
    expect(page.locator("#grouping")).to_contain_text("median of the variants with one loss")
    point_at(page, "loss", 0.5, 0.5)
    expect(page.locator("#tip")).to_contain_text(re.compile(r"^(bce|square)-0\.\d+\s+loss: "))
    page.fill("#filter", "lr<0.004")
    expect(drawn).to_have_count(4)
    expect(page.locator("#grouping")).to_have_text("")
    expect(page.locator(f"[data-chart='loss'] {NAMES}")).to_have_count(4)
    page.fill("#filter", "")
    page.select_option("#colour", "")
    expect(drawn).to_have_count(14)


def test_median_and_quartiles_are_of_the_lines_that_reach_an_epoch(browser):
    script = (HOME / "workflow/report/charts/groups.js").read_text()
    of = [[(0, 1), (2, 3)], [(0, 5), (1, 7)], [(0, 9), (2, 9)], [(0, 2), (1, 2), (2, 2)]]
    given = json.dumps(
        [{"v": str(place), "points": [{"e": e, "y": y} for e, y in one]} for place, one in enumerate(of)]
    )
    page = browser.new_page()
    found = page.evaluate(f"() => {{ {script}; return middle('x', {given}); }}")
    page.close()
    assert [(point["e"], point["low"], point["y"], point["high"]) for point in found] == [
        (0, 1.75, 3.5, 6),
        (1, 2, 4.5, 7.5),
        (2, 2.5, 3, 6),  # the second line has ended
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_names_have_the_colour_of_text_and_stand_beside_the_lines(open_page, scheme):
    page = open_page(color_scheme=scheme)
    for chart in ("wrong", "loss", "logit"):
        place = page.locator(f"[data-chart='{chart}']")
        box = place.locator(".role-frame .background").first.bounding_box()
        names = place.locator(NAMES)
        assert names.count() >= 4
        text = page.evaluate("getComputedStyle(document.body).color")
        assert {name.evaluate("one => getComputedStyle(one).fill") for name in names.all()} == {text}
        pieces = place.locator(".layer_8_marks line")
        assert pieces.count() == names.count()
        for one in [*names.all(), *pieces.all(), *place.locator(".layer_7_marks line").all()]:
            assert one.bounding_box()["x"] >= box["x"] + box["width"] - 1


@pytest.mark.parametrize("width", [360, 600, 1024, 1440])
def test_name_of_the_limit_is_whole_wherever_the_limit_lies(open_page, compared, tmp_path, width):
    def change(_, history):
        return history.assign(max_logit=history["epoch"] / history["epoch"].max() * 16.5)

    page = open_page(workflow=changed(compared, tmp_path, change), viewport={"width": width, "height": 900})
    place = page.locator("[data-chart='logit']")
    for zoom in (False, True):
        if zoom:
            page.get_by_role("button", name="Largest logit: closer").click()
            page.wait_for_timeout(300)
        box = place.locator(".role-frame .background").first.bounding_box()
        label = place.locator("text", has_text="float32").last.bounding_box()
        assert box["x"] <= label["x"]
        assert label["x"] + label["width"] <= box["x"] + box["width"]
        assert box["y"] <= label["y"]
        assert label["y"] + label["height"] <= box["y"] + box["height"]


def test_limit_does_not_flatten_logits_far_below_it(open_page, compared, tmp_path):
    page = open_page(workflow=changed(compared, tmp_path, lambda _, one: one.assign(max_logit=one["epoch"] / 100)))
    assert page.locator("[data-chart='logit'] text", has_text="float32").count() == 0
    box = page.locator("[data-chart='logit'] .role-frame .background").first.bounding_box()
    assert max(heights(page, "logit")) > box["height"] / 2


def test_line_of_one_point_is_a_dot(open_page, compared, tmp_path):
    def change(name, history):
        counted = history["epoch"] == 0 if name == "good" else history["epoch"] >= 0
        return history.assign(test_wrong=np.where(counted, 3, np.nan))

    page = open_page(workflow=changed(compared, tmp_path, change))
    dispatch(page, "good")
    expect(page.locator("[data-chart='test'] .layer_6_marks path")).to_have_count(1)


def test_saved_file_has_title_legend_and_what_the_cross_means(open_page):
    page = open_page(viewport={"width": 400, "height": 800})
    texts = {"loss": ["Training loss", "good-slow", "manual-raw", "✕ the first epoch whose loss is not finite"]}
    texts["effect"] = ["Wrong test images by loss", "✕ a model that diverged"]
    for chart, expected in texts.items():
        figure = page.locator("figure", has=page.locator(f"[data-chart='{chart}']"))
        with page.expect_download() as download:
            figure.get_by_role("button", name="SVG").click()
        svg = download.value.path().read_text()
        assert [text for text in expected if f">{text}</text>" not in svg] == []
        shown = page.context.new_page()
        shown.goto(f"data:image/svg+xml;charset=utf-8,{quote(svg)}")
        assert shown.locator("svg").count() == 2
        shown.close()


def test_tap_reads_what_a_hover_does_and_no_chart_claims_the_drag_of_a_finger(open_page):
    page = open_page(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    tip = page.locator("#tip")
    for chart, marks in (("loss", ".role-frame .background"), ("effect", ".mark-symbol path")):
        place = page.locator(f"[data-chart='{chart}']")
        place.scroll_into_view_if_needed()
        page.wait_for_timeout(300)
        box = place.locator(marks).first.bounding_box()
        page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        expect(tip).to_contain_text(re.compile(r"epoch \d|seed \d"))
        page.touchscreen.tap(5, 400)
        expect(tip).to_be_hidden()
    drags = "parts => parts.filter(part => getComputedStyle(part).touchAction !== 'auto').length"
    assert page.eval_on_selector_all("[data-chart], [data-chart] *", drags) == 0


def test_zoom_is_in_the_address_and_comes_back_with_it(open_page):
    page = open_page()
    before = epochs(page, "loss")
    page.get_by_role("button", name="Training loss: closer").click()
    page.wait_for_function("location.hash.includes('zoom=loss')")
    zoomed = epochs(page, "loss")
    assert zoomed != before
    other = open_page(page.evaluate("location.hash"))
    wait_for(lambda: epochs(other, "loss") == zoomed)
    assert epochs(other, "logit") == before
    other.get_by_role("button", name="Training loss: reset the zoom").click()
    other.wait_for_function("!location.hash.includes('zoom')")
    wait_for(lambda: epochs(other, "loss") == before)
    open_page("#view:zoom=loss%3Ax%2C1&zoom=logit")  # as someone has typed it
