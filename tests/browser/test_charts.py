"""The page's charts in a real browser: what they draw, what the pointer reads, what can be taken away."""

import re

import numpy as np
import pytest
from playwright.sync_api import expect

from builders.browsing import PATIENCE, lines
from builders.charting import LINES, MARKS, alive, changed, color_of, dispatch, epochs, heights, labels, point_at
from builders.waiting import wait_for


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
