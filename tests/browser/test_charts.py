"""The page's charts in a real browser: what they draw, what the pointer reads, what can be taken away."""

import json
import re
import shutil
from urllib.parse import quote

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import expect

from builders.browsing import PATIENCE, lines, write_page
from builders.pipeline import Pipeline, checked
from builders.waiting import wait_for
from reporting.page import HOME

LINES = "[class*='_0_pathgroup'] .mark-line path"
NAMES = ".layer_9_marks text"
MARKS = ".role-mark.mark-line path, .role-mark.mark-symbol path"


def changed(compared, folder, change):
    """The same run with other histories: change(variant, history) gives each model's anew."""
    workflow = compared.copy(folder / "changed")
    for path in (workflow / "results/variants").glob("*/*/history.csv"):
        change(path.parts[-3], pd.read_csv(path)).to_csv(path, index=False)
    write_page(workflow)
    return workflow


def labels(page, chart: str) -> list[str]:
    """What stands along its y axis, from the bottom."""
    return page.locator(f"[data-chart='{chart}'] .role-axis-label text[text-anchor='end']").all_text_contents()


def epochs(page, chart: str) -> list[str]:
    """What stands along its x axis, in no order."""
    found = page.locator(f"[data-chart='{chart}'] .role-axis-label text[text-anchor='middle']")
    return sorted(found.all_text_contents())


def alive(compared) -> set[str]:
    """The variants that have a line."""
    paths = list((compared / "results/variants").glob("*/*/history.csv"))
    assert len(paths) == 2 * len(compared.config["variants"])
    return {path.parts[-3] for path in paths if np.isfinite(pd.read_csv(path)["loss"]).any()}


def heights(page, chart: str) -> list[float]:
    """Of its lines, in pixels."""
    return page.eval_on_selector_all(
        f"[data-chart='{chart}'] {LINES}", "paths => paths.map(path => path.getBBox().height)"
    )


def point_at(page, chart: str, x: float, y: float) -> None:
    """Move the pointer there, in shares of the plotting area."""
    place = page.locator(f"[data-chart='{chart}']")
    place.scroll_into_view_if_needed()
    box = place.locator(".role-frame .background").first.bounding_box()
    for aside in (2, 0):
        page.mouse.move(box["x"] + box["width"] * x + aside, box["y"] + box["height"] * y)


def dispatch(page, *variants: str) -> None:
    detail = json.dumps({"variants": variants, "pinned": []})
    page.evaluate(f"document.dispatchEvent(new CustomEvent('shown', {{detail: {detail}}}))")


def color_of(page, variant: str) -> str:
    return page.locator(f"tr[data-variant='{variant}'] .swatch line").get_attribute("stroke")


def test_every_chart_that_the_page_asks_for_is_drawn(open_page):
    page = open_page()
    names = page.eval_on_selector_all("[data-chart]", "places => places.map(place => place.dataset.chart)")
    assert sorted(names) == ["effect", "logit", "loss", "survival", "test", "wrong"]
    assert [name for name in names if not page.locator(f"[data-chart='{name}']").locator(MARKS).count()] == []


def test_page_with_a_chart_that_cannot_be_drawn_does_not_say_that_all_is_drawn(browser, compared, tmp_path):
    html = (compared / "results/report.html").read_text()
    assert html.count('"survival": {"') == 1
    (tmp_path / "report.html").write_text(html.replace('"survival": {"', '"gone": {"'))
    page = browser.new_page()
    page.set_default_timeout(PATIENCE)
    with page.expect_event("pageerror") as error:
        page.goto(f"file://{tmp_path / 'report.html'}")
    assert "survival" in str(error.value)
    assert page.locator("html[data-drawn]").count() == 0
    page.close()


@pytest.mark.parametrize("chart", ["wrong", "loss", "logit"])
def test_tooltip_names_the_variant_and_its_values(open_page, chart):
    page = open_page()
    dispatch(page, "good")
    expect(page.locator(f"[data-chart='{chart}'] {LINES}")).to_have_count(1)
    point_at(page, chart, 0.5, 0.5)
    tip = page.locator("#tip")
    expect(tip).to_contain_text(re.compile(r"^good\s+epoch 1\d\s+wrong training images \d+"))
    expect(tip).to_contain_text(re.compile(r"loss \S+ \(\S+ to \S+\)\s+largest logit \d"))
    assert "undefined" not in tip.inner_text()
    page.mouse.move(2, 2)
    expect(tip).to_be_hidden()


