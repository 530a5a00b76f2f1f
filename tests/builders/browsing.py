"""The report in headless Chromium: pages to open, and what they show."""

import compare
import report

from builders.reading import read_json
from builders.workflows import SECTIONS, Workflow, handed
from common.files import SUMS
from experiment.begun import BEGUN_FILE, Begun, keep_begun
from experiment.config import check

PATIENCE = 120_000  # milliseconds: what takes longer never comes
HOSTILE = "<script>document.title='taken'</script> & <b>bold</b>"
COMPARISON = {
    "same_weights": "same_weights.csv",
    "survival": "survival.csv",
    "changes": "changes.json",
    "significance": "significance.json",
    "wrong": "wrong.json",
}


def forget_sums(workflow: Workflow) -> None:
    """What the test has changed since would be damage."""
    for sums in [*(workflow / "results").rglob(SUMS), *(workflow / "results").rglob("*.sha256")]:
        sums.unlink()


def compare_anew(workflow: Workflow) -> None:
    """What the rule compare would make of the variants that its config has now."""
    forget_sums(workflow)
    results, comparison = workflow / "results", workflow / "results/comparison"
    compare.main(
        handed(check(workflow.config), "losses", "variants"),
        results / "variants",
        results / "data/normalized",
        {kind: comparison / file for kind, file in COMPARISON.items()} | {"sums": comparison / SUMS},
    )


def trained_by(workflow: Workflow) -> str:
    """The digest of the code that trained the first model."""
    return read_json(next((workflow / "results/variants").glob("*/*/training.json")))["code"]


def write_page(workflow: Workflow) -> None:
    """The report, from what lies in the folder, whoever wrote it."""
    forget_sums(workflow)
    results, experiment = workflow / "results", check(workflow.config)
    variants = results / "variants"
    models = [variants / name / str(seed) for name, of in experiment.variants.items() for seed in of["seeds"]]
    inputs = {kind: results / "comparison" / file for kind, file in COMPARISON.items()}
    inputs |= {"source": results / "data/source.json", "digits": results / "data/digits.npz"}
    inputs |= {"vega": results / "vega.js", "losses": [results / f"losses/{name}.json" for name in experiment.losses]}
    for kind, file in {"metrics": "metrics.json", "plots": "yhat.png"}.items():
        inputs[kind] = [variants / name / file for name in experiment.variants]
    for kind, file in {"histories": "history.csv", "predictions": "predictions.npz"}.items():
        inputs[kind] = [model / file for model in models]
    keep_begun(Begun((workflow / "config.yaml").read_text(), True, {}), workflow / BEGUN_FILE)
    report.main(
        inputs,
        handed(experiment, *SECTIONS, trains=trained_by(workflow), begun=str(workflow / BEGUN_FILE)),
        {"summary": results / "summary.csv", "page": results / "report.html", "config": results / "config.yaml"},
    )


STABLE = "mean(softplus((1 - 2 * y) * logits))"
LINES = f"""\
losses:
  stable: {STABLE}
variants:
  manual-raw-stable: {{loss: stable, normalization: raw}}
"""


def shown(page) -> list[str]:
    return page.eval_on_selector_all(
        "#table tbody tr", "rows => rows.filter(r => !r.hidden).map(r => r.dataset.variant)"
    )


def lines(page, chart: str) -> set[str]:
    """The colours of the lines that a chart draws."""
    return set(
        page.eval_on_selector_all(
            f"[data-chart='{chart}'] .mark-line path", "paths => paths.map(path => path.getAttribute('stroke'))"
        )
    )
