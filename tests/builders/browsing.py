"""The report in headless Chromium: pages to open, and what they show."""

import diagnose
import report

from builders.workflows import SECTIONS, Workflow, handed
from common.files import SUMS, read_json
from experiment.config import check

PATIENCE = 120_000  # milliseconds: what takes longer never comes
HOSTILE = "<script>document.title='taken'</script> & <b>bold</b>"
DIAGNOSIS = {
    "losses": "losses.json",
    "kinds": "kinds.json",
    "same_weights": "same_weights.csv",
    "survival": "survival.csv",
    "rewrites": "rewrites.json",
    "pairs": "pairs.json",
    "significance": "significance.json",
    "wrong": "wrong.json",
    "pictures": "pictures.npz",
}


def forget_sums(workflow: Workflow) -> None:
    """What the test has changed since would be damage."""
    for sums in (workflow / "results").rglob(SUMS):
        sums.unlink()


def diagnose_anew(workflow: Workflow) -> None:
    """What the rule diagnose would make of the variants that its config has now."""
    forget_sums(workflow)
    results, diagnosis = workflow / "results", workflow / "results/diagnosis"
    diagnose.main(
        handed(check(workflow.config), "defaults", "losses", "variants"),
        results / "variants",
        results / "data/normalized",
        results / "data/digits.pt",
        {kind: diagnosis / file for kind, file in DIAGNOSIS.items()} | {"sums": diagnosis / SUMS},
    )


def trained_by(workflow: Workflow) -> str:
    """The digest of the code that trained the first variant."""
    return read_json(next((workflow / "results/variants").glob("*/metrics.json")))["code"]


def write_page(workflow: Workflow) -> None:
    """The report, from what lies in the folder, whoever wrote it."""
    forget_sums(workflow)
    results, experiment = workflow / "results", check(workflow.config)
    of_each = {"metrics": "metrics.json", "histories": "history.csv", "predictions": "predictions.npz"}
    of_each |= {"plots": "yhat.png"}
    report.main(
        {kind: [results / "variants" / name / file for name in experiment.variants] for kind, file in of_each.items()}
        | {kind: results / "diagnosis" / file for kind, file in DIAGNOSIS.items()}
        | {"source": results / "data/source.json", "vega": results / "vega.js"},
        handed(experiment, *SECTIONS, trains=trained_by(workflow), config_file=str(workflow / "config.yaml")),
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
