"""What a dry run imports."""

import subprocess
import sys

from builders.workflows import Workflow, small_config


def test_dry_run_imports_no_package_of_the_jobs(small_mnist, tmp_path):
    def imported(workflow: Workflow) -> set[str]:
        command = [sys.executable, "-X", "importtime", *workflow.command("--dry-run")[1:]]
        lines = subprocess.run(command, capture_output=True, text=True, check=True).stderr.splitlines()
        return {line.split("|")[2].strip() for line in lines if line.startswith("import time:")}

    (tmp_path / "Snakefile").write_text("rule all:\n")
    # The executor plugin for Slurm imports pandas, whatever the workflow.
    by_itself = imported(Workflow(tmp_path, {}, tmp_path / "Snakefile"))
    ours = imported(Workflow(tmp_path / "ours", small_config(small_mnist)))
    assert "snakemake" in ours & by_itself
    assert not (ours - by_itself) & {"torch", "torchvision", "pandas", "matplotlib", "altair"}
