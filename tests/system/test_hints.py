"""Warnings of a run."""

from builders.workflows import Workflow, small_config
from experiment.config import check

SAME = "equal settings, so that their models are the same"


def test_variants_with_equal_settings_are_told(tmp_path, small_mnist):
    config = small_config(small_mnist)
    config["losses"]["same"] = config["losses"]["bce"]
    config["variants"] |= {
        "twin": {"loss": "same", "normalization": "unit", "optimizer": "Adam"},
        "other": {"loss": "bce", "normalization": "unit", "lr": 1},
    }
    assert check(config).warnings == [f"variants good, twin: {SAME}"]
    said = Workflow(tmp_path / "twins", config).run("--dry-run").stderr.splitlines()
    warnings = [line for line in said if line.startswith("warning: ")]
    assert warnings == [f"warning: variants good, twin: {SAME}"]
