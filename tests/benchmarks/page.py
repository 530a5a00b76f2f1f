"""How long a report takes in Chromium: milliseconds until it is loaded, first painted and drawn, and of the scripts
that filter and sort it. In the project's folder, of any report.html:

    python tests/benchmarks/page.py results/report.html [more.html ...]

Filter and sort are timed around the page's own handlers, with the layout that they cause: the median of nine.
"""

import statistics
import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

CHROMIUM = "/usr/bin/chromium"
PAINTED = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN"
LOADED = "performance.getEntriesByType('navigation')[0].loadEventEnd"
FILTER = """text => {
  const filter = document.getElementById("filter");
  const begun = performance.now();
  filter.value = text;
  filter.dispatchEvent(new Event("input", { bubbles: true }));
  const script = performance.now() - begun;
  document.body.offsetHeight;
  return [script, performance.now() - begun];
}"""
SORT = """() => {
  const begun = performance.now();
  document.querySelector("th[data-key='seconds'] button").click();
  const script = performance.now() - begun;
  document.body.offsetHeight;
  return [script, performance.now() - begun];
}"""


def measured(page: Page, script: str, *arguments: str) -> str:
    times = []
    for place in range(9):
        times.append(page.evaluate(script, arguments[place % len(arguments)] if arguments else None))
        page.wait_for_timeout(300)  # until the charts have followed
    own, all_ = (statistics.median(column) for column in zip(*times, strict=True))
    return f"{own:.0f} (with layout {all_:.0f})"


def main(files: list[str]) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for file in files:
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.goto(f"file://{Path(file).resolve()}")
            page.wait_for_selector("html[data-drawn]")
            drawn = page.evaluate("performance.now()")
            found = {
                "MB": f"{Path(file).stat().st_size / 1e6:.1f}",
                "loaded": f"{page.evaluate(LOADED):.0f}",
                "first paint": f"{page.evaluate(PAINTED):.0f}",
                "drawn": f"{drawn:.0f}",
                "filter": measured(page, FILTER, "loss=bce", "verdict!=good", ""),
                "sort": measured(page, SORT),
            }
            print(file, ", ".join(f"{key} {value}" for key, value in found.items()))
            page.close()
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1:])