def test_cross_and_survival_and_a_model_s_dot_have_tooltips(open_page):
    page = open_page()
    tip = page.locator("#tip")
    for chart, selector, text in [
        ("loss", ".layer_5_marks path", r"seed \d\s+first non-finite loss at epoch 0"),
        ("effect", ".mark-symbol path", r"seed \d\s+(diverged|\d+ wrong test images)"),
    ]:
        place = page.locator(f"[data-chart='{chart}']")
        place.scroll_into_view_if_needed()
        box = place.locator(selector).first.bounding_box()
        for aside in (2, 0):
            page.mouse.move(box["x"] + box["width"] / 2 + aside, box["y"] + box["height"] / 2)
        expect(tip).to_contain_text(re.compile(text))
    point_at(page, "survival", 0.5, 0.9)
    expect(tip).to_contain_text(re.compile(r"epoch \d+\s+seeds with a finite loss \d"))


def test_losses_that_have_no_logarithm_are_drawn(open_page, compared, tmp_path):
    page = open_page(workflow=changed(compared, tmp_path, lambda _, one: one.assign(loss=one["loss"] - 0.3)))
    assert sum(height > 5 for height in heights(page, "loss")) >= 3
    found = labels(page, "loss")
    assert "0" in found
    assert any(label.startswith("−") for label in found), found


@pytest.mark.parametrize(("factor", "word"), [(1e18, "up to"), (1e-40, "down to")])
def test_one_extreme_variant_leaves_the_others_their_height_and_is_listed(open_page, compared, tmp_path, factor, word):
    before = max(heights(open_page(), "loss"))

    def change(name, history):
        return history.assign(loss=history["loss"] * (factor if name == "good-slow" else 1))

    page = open_page(workflow=changed(compared, tmp_path, change))
    assert max(heights(page, "loss")) > before / 2
    beyond = page.locator("figure", has=page.locator("[data-chart='loss']")).locator(".beyond")
    expect(beyond).to_contain_text(f"good-slow ({word} ")
    assert page.locator("[data-chart='loss'] .layer_6_marks path").count() == 1


def test_charts_draw_the_variants_that_the_page_says_are_shown(open_page):
    page = open_page()
    dispatch(page, "good", "compared")
    kept = {color_of(page, name) for name in ("good", "compared")}
    for chart in ("wrong", "loss", "logit"):
        expect(page.locator(f"[data-chart='{chart}'] {LINES}")).to_have_count(2)
        assert lines(page, chart) - {"var(--page)"} <= kept
    dispatch(page)
    expect(page.locator(f"[data-chart='loss'] {LINES}")).to_have_count(0)
    page.fill("#filter", "good-slow")
    expect(page.locator(f"[data-chart='loss'] {LINES}")).to_have_count(1)
    expect(page.locator("[data-chart='loss'] .layer_9_marks text")).to_have_text("good-slow")


def test_few_lines_carry_their_names_and_on_a_phone_there_is_a_legend(open_page, compared):
    names = open_page().locator("[data-chart='loss'] .layer_9_marks text").all_text_contents()
    assert set(names) == alive(compared)
    phone = open_page(viewport={"width": 360, "height": 740})
    assert set(phone.locator("#legend li").all_text_contents()) == set(compared.config["variants"])


def test_colour_by_a_setting_is_in_the_lines_the_legend_and_the_table(open_page, compared):
    page = open_page()
    assert color_of(page, "good") != color_of(page, "good-slow")
    page.select_option("#colour", "loss")
    expect(page.locator("#legend li", has_text="negative-log")).to_be_visible()
    assert set(page.locator("#legend li").all_text_contents()) == {"bce", "negative-log", "manual", "compared"}
    assert color_of(page, "good") == color_of(page, "good-slow") != color_of(page, "compared")
    expected = {color_of(page, name) for name in alive(compared)}
    wait_for(lambda: lines(page, "loss") == expected)


def test_scale_is_linear_at_a_click(open_page):
    page = open_page()
    before = labels(page, "wrong")
    button = page.get_by_role("button", name="Wrong training images: linear")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    wait_for(lambda: labels(page, "wrong") not in ([], before))
    steps = np.diff(sorted(float(label.replace(",", "")) for label in labels(page, "wrong")))
    assert len(set(steps)) == 1
    button.click()
    wait_for(lambda: labels(page, "wrong") == before)


