"""The report in a real browser: headless Chromium, the page opened from disk."""

import copy
import csv
import json
import math
import os
import re
import shutil
import time
from pathlib import Path

import diagnose
import pytest
import report
from axe_playwright_python.sync_playwright import Axe
from conftest import ROOT, Workflow, small_config
from playwright.sync_api import expect, sync_playwright
from test_cures import trial

from common.files import read_json, write_json
from diagnosis.records import Rewrite, as_json
from experiment.config import Experiment, check
from experiment.effective import effective as as_config
from reporting import losses

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
HOSTILE = "<script>document.title='taken'</script> & <b>bold</b>"

pytestmark = pytest.mark.skipif(
    not Path(CHROMIUM).exists(), reason="there is no Chromium at $CHROMIUM or /usr/bin/chromium"
)


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def compared(tmp_path_factory, small_mnist) -> Workflow:
    """Variants that finish, that partly diverge and that diverge, from a config.yaml with HTML in it."""
    config = small_config(small_mnist)
    config["defaults"] |= {"epochs": 30, "lr": 0.05, "hidden": [8]}
    config["losses"] |= {
        "manual": "-mean(y * log(yhat) + (1 - y) * log(1 - yhat))",
        "compared": "mean((yhat < y) * (y - yhat) + (yhat > y) * (yhat - y))",
    }
    config["normalizations"]["raw"] = "x"
    config["variants"] |= {
        "good-slow": {"loss": "bce", "normalization": "unit", "lr": 0.001, "note": f"Is it slow? {HOSTILE}"},
        "manual-raw": {"loss": "manual", "normalization": "raw"},
        "compared": {"loss": "compared", "normalization": "unit"},
    }
    workflow = Workflow(tmp_path_factory.mktemp("compared"), config)
    path = workflow / "config.yaml"
    path.write_text(f"# {HOSTILE}\n{path.read_text()}")
    workflow.ok("--cores", "4")
    return workflow


DIAGNOSIS = {
    "losses": "losses.json",
    "kinds": "kinds.json",
    "same_weights": "same_weights.csv",
    "survival": "survival.csv",
    "rewrites": "rewrites.json",
    "pairs": "pairs.json",
    "wrong": "wrong.json",
    "pictures": "pictures.npz",
}


def effective(experiment: Experiment, *keys: str) -> dict:
    """As a rule hands it to its script."""
    return json.loads(json.dumps({key: getattr(experiment, key) for key in keys}))


def write_page(workflow: Workflow) -> None:
    """The report, from what lies in the folder."""
    results, experiment = workflow / "results", check(workflow.config)
    of_each = {"metrics": "metrics.json", "histories": "history.csv", "predictions": "predictions.npz"}
    of_each |= {"plots": "yhat.png"}
    report.main(
        {kind: [results / "variants" / name / file for name in experiment.variants] for kind, file in of_each.items()}
        | {kind: results / "diagnosis" / file for kind, file in DIAGNOSIS.items()}
        | {"source": results / "data/source.json", "vega": results / "vega.js"},
        effective(experiment, "data", "defaults", "variants", "notes"),
        as_config(experiment),
        str(workflow / "config.yaml"),
        {"summary": results / "summary.csv", "page": results / "report.html", "config": results / "config.yaml"},
    )


STABLE = "mean(softplus((1 - 2 * y) * logits))"
LINES = f"""\
losses:
  stable: {STABLE}
variants:
  manual-raw-stable: {{loss: stable, normalization: raw}}
"""


@pytest.fixture(scope="module")
def cured(compared, tmp_path_factory) -> Workflow:
    """The same run with invented trials: several cures, a single one, none at all, nothing tried."""
    workflow = compared.copy(tmp_path_factory.mktemp("cured") / "run")
    all_settings = LINES.replace("raw}", "raw, hidden: [8], activation: ReLU, optimizer: Adam, lr: 0.05, epochs: 30}")
    others = [
        trial(f"`{HOSTILE}` {number}", p_value=0.25, snippet=f"variants:\n  {'long' * 25}: {{lr: 0.1}}")
        for number in (1, 2)
    ]
    trials = {
        "manual-raw": (
            [trial(f"`{STABLE}`, the same function", same_function=True, snippet=all_settings), *others],
            [trial("`x / 255`", verdict="fails", finding="diverged")],
        ),
        "good-slow": ([trial("`lr: 1`", snippet="variants:\n  fast: {lr: 1.0}")], []),
        "compared": ([], [trial(f"{HOSTILE} {number}", verdict="faulty") for number in range(9)]),
    }
    for name in workflow.config["variants"]:
        path = workflow / f"results/variants/{name}/metrics.json"
        metrics = read_json(path)
        for one in metrics["seeds"]:
            one |= {"cures": [], "tried": []}
        cures, tried = trials.get(name, ([], []))
        metrics["seeds"][0] |= {"cures": as_json(cures), "tried": as_json(tried)}
        write_json(path, metrics)
    rewrite = Rewrite(formula=STABLE, constants={}, lost=0.4, lost_before=9.1, dead=0, dead_before=120, wrong=200)
    write_json(workflow / "results/diagnosis/rewrites.json", as_json({"manual": rewrite}))
    write_page(workflow)
    return workflow


