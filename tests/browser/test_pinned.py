"""Pinned variants in a real browser: the baseline of the table, side by side, and what may be luck."""

from msgspec.structs import replace
from playwright.sync_api import expect

from builders.browsing import shown, write_page
from builders.reading import read_json
from common.files import write_json
from comparing.significance import significance
from records.metrics import Metrics, Outcome
from records.strict import as_json, read_record


def test_pinned_variants_are_on_top_and_side_by_side(open_page):
    page = open_page()
    expect(page.locator("#compare")).to_be_hidden()
    for name in ("manual-raw", "good-slow"):
        page.get_by_role("button", name=f"pin {name}", exact=True).click()
        more = page.locator("#compare-pinned")
        expect(more).to_have_text("pin one more to compare" if name == "manual-raw" else "compare 2")
    assert set(shown(page)[:2]) == {"manual-raw", "good-slow"}
    more.click()
    expect(page.locator("#beside")).to_be_in_viewport()
    bold = page.locator("#compare tr", has=page.locator("b")).locator("th").all_inner_texts()
    assert {"loss", "normalization", "lr", "verdict"} <= set(bold)
    assert "hidden" not in bold
    expect(page.locator("#compare caption")).to_contain_text("hidden 8")
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
        both = one if corrected == one else f"{one}; {corrected} after correction for 3 pairs"
        assert text == f"{what} (p = {both})"
    significant = "Significant means p < 0.05 with all 3 pairs of different variants counted, Holm's correction; else"
    expect(page.locator("#compare > .note")).to_contain_text(f"against good. {significant}")
    expect(page.locator(".best")).to_contain_text(
        "Best of the 3 good ones: good, 19.0 of 20 test images right on average. Not"
        " significantly worse: compared. Significantly worse: good-slow."
    )
    page = open_page("#view:pin=good-slow&pin=good", workflow=workflow)
    assert differences(page)[1].startswith("significantly better (p = ")
    expect(page.locator("#compare > .note")).to_contain_text(significant)  # however few are pinned


def test_variant_that_is_not_among_those_compared_says_so(open_page, compared, tmp_path, monkeypatch):
    for module in ("ranking", "significance"):
        monkeypatch.setattr(f"comparing.{module}.MOST_COMPARED", 2)
    workflow = compared.copy(tmp_path / "many")
    with_answers(workflow, {"good": [[0], [0]], "good-slow": [[0, 1], [0]], "compared": [[1, 2, 3], [0, 5]]})
    page = open_page("#view:pin=good&pin=good-slow&pin=compared", workflow=workflow)
    assert differences(page) == [
        "baseline",
        "may well be luck (p = 1)",
        "p is computed for the 2 best only",
    ]


def test_variant_without_an_answer_has_no_p(open_page):
    page = open_page("#view:pin=good&pin=bad")
    assert differences(page) == ["baseline", "not ranked"]
    page.locator("#compare").get_by_text("A variant is not ranked if a model failed, gives no answer").wait_for()
    expect(page.locator("#compare .only")).to_have_text(
        "A seed of bad gives no answer, so that their images are not compared."
    )
    page.get_by_role("button", name="show only these").click()
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
    chip = cells["good"].locator(".difference")
    expect(chip).to_have_text(f"Δ {sign}{abs(difference):g}")
    look = "one => [getComputedStyle(one).backgroundColor, getComputedStyle(one).fontWeight]"
    expect(cells["good"].locator(".spread")).to_be_visible()
    assert chip.evaluate(look) != cells["good"].locator(".spread").evaluate(look)
    expect(cells["good-slow"].locator(".difference")).to_have_text("baseline")
    expect(cells["bad"].locator(".difference")).to_have_count(0)
    page.get_by_role("button", name="pin good-slow", exact=True).click()
    expect(page.locator(".difference")).to_have_count(0)


def test_curves_and_plots_of_the_pinned_are_side_by_side_on_the_same_axes(open_page):
    page = open_page("#view:pin=good&pin=manual-raw&pin=compared")
    for title in ("training loss (log)", "wrong training images (log)", "largest logit"):
        row = page.locator("#compare tr", has=page.locator("th", has_text=title))
        assert row.locator("svg").count() == 3
        axes = [svg.locator("text:not(.cross)").all_text_contents() for svg in row.locator("svg").all()]
        assert axes[0] == axes[1] == axes[2]
        assert row.locator("svg").first.locator("path:not(.band)").count() == 1
    assert row.locator("svg").nth(1).locator(".cross").count() > 0
    pictures = page.locator("#compare img.plot")
    expect(pictures).to_have_count(3)
    page.wait_for_function("[...document.querySelectorAll('#compare img')].every((one) => one.naturalWidth > 100)")


def test_copies_are_called_the_same_models_and_not_luck(open_page, compared, tmp_path):
    workflow = compared.copy(tmp_path / "alike")
    with_answers(workflow, {"good": [[0], [1]], "good-slow": [[0], [1]], "compared": [[0], [2]]})
    page = open_page("#view:pin=good&pin=good-slow&pin=compared", workflow=workflow)
    assert differences(page)[1] == "none: wrong on the same images as the baseline"
    assert "luck" in differences(page)[2]
    # The same settings, too.
    page.evaluate("""() => {
        const facts = JSON.parse(document.getElementById('facts').textContent);
        facts.variants['good-slow'].settings = facts.variants.good.settings;
        window.alike = JSON.stringify(facts);
    }""")
    path = workflow / "results/report.html"
    html = path.read_text()
    start = html.index('id="facts">') + len('id="facts">')
    path.write_text(html[:start] + page.evaluate("alike") + html[html.index("</script>", start) :])
    page = open_page("#view:pin=good&pin=good-slow", workflow=workflow)
    assert differences(page)[1] == "the same models as the baseline"