def test_zoom_is_by_buttons_and_shift_with_the_wheel_and_can_be_reset(open_page):
    page = open_page()
    before = epochs(page, "loss")
    point_at(page, "loss", 0.5, 0.5)
    page.mouse.wheel(0, 5)
    page.wait_for_timeout(300)
    assert epochs(page, "loss") == before
    for step in (
        lambda: page.get_by_role("button", name="Training loss: closer").click(),
        lambda: (page.keyboard.down("Shift"), page.mouse.wheel(0, -300), page.keyboard.up("Shift")),
    ):
        point_at(page, "loss", 0.5, 0.5)
        step()
        wait_for(lambda: epochs(page, "loss") not in ([], before))
        page.get_by_role("button", name="Training loss: reset the zoom").click()
        wait_for(lambda: epochs(page, "loss") == before)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_each_chart_can_be_taken_away_as_svg_and_png(open_page, scheme):
    page = open_page(color_scheme=scheme)
    for figure in page.locator("figure", has=page.locator("[data-chart]")).all():
        name = figure.locator("[data-chart]").get_attribute("data-chart")
        page.wait_for_timeout(300)  # Chromium drops what is more than ten downloads in a short time
        for kind in ("svg", "png"):
            with page.expect_download() as download:
                figure.get_by_role("button", name=kind.upper()).click()
            assert download.value.suggested_filename == f"{name}.{kind}"
            content = download.value.path().read_bytes()
            if kind == "png":
                assert content.startswith(b"\x89PNG")
                assert len(content) > 3000
            else:
                assert content.startswith(b"<svg")
                assert b"var(--" not in content


def test_wrong_test_images_are_drawn_where_they_were_counted(open_page, compared, tmp_path):
    def change(_, history):
        counted = history["epoch"] % 5 == 0
        return history.assign(test_wrong=np.where(counted, 3, np.nan))

    page = open_page(workflow=changed(compared, tmp_path, change))
    # Of a model that broke at once the epoch that broke is drawn, too.
    assert page.locator(f"[data-chart='test'] {LINES}").count() == len(compared.config["variants"])
    point_at(page, "test", 0.5, 0.4)
    expect(page.locator("#tip")).to_contain_text("wrong test images 3")


def test_cross_stands_at_the_end_of_its_line(open_page):
    page = open_page()
    dispatch(page, "bad")
    expect(page.locator(f"[data-chart='logit'] {MARKS}")).not_to_have_count(0)
    expect(page.locator("#never")).to_have_text("Not finite from the start: bad.")
    for chart in ("logit", "loss"):  # a cross per seed
        expect(page.locator(f"[data-chart='{chart}'] .layer_5_marks path")).to_have_count(2)
    of_loss = page.locator("[data-chart='loss'] .layer_5_marks path").all()
    (height,) = {round(cross.bounding_box()["y"]) for cross in of_loss}
    top = page.locator("[data-chart='loss'] .role-frame .background").first.bounding_box()["y"]
    assert height - top < 15  # no loss of it was ever finite


@pytest.fixture(scope="module")
def fourteen(compared, tmp_path_factory):
    """A page of two losses with seven learning rates each."""
    losses = {"bce": "BCELoss", "square": "mean((yhat - y) ** 2)"}
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


def test_tap_reads_what_a_hover_does_and_a_finger_still_scrolls(open_page):
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
    before, address = page.evaluate("scrollY"), page.url
    gesture = {"x": 200, "y": box["y"] + 10, "yDistance": 300, "gestureSourceType": "touch"}
    page.context.new_cdp_session(page).send("Input.synthesizeScrollGesture", gesture)
    wait_for(lambda: page.evaluate("scrollY") < before - 100)
    assert page.url == address


def test_zoom_is_in_the_address_and_comes_back_with_it(open_page):
    page = open_page()
    before = epochs(page, "loss")
    page.get_by_role("button", name="Training loss: closer").click()
    wait_for(lambda: "zoom=loss" in page.url)
    zoomed = epochs(page, "loss")
    assert zoomed != before
    other = open_page(page.url[page.url.index("#") :])
    wait_for(lambda: epochs(other, "loss") == zoomed)
    assert epochs(other, "logit") == before
    other.get_by_role("button", name="Training loss: reset the zoom").click()
    wait_for(lambda: "zoom" not in other.url and epochs(other, "loss") == before)
    open_page("#view:zoom=loss%3Ax%2C1&zoom=logit")  # as someone has typed it
