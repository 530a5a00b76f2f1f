"""Where others look for the workflow."""

import yaml

from builders.places import ROOT
from builders.workflows import Workflow


def test_workflow_is_found_where_the_catalog_looks(finished):
    stub = Workflow(finished.folder, finished.config, ROOT / "workflow/Snakefile")
    assert stub.jobs() == {}
    assert stub.jobs("--forcerun", "plot") == {"plot": 2, "report": 1}
    assert yaml.safe_load((ROOT / ".snakemake-workflow-catalog.yml").read_text())["usage"]
    assert (ROOT / "config/README.md").exists()
