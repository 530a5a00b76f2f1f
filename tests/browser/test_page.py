"""The report's sections in a real browser: what each shows, to whom, and in which size."""

import copy
import io
import re
import shutil

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import expect

from builders.browsing import HOSTILE, LINES, STABLE, compare_anew, lines, shown, write_page
from builders.reading import read_json
from common.files import write_json


def test_every_variant_is_there_with_verdict_card_and_plot(open_page, compared):
    page = open_page()
    assert set(shown(page)) == set(compared.config["variants"])
    for name in compared.config["variants"]:
        card = page.locator(f"[id='variant-{name}']")
        expect(card).to_be_visible()
        card.scroll_into_view_if_needed()
        page.wait_for_function(
            "name => document.getElementById(`variant-${name}`).querySelector('.plot').naturalWidth > 100", arg=name
        )
    row = page.locator("tr[data-variant='manual-raw']")
    expect(row).to_contain_text("diverged")
    assert row.locator("td[data-label='wrong test images']").inner_text().strip() == "–"
    expect(page.locator("[id='variant-manual-raw'] .autopsy")).to_contain_text("became −∞")


def test_card_shows_the_note_of_its_variant_as_text(open_page):
    page = open_page()
    assert page.locator(".own-note").all_text_contents() == [f"Is it slow? {HOSTILE}"]
    expect(page.locator("[id='variant-good-slow'] .own-note")).to_be_visible()


def test_card_tells_each_finding_and_explains_its_kind_on_demand(open_page, compared):
    page = open_page()
    for name in compared.config["variants"]:
        found = {
            finding["kind"]
            for one in read_json(compared / f"results/variants/{name}/metrics.json")["seeds"]
            for finding in one["findings"]
            if finding["kind"] != "diverged"
        }
        card = page.locator(f"[id='variant-{name}']")
        assert card.locator(".findings > li").count() == len(found)
        if card.locator(".facts").count():
            expect(card.locator(".facts .near")).to_have_count(0)
            told = card.locator(".facts > summary").inner_text()
            assert told == f"also noticed, no fault: {card.locator('.facts .findings > li').count()}"
            card.locator(".facts > summary").click()
        for kind in found:
            entry = card.locator(".findings > li", has=page.locator("strong", has_text=kind)).first
            expect(entry.locator("details p")).to_be_hidden()
            entry.locator("summary").click()
            expect(entry.locator("details p")).to_contain_text("What helps:")


@pytest.mark.parametrize(("count", "told"), [(12, "Training images."), (13, "The first 12 of these training images.")])
def test_card_says_when_it_shows_only_the_first_images_of_a_finding(open_page, compared, tmp_path, count, told):
    workflow = compared.copy(tmp_path / "named")
    path = workflow / "results/variants/compared/metrics.json"
    metrics = read_json(path)
    metrics["seeds"][0]["findings"][0] |= {"images": list(range(count)), "exact": None}
    write_json(path, metrics)
    write_page(workflow)
    entry = open_page(workflow=workflow).locator("[id='variant-compared'] .findings > li").first
    expect(entry.locator("> p.note")).to_contain_text(told)
    expect(entry.locator(".digit")).to_have_count(12)


def test_loss_is_drawn_as_a_strip_per_label_with_the_logits_of_its_variants(open_page, compared):
    page = open_page()
    strip = page.locator(".strip", has=page.locator("h4", has_text="manual"))
    assert strip.locator("rect.broken").count() >= 2
    assert strip.locator("rect.right").count() >= 2
    bce = page.locator(".strip", has=page.locator("h4", has_text="bce"))
    variants = [name for name, one in compared.config["variants"].items() if one["loss"] == "bce"]
    assert bce.locator(".reach p span").all_text_contents() == sorted(variants)
    expect(strip.locator(".axis")).to_contain_text("16.6")
    expect(strip.locator(".reach.diverged").first).to_contain_text("✕ diverged")
    expect(bce.locator("details p").first).to_be_hidden()
    bce.locator("summary").click()
    expect(bce.locator("details p").first).to_contain_text("towards its class")


def test_verdict_and_card_tell_the_cure_and_what_was_tried_in_vain(open_page, cured):
    page = open_page(workflow=cured)
    cure = f"Cure of seed 1: {STABLE}, the same function: 80 of 80 right."
    expect(page.locator(".cause", has_text="manual-raw diverged").locator(".cure")).to_have_text(cure)
    card = page.locator("[id='variant-manual-raw'] .cures")
    expect(card.locator("p").first).to_have_text(cure)
    assert card.locator("pre").all_text_contents()[0] == LINES
    assert card.locator("li details").count() == 2
    expect(card.locator("pre").nth(1)).to_be_hidden()
    card.locator("li summary").first.click()
    expect(card.locator("pre").nth(1)).to_be_visible()
    card.locator("summary", has_text="1 change that is no cure").click()
    expect(card.get_by_text("x / 255 (still diverged)")).to_be_visible()
    expect(page.locator("[id='variant-compared'] .cures")).to_contain_text("Nothing that was tried cures seed 1")
    expect(page.locator("[id='variant-compared'] .cures li")).to_have_count(9)
    expect(page.locator("[id='variant-compared'] .cures .general")).to_contain_text("What helps in general: ")
    expect(page.locator("[id='variant-bad'] .cures p")).to_have_count(1)  # nothing was tried
    expect(page.locator("[id='variant-bad'] .cures .general")).to_contain_text("What helps in general: ")
    expect(page.locator("[id='variant-manual-raw'] .general")).to_have_count(0)


