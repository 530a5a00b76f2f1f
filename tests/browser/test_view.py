"""The view of the report in a real browser: sorting, filtering, pinning, the address, the words."""

import csv

import pytest
from msgspec.structs import replace
from playwright.sync_api import expect

from builders.browsing import shown, write_page
from builders.reading import read_json
from common.files import write_json
from comparing.significance import significance
from records.metrics import Metrics, Outcome
from records.strict import as_json, read_record


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


def test_word_that_is_explained_pins_nothing(open_page):
    page = open_page()
    page.locator("#table .kinds .term").first.click()
    expect(page.locator("[popover]:popover-open")).to_be_visible()
    expect(page.locator("#table .pin[aria-pressed='true']")).to_have_count(0)


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


def answers(compared, names: list[str]) -> dict[str, list[set[int]]]:
    """The wrong test images of each seed."""
    wrong = read_json(compared / "results/comparison/wrong.json")
    return {name: [set(of_seed) for of_seed in wrong[name]["test"].values()] for name in names}


def test_only_the_images_that_one_of_the_pinned_gets_right_are_shown(open_page, compared):
    names = ["good", "good-slow"]
    page = open_page(f"#view:pin={names[0]}&pin={names[1]}")
    good, slow = (set.union(*seeds) for seeds in answers(compared, names).values())
    counts = [len(only) for only in (slow - good, good - slow) if only]
    heads = page.locator("#compare .only h3").all_inner_texts()
    assert [int(head.split(": ")[1].split()[0]) for head in heads] == counts
    assert page.locator("#compare .digit").count() == sum(min(count, 24) for count in counts)


def answering(model: Outcome, wrong: list[int]) -> Outcome:
    right = model.test_n - len(wrong)
    return replace(model, verdict="good", test_correct=right, test_accuracy=right / model.test_n)


def with_answers(workflow, invented: dict[str, list[list[int]]]) -> dict[tuple[str, str], tuple[float, float]]:
    """A page of other wrong test images, per variant and seed, of models that are good; of every two of these variants
    the p, and that after Holm's correction."""
    path = workflow / "results/comparison/wrong.json"
    wrong = read_json(path)
    for name, images in invented.items():
        wrong[name]["test"] = dict(zip(wrong[name]["test"], images, strict=True))
    write_json(path, wrong)
    metrics = []
    for name in workflow.config["variants"]:
        file = workflow / f"results/variants/{name}/metrics.json"
        entry = read_record(file, Metrics)
        if name in invented:
            entry = replace(entry, seeds=[answering(*of) for of in zip(entry.seeds, invented[name], strict=True)])
            write_json(file, as_json(entry))
        metrics.append(entry)
    found = significance(metrics, wrong)
    write_json(path.with_name("significance.json"), as_json(found))
    write_page(workflow)
    rows = zip(found.compared, found.p_values, found.corrected, strict=True)
    one_way = {(a, b): p for a, *both in rows for b, *p in zip(found.compared, *both, strict=False)}
    return one_way | {(b, a): p for (a, b), p in one_way.items()}


def differences(page) -> list[str]:
    return page.locator("#compare tr", has_text="the difference in them").locator("td").all_inner_texts()


def test_pinned_variants_are_compared_by_the_p_that_was_computed(open_page, compared, tmp_path):
    workflow = compared.copy(tmp_path / "invented")
    # The last has more wrong images, and not more than luck would give.
    slow = [list(range(9)), list(range(9, 18))]
    invented = {"good": [[0], [0]], "good-slow": slow, "compared": [[1, 2, 3], [0, 5]]}
    p = with_answers(workflow, invented)
    page = open_page("#view:" + "&".join(f"pin={name}" for name in invented), workflow=workflow)
    found = differences(page)
    assert found[0] == "baseline"
    assert p["good", "good-slow"][1] < 0.05 < p["good", "compared"][0] < 1
    for text, name, what in zip(
        found[1:], ["good-slow", "compared"], ["significantly worse", "may well be luck"], strict=True
    ):
        one, corrected = (f"{value:.3g}" for value in p["good", name])
        assert text == f"{what}, p = {one}, {corrected} with all 3 pairs counted"
    significant = "Significant means p < 0.05 with all 3 pairs of different variants counted, Holm's correction; else"
    expect(page.locator("#compare > .note")).to_contain_text(f"against good. {significant}")
    expect(page.locator(".best")).to_contain_text(
        "Of the 3 ranked variants, good has the best test accuracy, 19.0 of 20 test images right on average. Not"
        " significantly worse: compared. Significantly worse: good-slow."
    )
    page = open_page("#view:pin=good-slow&pin=good", workflow=workflow)
    assert differences(page)[1].startswith("significantly better, p = ")
    expect(page.locator("#compare > .note")).to_contain_text(significant)  # however few are pinned


