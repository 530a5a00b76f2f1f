"""The bar of the report in a real browser: the filter, what it drives, and what it says of what it cannot find."""

import re

import pytest
from playwright.sync_api import expect

from builders.browsing import shown

FILTERS = {
    "GOOD slow": {"good-slow"},
    "no such thing": set(),
    "lr=0.001": {"good-slow"},
    "lr<0.05": {"good-slow"},
    "lr>0.001 loss=bce": {"good"},
    "loss!=bce": {"bad", "manual-raw", "compared"},
    "verdict=diverged loss!=manual": {"bad"},
    "test_wrong<1 loss=bce": {"good"},
    "finding=diverged normalization=raw": {"manual-raw"},
    'hidden="8" loss=manual': {"manual-raw"},
}


@pytest.mark.parametrize("text", FILTERS)
def test_one_filter_drives_table_grid_cards_and_charts(open_page, text):
    page = open_page()
    page.evaluate("addEventListener('shown', event => (window.told = event.detail.variants), true)")
    page.fill("#filter", text)
    assert set(shown(page)) == FILTERS[text]
    assert set(page.evaluate("told")) == FILTERS[text]
    names = "all => all.map(one => one.dataset.variant)"
    assert set(page.eval_on_selector_all(".chip:not(.out)", names)) == FILTERS[text]
    assert set(page.eval_on_selector_all(".card:not([hidden])", names)) == FILTERS[text]
    expect(page.locator("#shown")).to_have_text(f"{len(FILTERS[text])} of 5 shown")
    page.click("#all")
    assert len(shown(page)) == 5


def test_only_this_and_none_leave_one_and_none(open_page):
    page = open_page()
    page.locator("tr[data-variant='good'] .alone").click()
    expect(page.locator(".card:visible")).to_have_count(1)
    assert open_page(page.evaluate("location.hash")).locator(".card:visible").count() == 1
    page.click("#none")
    expect(page.locator(".card:visible")).to_have_count(0)
    page.click("#all")
    expect(page.locator(".card:visible")).to_have_count(5)


def test_word_before_a_sign_that_is_no_key_is_told_where_nothing_is_left(open_page):
    page = open_page()
    page.fill("#filter", "learning_rate=0.05")
    expect(page.locator("#shown")).to_have_text("0 of 5 shown; “learning_rate” is no key")
    page.fill("#filter", "verdit=good")
    expect(page.locator("#shown")).to_have_text("0 of 5 shown; “verdit” is no key; verdict?")
    page.fill("#filter", "lr=0.05")
    expect(page.locator("#shown")).not_to_contain_text("key")


def test_tile_filters_for_its_verdict_and_a_second_click_takes_it_back(open_page):
    page = open_page()
    page.get_by_role("button", name="diverged its loss became NaN").click()
    assert set(shown(page)) == FILTERS["verdict=diverged loss!=manual"] | {"manual-raw"}
    assert page.input_value("#filter") == "verdict=diverged"
    page.locator(".tallies button", has_text="good").click()
    assert page.input_value("#filter") == "verdict=good"
    page.locator(".tallies button[aria-pressed='true']").press("Enter")
    assert page.input_value("#filter") == ""
    assert page.locator(".tallies .zero button").count() == 0
    without = open_page(java_script_enabled=False)
    assert without.locator(".tallies button").count() == 0


def test_causes_follow_the_filter(open_page):
    page = open_page()
    expect(page.locator(".cause:visible")).to_have_count(3)
    page.fill("#filter", "manual-raw")
    expect(page.locator(".cause:visible")).to_have_count(1)
    expect(page.locator(".cause:visible summary")).to_contain_text("manual-raw diverged")
    page.fill("#filter", "verdict=good")
    expect(page.locator(".why")).to_be_hidden()
    page.click("#all")
    expect(page.locator(".cause:visible")).to_have_count(3)


MISSPELT = {
    "loss=bec": "no loss is called bec; bce?",
    "loss=comp": "no loss is called comp; compared?",
    "lr=0.3": "no lr is 0.3; 0.05, 0.001?",
    "verdict=fails": "no verdict is called fails; good, diverged, faulty?",
    "finding=divergd": "no finding is called divergd; diverged?",
}


@pytest.mark.parametrize("text", MISSPELT)
def test_value_that_no_variant_has_is_named_with_what_may_be_meant(open_page, text):
    page = open_page()
    page.fill("#filter", f"{text} o")
    told = page.locator("#shown").inner_text()
    start, _, better = MISSPELT[text].rpartition("; ")
    assert told.startswith(f"0 of 5 shown; {start}; ")
    assert sorted(re.split(r"; |, ", told.rstrip("?"))[2:]) == sorted(better.rstrip("?").split(", "))
    first = page.locator("#shown button").first
    name = first.inner_text().rstrip("?")
    first.click()
    assert page.input_value("#filter") == f"{text.split('=')[0]}={name} o"
    assert "called" not in page.locator("#shown").inner_text()


@pytest.mark.parametrize("width", [1280, 390])
def test_bar_covers_nothing_that_is_jumped_to_and_its_placeholder_fits(open_page, width):
    page = open_page(viewport={"width": width, "height": 844})
    for selector in ("#colour", "#effect-of", "#curves"):
        place = page.locator(selector)
        place.evaluate("one => one.scrollIntoView()")
        bar = page.locator(".bar").bounding_box()
        assert bar["y"] == 0
        assert bar["height"] < 120
        assert place.bounding_box()["y"] >= bar["height"]
    fits = """one => {
        const style = getComputedStyle(one);
        const context = document.createElement("canvas").getContext("2d");
        context.font = style.font;
        const room = one.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
        return context.measureText(one.placeholder).width <= room;
    }"""
    assert page.locator("#filter").evaluate(fits)
