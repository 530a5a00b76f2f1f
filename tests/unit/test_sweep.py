"""A sweep, from its lines in config.yaml to the summary and the page."""

import csv

import numpy as np

from builders.pipeline import Pipeline
from builders.workflows import small_config
from common.english import amount
from experiment.config import check


def test_sweep_of_16_variants_over_3_seeds_runs_to_its_report(small_mnist, tmp_path):
    config = small_config(small_mnist)
    config["variants"] = {}
    config["sweeps"] = {
        "grid": {
            "loss": ["bce", "negative-log"],
            "normalization": ["unit", "raw"],
            "lr": [0.001, "1e-2"],
            "hidden": [[], [4, 3]],
            "seeds": [1, 2, 3],
            "epochs": 4,
        }
    }
    config["normalizations"]["raw"] = "x"
    config["diagnosis"] = {"trials": 0}
    Pipeline(tmp_path).run(check(config))
    with open(tmp_path / "results/summary") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 48
    names = {row["variant"] for row in rows}
    assert {"grid-bce-unit-hidden=none-lr=0.001", "grid-negative-log-raw-hidden=4x3-lr=0.01"} <= names
    page = (tmp_path / "results/page").read_text()
    assert all(f'id="variant-{name}"' in page for name in names)
    assert page.count('<span class="status diverged">✕ diverged 3 of 3</span>') == 8
    for name in {row["variant"] for row in rows if row["status"] == "finished"}:
        wrong = [int(row["test_n"]) - int(row["test_correct"]) for row in rows if row["variant"] == name]
        assert len(wrong) == 3
        spread = f"{min(wrong)} to {max(wrong)}" if min(wrong) < max(wrong) else "each seed"
        assert f'{amount(np.mean(wrong))} <small class="spread">{spread}</small>' in " ".join(page.split())
