"""The autopsy on a card: the formula that broke, and its steps."""

import re

from playwright.sync_api import expect


def test_formula_that_broke_stands_above_carets_and_step_by_step_names_what_is_not_finite(open_page):
    page = open_page()
    card = page.locator("[id='variant-manual-raw']")
    formula, carets, words = card.locator(".formula").inner_text().split("\n")
    culprit = card.locator(".formula mark").inner_text()
    assert formula[carets.index("^") :].startswith(culprit)
    assert carets.strip() == "^" * len(culprit)
    assert re.fullmatch(r"−∞ for [\d,]+ of [\d,]+ images of 0.*|−∞ for [\d,]+ of [\d,]+ images of 1", words.strip())
    expect(card.locator(".steps table")).to_be_hidden()
    card.locator(".steps summary").click()
    expect(card.locator(".steps tbody tr").last).to_contain_text("the whole formula")
    assert re.search(r", and [\d,]+ −∞", " ".join(card.locator(".steps tbody").inner_text().split()))