@pytest.mark.parametrize("has_clipboard", [True, False])
def test_button_copies_the_lines(open_page, cured, has_clipboard):
    page = open_page(workflow=cured, permissions=["clipboard-read", "clipboard-write"])
    page.evaluate("window.clipboard = navigator.clipboard")
    page.evaluate("clipboard.writeText('something else')")
    if not has_clipboard:
        page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    button = page.get_by_role("button", name="Copy the lines for manual-raw", exact=True)
    button.click()
    status = page.locator("[id='variant-manual-raw'] .lines [role='status']").first
    expect(status).to_have_text("copied")
    # What a selection copies ends without the last line's end.
    assert page.evaluate("clipboard.readText()").rstrip("\n") == LINES.rstrip("\n")
    expect(status).to_have_text("")
    page.emulate_media(media="print")
    expect(button).to_be_hidden()


def test_cures_need_no_javascript_and_html_in_them_is_text(open_page, cured):
    page = open_page(workflow=cured, java_script_enabled=False)
    assert page.title() == "0 or 1: 5 variants compared"
    expect(page.locator(".cures pre").first).to_be_visible()
    expect(page.locator(".copy").first).to_be_hidden()
    expect(page.locator("[id='variant-manual-raw'] .cures summary code").first).to_have_text(HOSTILE)
    assert page.locator(".cures script, .cures b, .verdict b").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_cures_fit_a_phone_and_axe_finds_no_violation_in_them(open_page, cured, scheme):
    page = open_page(workflow=cured, color_scheme=scheme, viewport={"width": 360, "height": 740})
    page.evaluate("document.querySelectorAll('details').forEach(one => (one.open = true))")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    found = Axe().run(page, ".cures").response["violations"]
    assert [(one["id"], [node["target"] for node in one["nodes"]]) for one in found] == []


def test_loss_has_a_hint_at_its_better_form(open_page, cured):
    page = open_page(workflow=cured)
    assert page.locator(".strip .better").all_inner_texts() == [
        f"The same loss, typed safely: {STABLE}. It is never NaN, and it pulls back every wrong image."
    ]


def test_toggle_hides_a_variant_in_every_chart(open_page):
    page = open_page()
    color = page.locator("tr[data-variant='compared'] .swatch line").get_attribute("stroke")
    assert all(color in lines(page, chart) for chart in ("wrong", "loss", "logit"))
    page.uncheck("tr[data-variant='compared'] input")
    for chart in ("wrong", "loss", "logit"):
        page.wait_for_function(
            "([chart, color]) => ![...document.querySelectorAll(`[data-chart='${chart}'] .mark-line path`)]"
            ".some(path => path.getAttribute('stroke') === color)",
            arg=[chart, color],
        )
    page.check("tr[data-variant='compared'] input")
    page.wait_for_function(
        "color => [...document.querySelectorAll(`[data-chart='loss'] .mark-line path`)]"
        ".some(path => path.getAttribute('stroke') === color)",
        arg=color,
    )


def test_hover_reads_values_and_the_limit_is_drawn(open_page):
    page = open_page()
    chart = page.locator("[data-chart='logit']")
    expect(chart).to_contain_text("float32: ŷ is exactly 1")
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    for share in (0.5, 0.55):
        page.mouse.move(box["x"] + box["width"] * share, box["y"] + box["height"] * 0.5)
    tooltip = page.locator("#tip")
    expect(tooltip).to_contain_text("epoch")
    expect(tooltip).to_contain_text("largest logit")


def test_first_non_finite_epoch_is_marked(open_page):
    page = open_page()
    assert page.locator("[data-chart='loss'] .layer_5_marks path").count() >= 4


