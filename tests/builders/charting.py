"""The page's charts in headless Chromium: runs with other histories, and what a chart shows."""

import json

import numpy as np
import pandas as pd

from builders.browsing import write_page

LINES = "[class*='_0_pathgroup'] .mark-line path"
NAMES = ".layer_9_marks text"
MARKS = ".role-mark.mark-line path, .role-mark.mark-symbol path"


def changed(compared, folder, change):
    """The same run with other histories: change(variant, history) gives each model's anew."""
    workflow = compared.copy(folder / "changed")
    for path in (workflow / "results/variants").glob("*/*/history.csv"):
        change(path.parts[-3], pd.read_csv(path)).to_csv(path, index=False)
    write_page(workflow)
    return workflow


def labels(page, chart: str) -> list[str]:
    """What stands along its y axis, from the bottom."""
    return page.locator(f"[data-chart='{chart}'] .role-axis-label text[text-anchor='end']").all_text_contents()


def epochs(page, chart: str) -> list[str]:
    """What stands along its x axis, in no order."""
    found = page.locator(f"[data-chart='{chart}'] .role-axis-label text[text-anchor='middle']")
    return sorted(found.all_text_contents())


def alive(compared) -> set[str]:
    """The variants that have a line."""
    paths = list((compared / "results/variants").glob("*/*/history.csv"))
    assert len(paths) == 2 * len(compared.config["variants"])
    return {path.parts[-3] for path in paths if np.isfinite(pd.read_csv(path)["loss"]).any()}


def heights(page, chart: str) -> list[float]:
    """Of its lines, in pixels."""
    return page.eval_on_selector_all(
        f"[data-chart='{chart}'] {LINES}", "paths => paths.map(path => path.getBBox().height)"
    )


def point_at(page, chart: str, x: float, y: float) -> None:
    """Move the pointer there, in shares of the plotting area."""
    place = page.locator(f"[data-chart='{chart}']")
    place.scroll_into_view_if_needed()
    box = place.locator(".role-frame .background").first.bounding_box()
    for aside in (2, 0):
        page.mouse.move(box["x"] + box["width"] * x + aside, box["y"] + box["height"] * y)


def dispatch(page, *variants: str) -> None:
    detail = json.dumps({"variants": variants, "pinned": []})
    page.evaluate(f"document.dispatchEvent(new CustomEvent('shown', {{detail: {detail}}}))")


def color_of(page, variant: str) -> str:
    return page.locator(f"tr[data-variant='{variant}'] .swatch line").get_attribute("stroke")
