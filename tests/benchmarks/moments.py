"""What must take no more than a moment: single calls of functions, and what a reader does with the page in Chromium."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np

sys.path.append(str(Path(__file__).resolve().parents[1]))
sys.path.append(str(Path(__file__).resolve().parents[2] / "workflow/scripts"))

from builders.answers import entry
from builders.needs import CHROMIUM
from comparing import statistics
from comparing.pairs import changes
from comparing.significance import significance
from comparing.statistics import mcnemar
from formulas.parsing import FormulaError, parse_loss
from losses.exact import exact


def calls(repeat: int) -> Iterator[tuple[str, float, float]]:
    """(what, its seconds, at most so many)."""
    generator = np.random.default_rng(0)
    differences = generator.integers(-100, 101, 2000)
    # 19,900 pairs of losses, some with a model that gets half of the images wrong.
    shares = np.where(np.arange(200) % 10, 0.99, 0.5)
    right = {f"v{place}": generator.random((3, 2115)) < share for place, share in enumerate(shares)}
    variants = {name: {"loss": name, "epochs": 1} for name in right}
    metrics = {name: entry(name, rows) for name, rows in right.items()}
    wrong = {name: {"test": {"1": np.flatnonzero(~rows[0]).tolist()}} for name, rows in right.items()}
    single = [entry(name, rows[:1]) for name, rows in right.items()]
    tower = parse_loss("mean(exp(exp(exp(logits))))", {})
    for what, action, most in (
        ("refusal of a formula of 10,000 parentheses", lambda: refused("(" * 10_000 + "yhat" + ")" * 10_000), 0.05),
        ("refusal of a formula of 390 sums", lambda: refused("+".join(["yhat"] * 390)), 0.05),
        ("exact value of a tower of powers", lambda: exact(tower, 1, 512.0), 1),
        ("test of two models that never agree", lambda: mcnemar(5923, 6742), 1),
        ("paired test of 2,000 images and 100 seeds", lambda: sign_flips_anew(differences), 1),
        ("what changed among 200 variants", lambda: changes(variants, metrics, right), 20),
        ("every two of 200 variants, one seed each", lambda: significance(single, wrong), 20),
    ):
        yield what, min(seconds_of(action) for _ in range(repeat)), most


def refused(formula: str) -> None:
    with suppress(FormulaError):
        parse_loss(formula)


def sign_flips_anew(differences: np.ndarray) -> float:
    statistics._share_as_far.cache_clear()
    return statistics.sign_flips(differences)


def seconds_of(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


ON_THE_PAGE = {
    "filter": "filter.value = filter.value ? '' : 'lr<0.02'; filter.dispatchEvent(new Event('input'))",
    "sort": "document.querySelector('th[data-key=test_wrong] button').click()",
}
TIMED = """() => {{
    const start = performance.now();
    {code};
    document.body.getBoundingClientRect();
    return performance.now() - start;
}}"""


def in_chromium(page: Path, repeat: int) -> Iterator[tuple[str, float, float]]:
    """The same of a page from the disk; of what the reader waits for."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        shown = chromium.new_page(viewport={"width": 1280, "height": 900})
        paints = []
        for _ in range(repeat):
            shown.goto(page.as_uri())
            shown.wait_for_selector("html[data-drawn]")
            paints.append(shown.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime") / 1000)
        yield "its first paint", min(paints), 1
        for what, code in ON_THE_PAGE.items():
            yield f"its {what}", min(shown.evaluate(TIMED.format(code=code)) for _ in range(repeat)) / 1000, 0.1
        chromium.close()