def test_variant_that_is_not_among_those_compared_says_so(open_page, compared, tmp_path, monkeypatch):
    for module in ("ranking", "significance"):
        monkeypatch.setattr(f"comparing.{module}.MOST_COMPARED", 2)
    workflow = compared.copy(tmp_path / "many")
    with_answers(workflow, {"good": [[0], [0]], "good-slow": [[0, 1], [0]], "compared": [[1, 2, 3], [0, 5]]})
    page = open_page("#view:pin=good&pin=good-slow&pin=compared", workflow=workflow)
    assert differences(page) == [
        "baseline",
        "may well be luck, p = 1, 1 with all 3 pairs counted",
        "p is computed for the 2 best only",
    ]


def test_variant_without_an_answer_has_no_p(open_page):
    page = open_page("#view:pin=good&pin=bad")
    assert differences(page) == ["baseline", "not ranked"]
    page.locator("#compare").get_by_text("A variant is not ranked if a model failed, gives no answer").wait_for()
    expect(page.locator("#compare .only")).to_have_text(
        "A seed of bad gives no answer, so that their images are not compared."
    )
    page.get_by_role("button", name="draw and list only these").click()
    assert page.eval_on_selector_all(".card:not([hidden])", "all => all.map(one => one.dataset.variant)") == [
        "good",
        "bad",
    ]


def test_first_pinned_variant_is_the_baseline_of_the_table(open_page):
    page = open_page("#view:pin=good-slow")
    cells = {
        name: page.locator(f"tr[data-variant='{name}'] td[data-label='wrong test images']")
        for name in ("good", "good-slow", "bad")
    }
    wrong = {name: float(cell.get_attribute("data-value") or "nan") for name, cell in cells.items()}
    difference = wrong["good"] - wrong["good-slow"]
    sign = "+" if difference > 0 else "−" if difference < 0 else "±"
    expect(cells["good"].locator(".difference")).to_have_text(f"{sign}{abs(difference):g} to the baseline")
    expect(cells["good-slow"].locator(".difference")).to_have_text("baseline")
    expect(cells["bad"].locator(".difference")).to_have_count(0)
    page.get_by_role("button", name="pin good-slow", exact=True).click()
    expect(page.locator(".difference")).to_have_count(0)


def test_colour_setting_and_scale_are_in_the_link(open_page):
    page = open_page()
    page.select_option("#colour", "lr")
    page.select_option("#effect-of", "normalization")
    page.get_by_role("button", name="Training loss: linear").click()
    page.wait_for_function("location.hash.includes('linear')")
    other = open_page(page.evaluate("location.hash"))
    assert (other.input_value("#colour"), other.input_value("#effect-of")) == ("lr", "normalization")
    expect(other.locator("#legend li").first).to_contain_text("0.0")
    assert lines_are_linear(other) and not lines_are_linear(open_page())
    other.evaluate("location.hash = 'view:'")
    expect(other.get_by_role("button", name="Training loss: linear")).to_have_attribute("aria-pressed", "false")


def lines_are_linear(page) -> bool:
    """Whether the ticks of the loss lie at equal steps."""
    texts = page.locator("[data-chart='loss'] [aria-roledescription=axis]").last.locator("text").all_text_contents()
    return "0" in texts


def test_word_before_a_sign_that_is_no_key_is_told_where_nothing_is_left(open_page):
    page = open_page()
    page.fill("#filter", "learning_rate=0.05")
    expect(page.locator("#shown")).to_have_text("0 of 5 shown; “learning_rate” is no key")
    page.fill("#filter", "lr=0.05")
    expect(page.locator("#shown")).not_to_contain_text("key")


def test_term_is_explained_where_it_stands(open_page):
    page = open_page()
    page.locator(".how summary").click()
    page.get_by_role("button", name="paired test").click()
    expect(page.locator("[popover]:popover-open")).to_contain_text("p is the share of all ways")
    page.keyboard.press("Escape")
    kind = page.locator("td .kinds .term").first
    kind.focus()
    page.keyboard.press("Enter")
    expect(page.locator("[popover]:popover-open")).to_contain_text(f"{kind.inner_text()}: ")


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
    assert "& 1 (0 to 2) & 0 & -- &" in taken["LaTeX"]


def test_view_is_in_the_link_and_can_be_shared(open_page):
    page = open_page()
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


def test_old_link_that_hid_columns_still_opens_its_view(open_page):
    page = open_page("#view:sort=test&dir=descending&filter=loss%3Dbce&fold=set-loss&fold=seconds&pin=good")
    assert page.locator("th[data-key='test']").get_attribute("aria-sort") == "descending"
    assert page.input_value("#filter") == "loss=bce"
    assert set(shown(page)) == {"good", "good-slow"}
    expect(page.locator("tr[data-variant='good'] .pin")).to_have_text("unpin")
    expect(page.locator("th[data-key='set-loss']")).to_be_visible()


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