@pytest.fixture
def open_page(browser, compared, request):
    """Opens the report; afterwards nothing may have been requested, and nothing complained."""
    complaints = []
    contexts = []

    def open_it(fragment="", workflow=compared, **options):
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}} | options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda one: one.url.startswith(("file:", "data:")) or complaints.append(one.url))
        page.goto(f"file://{workflow / 'results/report.html'}{fragment}")
        if options.get("java_script_enabled", True):
            page.wait_for_selector("html[data-drawn]")
        return page

    yield open_it
    for context in contexts:
        context.close()
    assert complaints == []


def shown(page) -> list[str]:
    return page.eval_on_selector_all(
        "#table tbody tr", "rows => rows.filter(r => !r.hidden).map(r => r.dataset.variant)"
    )


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


def test_answer_counts_names_the_best_and_tells_each_cause_once(open_page):
    page = open_page()
    assert page.locator(".tallies strong").all_inner_texts() == ["2", "1", "0", "2"]
    text = page.locator(".verdict").inner_text()
    assert "best test accuracy" in text
    assert "Always guessing 1 gets 10" in text
    causes = page.locator(".cause summary").all_inner_texts()
    assert len(causes) == 3
    assert any(
        one.startswith("manual-raw diverged: log(1 - yhat) is −∞ past logit 16.64; first at epoch") for one in causes
    )
    assert page.locator("[id='answer']").bounding_box()["y"] < 900


def test_cell_of_the_grid_says_more_on_focus_and_leads_to_the_card(open_page):
    page = open_page()
    chip = page.locator(".chip[data-variant='manual-raw']")
    expect(chip.locator("strong")).to_contain_text("NaN @")
    chip.focus()
    expect(page.locator(".readout")).to_contain_text("manual-raw: diverged at epoch")
    page.locator(".chip[data-variant='good-slow']").hover()
    expect(page.locator(".readout")).to_contain_text("of 20 test images wrong, mean ± sd over seeds ±")
    page.locator("[id='variant-manual-raw'] > details").evaluate("one => (one.open = false)")
    page.focus(".chip[data-variant='manual-raw']")
    page.keyboard.press("Enter")
    expect(page.locator("[id='variant-manual-raw'] .autopsy")).to_be_in_viewport()


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
        for kind in found:
            entry = card.locator(".findings > li", has=page.locator("strong", has_text=kind)).first
            expect(entry.locator("details p")).to_be_hidden()
            entry.locator("summary").click()
            expect(entry.locator("details p")).to_contain_text("What helps:")


def test_loss_is_drawn_as_a_strip_per_label_with_the_logits_of_its_variants(open_page, compared):
    page = open_page()
    strip = page.locator(".strip", has=page.locator("h4", has_text="manual"))
    assert strip.locator("rect.broken").count() >= 2
    assert strip.locator("rect.right").count() >= 2
    bce = page.locator(".strip", has=page.locator("h4", has_text="bce"))
    variants = [name for name, one in compared.config["variants"].items() if one["loss"] == "bce"]
    assert bce.locator("line title").all_text_contents() == sorted(variants)
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
    card.locator("summary", has_text="1 change that did not help").click()
    expect(card.get_by_text("x / 255 (still diverged)")).to_be_visible()
    expect(page.locator("[id='variant-compared'] .cures")).to_contain_text("Nothing that was tried cures seed 1")
    expect(page.locator("[id='variant-compared'] .cures li")).to_have_count(9)
    expect(page.locator("[id='variant-bad'] .cures")).to_have_count(0)


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
        f"Better typed as {STABLE}: the same function; on average float32 loses 0.4 of its 24 bits instead of 9.1, and"
        " wrong images are pulled back at 200 of 200 logits instead of 80."
    ]


