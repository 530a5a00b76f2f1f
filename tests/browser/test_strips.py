"""Numbers of the strips, captions of digits, names of headings."""

import itertools
import re

import pytest


@pytest.mark.parametrize("width", [300, 390, 640, 1280])
def test_numbers_of_a_strip_neither_touch_nor_leave_it(open_page, width):
    page = open_page(viewport={"width": width, "height": 800})
    for axis in page.locator(".axis").all():
        inside = axis.bounding_box()
        numbers = [one.bounding_box() for one in axis.locator("span").all()]
        assert len(numbers) >= 3
        assert all(left["x"] + left["width"] <= right["x"] for left, right in itertools.pairwise(numbers))
        assert numbers[0]["x"] >= inside["x"]
        assert numbers[-1]["x"] + numbers[-1]["width"] <= inside["x"] + inside["width"]


def test_wrong_image_says_what_it_is_and_what_the_model_says(open_page):
    page = open_page()
    page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))")
    captions = page.locator(".card details .digits figcaption", has_text="says").all_inner_texts()
    assert captions
    says = r"is ([01]), says ([01])\s+\((> 99\.9|100|99\.\d|\d\d) %\)"
    told = [re.fullmatch(says, one.strip()) for one in captions]
    assert all(one and one[1] != one[2] for one in told)


def test_contents_name_the_headings_in_their_order_and_each_id_is_there_once(open_page):
    page = open_page()
    named = page.locator(".contents a[href^='#']").evaluate_all("all => all.map((one) => [one.hash, one.innerText])")
    headings = page.locator("h2[id], h3[id]").evaluate_all("all => all.map((one) => [`#${one.id}`, one.innerText])")
    assert named == [one for one in headings if one in named]
    assert {"#answer", "#variants", "#cards", "#losses", "#pairs", "#provenance"} <= {place for place, _ in named}
    ids = page.locator("[id]").evaluate_all("all => all.map((one) => one.id)")
    assert len(ids) == len(set(ids))
    assert page.locator(".contents").bounding_box()["height"] < 40
    assert page.locator(".contents").evaluate("one => one.scrollWidth <= one.clientWidth")
