"""The table of the report in a real browser: sorting, copying, its rows; the address, the words, the keyboard."""

import io

import pandas as pd
import pytest
from playwright.sync_api import expect

from builders.browsing import shown, write_page
from builders.reading import read_json
from common.files import write_json


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


def test_what_all_rows_have_is_sorted_without_regard_to_the_diverged(open_page):
    page = open_page()
    page.locator("th[data-key='variant'] button").click()
    assert shown(page) == sorted(shown(page))
    page.locator("th[data-key='diverged_epoch'] button").click()
    assert page.locator("#table tbody tr").first.get_attribute("class") == "diverged"


def test_way_back_leads_from_a_card_to_where_it_was_opened_and_the_contents_still_lead_on(open_page):
    page = open_page()
    page.locator("[id='variant-good-slow'] > details").evaluate("one => (one.open = false)")
    page.fill("#filter", "good")
    page.locator(".chip[data-variant='good-slow']").click()
    expect(page.locator("[id='variant-good-slow'] > details > summary")).to_be_in_viewport()
    page.locator(".contents a", has_text="Curves").click()
    expect(page.locator("h2#curves")).to_be_in_viewport()
    page.go_back()
    page.go_back()
    page.wait_for_function("location.hash === '#view:filter=good&turned=variant-good-slow.0'")
    assert page.input_value("#filter") == "good"


def test_table_begins_with_the_best_and_the_first_click_on_a_count_puts_the_fewest_on_top(open_page):
    page = open_page()
    assert "★" in page.locator("#table tbody tr").first.inner_text()
    best = shown(page)[0]
    page.locator("th[data-key='test_wrong'] button").click()
    assert page.locator("th[data-key='test_wrong']").get_attribute("aria-sort") == "ascending"
    assert shown(page)[0] == best


def test_word_that_is_explained_pins_nothing(open_page):
    page = open_page()
    page.locator("#table .kinds .term").first.click()
    expect(page.locator("[popover]:popover-open")).to_be_visible()
    expect(page.locator("#table .pin[aria-pressed='true']")).to_have_count(0)


def test_colour_setting_and_scale_are_in_the_link(open_page):
    page = open_page()
    page.select_option("#colour", "lr")
    page.select_option("#effect-of", "lr")
    page.get_by_role("button", name="Training loss: linear").click()
    page.wait_for_function("location.hash.includes('linear')")
    other = open_page(page.evaluate("location.hash"))
    assert (other.input_value("#colour"), other.input_value("#effect-of")) == ("lr", "lr")
    expect(other.locator("#legend li").first).to_contain_text("0.0")
    assert lines_are_linear(other) and not lines_are_linear(open_page())
    other.evaluate("location.hash = 'view:'")
    expect(other.get_by_role("button", name="Training loss: linear")).to_have_attribute("aria-pressed", "false")


def lines_are_linear(page) -> bool:
    """Whether the ticks of the loss lie at equal steps."""
    texts = page.locator("[data-chart='loss'] [aria-roledescription=axis]").last.locator("text").all_text_contents()
    return "0" in texts


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


def copied(page) -> pd.DataFrame:
    page.get_by_role("button", name="copy as CSV").click()
    expect(page.locator("#taken")).to_have_text("copied")
    return pd.read_csv(io.StringIO(page.evaluate("navigator.clipboard.readText()"))).set_index("variant")


def test_rows_are_copied_as_numbers_that_pandas_reads(open_page, compared):
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    page.locator("th[data-key='test_wrong'] button").click()
    page.locator("th[data-key='test_wrong'] button").click()
    page.uncheck("tr[data-variant='compared'] input")
    table = copied(page)
    assert list(table.index) == [name for name in shown(page) if name != "compared"]
    words = {"verdict", "alarms", "loss", "normalization"}
    assert {key for key, kind in table.dtypes.items() if kind not in ("float64", "int64")} == words
    summary = pd.read_csv(compared / "results/summary.csv")
    for name, of in summary.groupby("variant"):
        if name not in table.index:
            continue
        row, wrong = table.loc[name], (of.test_n - of.test_correct).dropna()
        if wrong.empty:
            assert row[["test_wrong", "test_wrong_low", "test_wrong_high", "train_wrong", "final_loss"]].isna().all()
            assert row.diverged_epoch == of.diverged_epoch.min()
        else:
            figures = row[["test_wrong", "test_wrong_low", "test_wrong_high"]].tolist()
            assert figures == pytest.approx([wrong.mean(), wrong.min(), wrong.max()])
            assert row.train_wrong == pytest.approx((of.n - of.correct).mean())
            assert row.final_loss == pytest.approx(of.final_loss.mean())
        assert row.verdict in ("good", "faulty", "fails", "diverged")
    assert table.loc["good-slow", "lr"] == 0.001


