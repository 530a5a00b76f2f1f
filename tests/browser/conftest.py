"""Chromium, runs whose report it shows, and what opens it."""

import pytest
from playwright.sync_api import expect, sync_playwright

from builders.browsing import HOSTILE, LINES, PATIENCE, STABLE, write_page
from builders.needs import CHROMIUM
from builders.reading import read_json
from builders.records import trial
from builders.workflows import Workflow, small_config
from common.files import write_json
from records.losses import Rewrite
from records.metrics import finding
from records.strict import as_json

expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="session")
def browser():
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
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


@pytest.fixture(scope="session")
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
            [trial("`x / 255`", verdict="fails", correct=None, finding="diverged")],
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
        if name in ("good-slow", "compared"):
            metrics["seeds"][0] |= {"verdict": "faulty", "findings": as_json([finding("frozen", "It is frozen.")])}
        write_json(path, metrics)
    figures = {"lost": 0.4, "lost_before": 9.1, "dead": 0, "dead_before": 120, "wrong": 200}
    rewrite = Rewrite(formula=STABLE, constants={}, finite_within="inf", pulls_back=True, **figures)
    for name in workflow.config["losses"]:
        path = workflow / f"results/losses/{name}.json"
        write_json(path, read_json(path) | {"better": as_json(rewrite) if name == "manual" else None})
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
        page.set_default_timeout(PATIENCE)
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