def test_sorting_keeps_the_diverged_last_in_both_directions(open_page):
    page = open_page()
    button = page.locator("th[data-key='test_wrong'] button")
    values = []
    for direction in ("ascending", "descending"):
        button.click()
        assert page.locator("th[data-key='test_wrong']").get_attribute("aria-sort") == direction
        order = page.eval_on_selector_all(
            "#table tbody tr",
            """rows => rows.map(r => [r.classList.contains('diverged'),
                r.querySelector("td[data-label='wrong test images']").dataset.value])""",
        )
        assert [dead for dead, _ in order] == sorted(dead for dead, _ in order)
        assert any(dead for dead, _ in order)
        values.append([float(value) for dead, value in order if not dead])
    assert values[0] == sorted(values[0]) == values[1][::-1]


def test_table_begins_with_the_best_and_the_first_click_on_accuracy_puts_it_on_top(open_page):
    page = open_page()
    expect(page.locator("th[data-key='test']")).to_be_hidden()
    page.locator("#more").click()
    assert "★" in page.locator("#table tbody tr").first.inner_text()
    best = shown(page)[0]
    page.locator("th[data-key='test'] button").click()
    assert page.locator("th[data-key='test']").get_attribute("aria-sort") == "descending"
    assert shown(page)[0] == best


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


def test_pinned_variants_are_on_top_and_side_by_side(open_page):
    page = open_page()
    expect(page.locator("#compare")).to_be_hidden()
    for name in ("manual-raw", "good-slow"):
        page.get_by_role("button", name=f"pin {name}", exact=True).click()
    assert set(shown(page)[:2]) == {"manual-raw", "good-slow"}
    bold = page.locator("#compare tr", has=page.locator("b")).locator("th").all_inner_texts()
    assert {"loss", "normalization", "lr", "verdict"} <= set(bold)
    assert "hidden" not in bold
    other = open_page(page.evaluate("location.hash"))
    expect(other.locator("#compare")).to_contain_text("good-slow")


def test_only_the_images_that_one_of_the_pinned_gets_right_are_shown(open_page, compared):
    page = open_page()
    for name in ("good", "good-slow"):
        page.get_by_role("button", name=f"pin {name}", exact=True).click()
    wrong = read_json(compared / "results/diagnosis/wrong.json")
    good, slow = (set(wrong[name]["test"]["1"]) for name in ("good", "good-slow"))
    heads = page.locator("#compare .only h3").all_inner_texts()
    assert [int(head.split(": ")[1].split()[0]) for head in heads] == [len(slow - good), len(good - slow)]
    assert page.locator("#compare .digit").count() == len(slow ^ good)


def test_view_stays_in_the_address_after_a_click_on_a_variant(open_page):
    page = open_page()
    page.fill("#filter", "loss=bce")
    page.locator("#table a", has_text="good-slow").click()
    other = open_page(page.evaluate("location.hash"))
    assert other.input_value("#filter") == "loss=bce"
    assert set(shown(other)) == {"good", "good-slow"}
    expect(other.locator("[id='variant-good-slow'] summary").first).to_be_in_viewport()


def test_table_is_copied_as_csv_markdown_and_latex(open_page):
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    page.fill("#filter", "lr=0.001")
    taken = {}
    for name in ("CSV", "Markdown", "LaTeX"):
        page.get_by_role("button", name=name, exact=True).click()
        expect(page.locator("#taken")).to_have_text("copied")
        taken[name] = page.evaluate("navigator.clipboard.readText()")
    head, row = csv.reader(taken["CSV"].splitlines())
    assert head[:2] == ["variant", "loss"]
    assert row[:2] == ["good-slow", "bce"]
    assert len(head) == len(row)
    assert taken["Markdown"].splitlines()[2].startswith("| good-slow | bce |")
    assert r"good-slow & bce" in taken["LaTeX"]
    assert r"$\pm$" in taken["LaTeX"]


