"""A workflow that has this one as a module."""

import pytest

from builders.places import ROOT
from builders.workflows import Workflow, small_config


@pytest.fixture
def module(small_mnist, tmp_path, monkeypatch) -> Workflow:
    """A workflow of somebody else that has this one as a module, with paths of its own, and makes rows.txt of it."""
    monkeypatch.chdir(tmp_path)  # where no profiles/default is
    workflow = Workflow(tmp_path / "parent", {"digits": small_config(small_mnist)}, tmp_path / "parent" / "Snakefile")
    workflow.snakefile.write_text(f"""
configfile: "config.yaml"

module digits:
    snakefile: {str(ROOT / "Snakefile")!r}
    config: config["digits"]
    prefix: "digits"

use rule * from digits as digits_*

use rule train from digits as digits_train with:
    threads: 1

rule count:
    default_target: True
    input: "digits/results/summary.csv"
    output: "rows.txt"
    shell: "wc -l < {{input}} > {{output}}"
""")
    return workflow
