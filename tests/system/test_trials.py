"""The cures that a real run tells, typed in and run."""

from itertools import chain

from builders.snippets import paste
from builders.workflows import Workflow, small_config
from common.files import read_json
from experiment.config import check


def test_snippet_of_a_run_gives_the_numbers_that_are_told(small_mnist, tmp_path):
    config = small_config(small_mnist)
    config["defaults"] |= {"epochs": 40, "lr": 0.05, "hidden": [16], "activation": {"name": "LeakyReLU"}}
    config["losses"] |= {
        "typed": "-mean(y * log(yhat) + (1 - y) * log(1 - yhat))",
        "typed-eps": {"formula": "mean(y * log(yhat + eps) + (1 - y) * log(1 - yhat + eps))", "eps": 1e-7},
    }
    config["normalizations"] |= {"raw": "x", "nothing": "x * 1e-30"}
    config["variants"] = {
        "raw": {"loss": "typed", "normalization": "raw"},
        "sign": {"loss": "typed-eps", "normalization": "unit", "seeds": [2]},
        "pixels": {"loss": "bce", "normalization": "nothing", "activation": {"name": "ELU", "alpha": 0.5}},
        "decay": {
            "loss": "bce",
            "normalization": "unit",
            "optimizer": {"name": "SGD", "weight_decay": 90.0, "momentum": 0.5},
        },
        "hidden": {"loss": "typed", "normalization": "raw", "hidden": [], "lr": 1e-3, "epochs": 60},
    }
    workflow = Workflow(tmp_path / "cases", config)
    workflow.ok("--cores", "2")
    told = {}
    for name in config["variants"]:
        seeds = read_json(workflow / f"results/variants/{name}/metrics.json")["seeds"]
        told[name] = [one for seed in seeds for one in seed["cures"]]
    assert all(told.values()), told
    paste(workflow, list(chain.from_iterable(told.values())), tmp_path / "pasted")
    # As the page has it, the same settings.
    page = (workflow / "results/report.html").read_text()
    assert "raw-stable" in page
    assert check(config).variants["raw"]["activation"] == ["LeakyReLU", []]
