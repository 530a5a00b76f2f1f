"""The grid of the first screen in a real browser: arranged by other settings, and back."""

import re

from playwright.sync_api import expect


def table(page) -> str:
    """The grid as it stands, without the white space between its elements."""
    return re.sub(r"\s+", " ", re.sub(r">\s+<", "><", page.inner_html("#cells")))


def chosen(page) -> list[str]:
    return [page.input_value(f"[data-axis='{axis}']") for axis in ("rows", "columns", "strips")]


def cells(page) -> dict[str, set[str]]:
    """Of each variant the texts at the heads of its row and of its columns."""
    return page.evaluate(
        """() => {
          const grid = document.getElementById("cells");
          const filled = [];
          [...grid.rows].forEach((row, down) => {
            filled[down] ??= [];
            let across = 0;
            for (const cell of row.cells) {
              while (filled[down][across]) across += 1;
              for (let y = 0; y < cell.rowSpan; y += 1) {
                for (let x = 0; x < cell.colSpan; x += 1) (filled[down + y] ??= [])[across + x] = cell;
              }
            }
          });
          return Object.fromEntries([...grid.querySelectorAll(".chip")].map((chip) => {
            const down = filled.findIndex((row) => row.includes(chip.closest("td")));
            const across = filled[down].indexOf(chip.closest("td"));
            const heads = [...filled[down], ...filled.map((row) => row[across])].filter((one) => one.tagName === "TH");
            return [chip.dataset.variant, heads.map((head) => head.textContent)];
          }));
        }"""
    )


def test_other_settings_for_rows_columns_and_strips_and_back_give_the_same_grid(open_page, compared):
    page = open_page()
    first, before = chosen(page), table(page)
    assert sorted(first) == ["loss", "lr", "normalization"]
    page.select_option("[data-axis='rows']", "lr")
    assert sorted(chosen(page)) == sorted(first)  # what had lr before takes what rows had
    assert table(page) != before
    page.select_option("[data-axis='rows']", first[0])
    for axis, key in zip(("rows", "columns", "strips"), first, strict=True):
        page.select_option(f"[data-axis='{axis}']", key)
    assert table(page) == before
    assert set(cells(page)) == set(compared.config["variants"])


def test_each_variant_stands_under_its_settings_however_the_grid_is_arranged(open_page, compared):
    page = open_page()
    defaults = compared.config["defaults"]
    for rows, strips in (("loss", "lr"), ("lr", ""), ("normalization", "loss"), ("normalization", "")):
        page.select_option("[data-axis='rows']", rows)
        page.select_option("[data-axis='strips']", strips)
        found = cells(page)
        assert set(found) == set(compared.config["variants"])
        for name, settings in compared.config["variants"].items():
            whole = defaults | settings
            assert {whole["loss"], whole["normalization"], str(whole["lr"])} <= set(found[name]), (rows, strips)


def test_arrangement_is_in_the_link(open_page):
    page = open_page()
    page.select_option("[data-axis='rows']", "lr")
    other = open_page(page.evaluate("location.hash"))
    assert chosen(other) == chosen(page)
    assert table(other) == table(page)
    other.fill("#filter", "lr=0.001")
    expect(other.locator(".chip:not(.out)")).to_have_count(1)


def test_picture_of_a_loss_that_breaks_is_on_the_first_screen_and_on_the_card(open_page):
    page = open_page()
    example = page.locator(".example")
    expect(example.locator("h3")).to_contain_text("How the loss became ∞")
    expect(example.locator(".broke .called")).to_have_text("ŷ = 1, log(1 - yhat) = −∞")
    expect(page.locator("[id='variant-manual-raw'] .broke")).to_have_count(1)
    expect(page.locator("[id='variant-good'] .broke")).to_have_count(0)
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 900})
        for text in example.locator("svg text").all():
            box, frame = text.bounding_box(), example.bounding_box()
            assert frame["x"] - 1 <= box["x"] and box["x"] + box["width"] <= frame["x"] + frame["width"] + 1


def test_answer_counts_names_the_best_and_tells_each_cause_once(open_page):
    page = open_page()
    assert page.locator(".tallies strong").all_inner_texts() == ["2", "1", "2"]  # none fails: no tile says so
    assert page.locator(".best").inner_text().startswith("Best of the 2 good ones: ")
    assert "(always guessing 1 gets 10 right)" in page.locator(".lede").inner_text()
    causes = page.locator(".cause summary").all_inner_texts()
    assert len(causes) == 3
    assert any(
        one.startswith("manual-raw diverged: log(1 - yhat) is −∞ past logit 16.64; first at epoch") for one in causes
    )
    assert page.locator("[id='answer']").bounding_box()["y"] < 900


def test_cell_of_the_grid_says_more_on_focus_and_leads_to_the_card(open_page):
    page = open_page()
    chip = page.locator(".chip[data-variant='manual-raw']")
    expect(chip.locator("strong")).to_contain_text("∞ @0")  # what its loss became; NaN came later
    chip.focus()
    expect(page.locator(".readout")).to_contain_text("manual-raw: diverged at epoch")
    page.locator(".chip[data-variant='good-slow']").hover()
    expect(page.locator(".readout")).to_contain_text("of 20 test images wrong on average over 2 seeds (0 to 2)")
    page.locator("[id='variant-manual-raw'] > details").evaluate("one => (one.open = false)")
    page.focus(".chip[data-variant='manual-raw']")
    page.keyboard.press("Enter")
    expect(page.locator("[id='variant-manual-raw'] .autopsy")).to_be_in_viewport()