def test_phone_needs_no_sideways_scrolling(open_page):
    page = open_page(viewport={"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.locator("#table").evaluate("table => table.getBoundingClientRect().width") <= 360


def luminance(color: str) -> float:
    return sum(int(float(part)) for part in color.split("(")[1].rstrip(")").split(",")[:3])


def test_dark_mode_is_dark(open_page):
    for scheme, is_dark in (("dark", True), ("light", False)):
        page = open_page(color_scheme=scheme)
        assert (luminance(page.evaluate("getComputedStyle(document.body).backgroundColor")) < 200) is is_dark
        label = page.locator("[data-chart='loss'] .mark-text text").first.evaluate(
            "text => getComputedStyle(text).fill"
        )
        assert (luminance(label) > 380) is is_dark


def test_without_javascript_table_cards_and_pictures_are_there(open_page, compared):
    page = open_page(java_script_enabled=False)
    expect(page.locator("#table tbody tr")).to_have_count(5)
    expect(page.locator("th[data-key='final_loss']")).to_be_visible()
    expect(page.locator(".tallies")).to_be_visible()
    expect(page.locator(".cause")).to_have_count(3)
    expect(page.locator(".chip")).to_have_count(5)
    expect(page.locator("img.plot")).to_have_count(5)
    expect(page.locator("#filter")).to_be_hidden()
    expect(page.get_by_text("The curves need JavaScript")).to_be_visible()


def test_html_in_the_config_is_text(open_page):
    page = open_page()
    assert page.title() == "0 or 1: 5 variants compared"
    page.locator("summary", has_text="config.yaml, as it was").click()
    expect(page.locator("pre", has_text=HOSTILE).first).to_be_visible()
    expect(page.locator("[id='variant-compared'] dd code").first).to_contain_text("(yhat < y)")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_axe_finds_no_serious_violation(open_page, scheme, width):
    page = open_page(color_scheme=scheme, viewport={"width": width, "height": 800})
    found = Axe().run(page).response["violations"]
    serious = [
        (one["id"], [node["target"] for node in one["nodes"]][:3])
        for one in found
        if one["impact"] in ("serious", "critical")
    ]
    assert serious == []


def test_nothing_finished_and_one_variant_give_a_sound_page(open_page, compared, tmp_path):
    workflow = compared.copy(tmp_path / "one")
    workflow.config = copy.deepcopy(compared.config)
    workflow.config["variants"] = {"manual-raw": workflow.config["variants"]["manual-raw"]}
    workflow.write_config()
    compare_anew(workflow)
    write_page(workflow)
    page = open_page(workflow=workflow)
    expect(page.locator(".verdict")).to_contain_text("It does not train: its loss is not finite")
    assert page.locator("#pairs").count() == 0
    assert page.title() == "0 or 1: 1 variant compared"
    expect(page.locator("#same-weights ~ details > summary").first).to_have_text("2 models")


def test_two_hundred_variants_are_a_page_of_modest_size(open_page, compared, tmp_path):
    config = copy.deepcopy(compared.config)
    config["variants"] = {
        f"{name}-{number:03}": settings | {"lr": 0.001 * (number + 1)}
        for number in range(40)
        for name, settings in compared.config["variants"].items()
    }
    workflow = compared.copy(tmp_path / "many")
    workflow.config = config
    workflow.write_config()
    # Training 200 models would only make the test slow: each is a copy of one of the five.
    folder = workflow / "results/variants"
    for name in config["variants"]:
        shutil.copytree(folder / name[:-4], folder / name)
        metrics = read_json(folder / name / "metrics.json")
        write_json(folder / name / "metrics.json", metrics | {"variant": name})
        # As large as a plot of 12,665 images.
        shutil.copy(folder / "good/yhat.png", folder / name / "yhat.png")
    compare_anew(workflow)
    write_page(workflow)
    assert (workflow / "results/report.html").stat().st_size < 25e6
    page = open_page(workflow=workflow)
    assert len(shown(page)) == 200
    expect(page.locator("article.card")).to_have_count(200)
    assert page.locator(".card > details[open]").count() == 0
    expect(page.locator("#same-weights + p")).to_contain_text("Of the first 40 of 160 models")


def test_each_digit_is_held_once_and_shown_wherever_it_is_named(open_page, compared):
    page = open_page()
    page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))")
    named = page.locator(".digit use").evaluate_all("all => all.map((use) => use.getAttribute('href').slice(1))")
    held = page.locator("symbol").evaluate_all("all => all.map((one) => one.id)")
    assert len(named) > len(set(named)) == len(held) > 1
    assert set(named) == set(held)
    html = (compared / "results/report.html").read_text()
    assert html.count('"data:image/png') == len(held) + len(compared.config["variants"])
    labels = page.locator(".digit svg").evaluate_all("all => all.map((one) => one.ariaLabel)")
    assert all(re.fullmatch(r"image \d+, an? \S.*", label) for label in labels)
    digit = page.locator(".digit svg").first
    digit.scroll_into_view_if_needed()
    with Image.open(io.BytesIO(digit.screenshot())) as seen:
        shades = np.asarray(seen.convert("L"))[4:-4, 4:-4]  # without its frame
    assert np.ptp(shades) > 100  # ink on paper


def pages(page) -> int:
    """Of the page on A4 paper."""
    return len(re.findall(rb"/Type\s*/Page\b", page.pdf(format="A4", print_background=True)))


def test_print_is_short_and_no_column_is_cut(open_page, cured):
    page = open_page(workflow=cured)
    # Each picture is there, though nobody scrolled to it.
    page.wait_for_function("[...document.images].every((one) => one.complete && one.naturalWidth > 0)")
    assert pages(page) <= 6
    page.set_viewport_size({"width": 703, "height": 1000})
    page.emulate_media(media="print")
    assert page.evaluate("document.documentElement.scrollWidth") <= 703