def test_view_is_in_the_link_and_can_be_shared(open_page):
    page = open_page()
    page.click("#more")
    page.locator("th[data-key='seconds'] button").click()
    page.locator("th[data-key='seconds'] button").click()
    page.fill("#filter", "o")
    page.uncheck("tr[data-variant='compared'] input")
    order, fragment = shown(page), page.evaluate("location.hash")
    other = open_page(fragment)
    assert shown(other) == order
    assert other.input_value("#filter") == "o"
    assert not other.is_checked("tr[data-variant='compared'] input")
    assert other.locator("th[data-key='seconds']").get_attribute("aria-sort") == "descending"


def lines(page, chart: str) -> set[str]:
    """The colours of the lines that a chart draws."""
    return set(
        page.eval_on_selector_all(
            f"[data-chart='{chart}'] .mark-line path", "paths => paths.map(path => path.getAttribute('stroke'))"
        )
    )


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


def test_table_works_by_keyboard(open_page):
    page = open_page()
    page.focus("th[data-key='test_wrong'] button")
    page.keyboard.press("Enter")
    assert page.locator("th[data-key='test_wrong']").get_attribute("aria-sort") == "ascending"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('th').dataset.key") == "train_wrong"
    page.focus("tr[data-variant='good'] input")
    page.keyboard.press("Space")
    assert not page.is_checked("tr[data-variant='good'] input")


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
    page.locator("summary", has_text="config.yaml, as it stands").click()
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
    workflow.ok("--cores", "2")
    page = open_page(workflow=workflow)
    expect(page.locator(".verdict")).to_contain_text("No variant survived")
    assert page.locator("#pairs").count() == 0
    assert page.title() == "0 or 1: 1 variant compared"


SOURCES = [path for path in (ROOT / "workflow/report").rglob("*") if path.suffix in (".j2", ".js", ".css")]


def test_library_has_no_address_that_is_fetched():
    texts = {path.name: path.read_text() for path in SOURCES}
    assert "default-src 'none'" in texts["report.html.j2"]
    assert [name for name, text in texts.items() if 'src="http' in text] == []


def test_no_line_of_the_page_s_sources_is_too_long():
    lines = [(path.name, number, line) for path in SOURCES for number, line in enumerate(path.open(), start=1)]
    assert [(name, number) for name, number, line in lines if len(line.rstrip("\n")) > 120] == []


def test_names_that_look_like_no_value_are_names(tmp_path):
    table = tmp_path / "table.csv"
    table.write_text("variant,seed,loss,value,gradient_norm\nnull,1,nan,inf,nan\nnull,1,1,0.5,1.0\n")
    assert losses.same_weights(report.read_table(table)) == [
        {"variant": "null", "seed": 1, "losses": {"nan": math.inf, "1": 0.5}}
    ]


def test_two_hundred_variants_are_a_page_of_modest_size_in_little_time(open_page, compared, tmp_path):
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
    experiment = check(config)
    data, diagnosis = workflow / "results/data", workflow / "results/diagnosis"
    diagnose.main(
        effective(experiment, "defaults", "losses", "variants"),
        folder,
        data / "normalized",
        data / "digits.pt",
        {kind: diagnosis / file for kind, file in DIAGNOSIS.items()},
    )
    start = time.monotonic()
    write_page(workflow)
    assert time.monotonic() - start < 30
    assert (workflow / "results/report.html").stat().st_size < 25e6
    page = open_page(workflow=workflow)
    assert len(shown(page)) == 200
    expect(page.locator("article.card")).to_have_count(200)
    assert page.locator(".card > details[open]").count() == 0
    seconds = {}
    for name, code in FAST.items():
        seconds[name] = min(page.evaluate(TIMED.format(code=code)) for _ in range(8)) / 1000
    assert {name: one for name, one in seconds.items() if one > 0.1} == {}


FAST = {
    "filter": "filter.value = filter.value ? '' : 'lr<0.02'; filter.dispatchEvent(new Event('input'))",
    "sort": "document.querySelector('th[data-key=test_wrong] button').click()",
}
TIMED = """() => {{
    const start = performance.now();
    {code};
    document.body.getBoundingClientRect();
    return performance.now() - start;
}}"""


def pages(page) -> int:
    """Of the page on A4 paper."""
    return len(re.findall(rb"/Type\s*/Page\b", page.pdf(format="A4", print_background=True)))


def test_print_is_short_and_no_column_is_cut(open_page, cured):
    page = open_page(workflow=cured)
    assert pages(page) <= 6
    page.set_viewport_size({"width": 703, "height": 1000})
    page.emulate_media(media="print")
    assert page.evaluate("document.documentElement.scrollWidth") <= 703