def test_click_in_a_row_opens_its_card_and_a_selection_or_control_does_not(open_page):
    page = open_page()
    card = page.locator("[id='variant-good-slow'] > details")
    card.evaluate("one => (one.open = false)")
    row = page.locator("tr[data-variant='good-slow']")
    row.locator("input").click()
    row.locator(".pin").click()
    assert not card.evaluate("one => one.open")
    cell = row.locator("td[data-label='loss']")
    cell.locator(".text").dblclick()  # which selects the word, after its first click
    card.evaluate("one => (one.open = false)")
    box = cell.bounding_box()
    page.evaluate("cell => getSelection().selectAllChildren(cell)", cell.element_handle())
    cell.dispatch_event("click")
    assert not card.evaluate("one => one.open")
    page.evaluate("getSelection().removeAllRanges()")
    cell.scroll_into_view_if_needed()
    box = cell.bounding_box()
    page.mouse.click(box["x"] + box["width"] - 3, box["y"] + 3)
    expect(card.locator("summary").first).to_be_in_viewport()
    assert card.evaluate("one => one.open")


def test_first_tap_reads_a_cell_of_the_grid_and_the_next_opens_its_card(open_page):
    page = open_page(has_touch=True, is_mobile=True, viewport={"width": 390, "height": 844})
    chip = page.locator(".chip[data-variant='good-slow']")
    chip.tap()
    expect(page.locator(".readout")).to_contain_text("test images wrong on average over 2 seeds")
    assert "good-slow" not in page.evaluate("location.hash")
    page.locator(".readout a").tap()
    expect(page.locator("[id='variant-good-slow'] summary").first).to_be_in_viewport()
    other = page.locator(".chip[data-variant='good']")
    other.tap()
    other.tap()
    expect(page.locator("[id='variant-good'] summary").first).to_be_in_viewport()


def test_parts_that_were_opened_and_closed_are_in_the_address(open_page):
    page = open_page()
    assert page.evaluate("location.hash") == ""  # nothing differs from how the page begins
    page.locator("[id='variant-good'] > details > summary").click()
    page.locator(".words > summary").click()
    page.locator(".cause > details > summary").nth(1).click()
    page.wait_for_function("location.hash.split('turned').length === 4")
    other = open_page(page.evaluate("location.hash"))
    assert not other.locator("[id='variant-good'] > details").evaluate("one => one.open")
    opened = "all => all.map((one) => one.open)"
    assert other.eval_on_selector_all(".words, .cause > details", opened).count(True) == 2
    assert other.locator(".cause > details").nth(1).evaluate("one => one.open")
    page.locator(".words > summary").click()
    page.wait_for_function("location.hash.split('turned').length === 3")
    page.evaluate("location.hash = 'view:'")
    page.wait_for_function("document.querySelector('[id=variant-good] > details').open")


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


def test_what_the_mirrors_said_is_folded_and_its_opening_is_in_the_link(open_page, compared, tmp_path):
    workflow = compared.copy(tmp_path / "sample")
    path = workflow / "results/data/source.json"
    fallen = {"fallback": True, "retry": "snakemake", "failed_mirrors": {"http://m/": "gone"}}
    write_json(path, read_json(path) | fallen)
    write_page(workflow)
    page = open_page(workflow=workflow)
    expect(page.get_by_text("http://m/")).to_be_hidden()
    page.locator(".banner summary").click()
    page.wait_for_function("location.hash.includes('turned')")
    other = open_page(page.evaluate("location.hash"), workflow=workflow)
    expect(other.get_by_text("http://m/")).to_be_visible()
    expect(open_page("#view:turned=gone.3&turned=x", workflow=workflow).get_by_text("http://m/")).to_be_hidden()


def test_old_link_that_hid_columns_still_opens_its_view(open_page):
    page = open_page("#view:sort=test&dir=descending&filter=loss%3Dbce&fold=set-loss&fold=seconds&pin=good")
    assert page.locator("th[data-key='test_wrong']").get_attribute("aria-sort") == "ascending"
    assert page.input_value("#filter") == "loss=bce"
    assert set(shown(page)) == {"good", "good-slow"}
    expect(page.locator("tr[data-variant='good'] .pin")).to_have_attribute("aria-pressed", "true")
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
