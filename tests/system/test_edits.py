"""config.yaml is edited while a run is alive: the run goes on with what it began with, and the page shows that."""

import html
import importlib.util
import json
import re
import subprocess
from pathlib import Path

import pytest

from builders.waiting import LONG, wait_for
from builders.workflows import Workflow, copy_project, small_config

# Each training says that it is there, and waits until it may go on.
WAITS = """\
        import time
        from pathlib import Path

        Path("there").touch()
        while not Path("go-on").exists():
            time.sleep(0.05)
"""
needs_cluster = pytest.mark.skipif(
    not importlib.util.find_spec("snakemake_executor_plugin_cluster_generic"),
    reason="snakemake-executor-plugin-cluster-generic is not here",
)
COMMENT = "# the first try\n"


@pytest.fixture
def project(tmp_path, small_mnist) -> Workflow:
    """A copy of the project whose trainings wait; its config has a comment."""
    snakefile = copy_project(tmp_path)
    script = tmp_path / "workflow/scripts/train.py"
    begin, of, end = script.read_text().partition("        trained = train(settings")
    assert of
    script.write_text(begin + WAITS + of + end)
    config = small_config(small_mnist) | {"diagnosis": {"trials": 1}}
    config["defaults"]["seeds"] = [1]
    workflow = Workflow(tmp_path / "run", config, snakefile)
    path = workflow / "config.yaml"
    path.write_text(COMMENT + path.read_text())
    return workflow


def forked(workflow: Workflow, folder: Path) -> list[str]:
    return ["--cores", "1"]


def without_forks(workflow: Workflow, folder: Path) -> list[str]:
    (workflow.snakefile.parent / "workflow/scripts/running/forks.py").write_text("raise SystemExit(1)")
    return ["--cores", "1"]


def on_a_cluster(workflow: Workflow, folder: Path) -> list[str]:
    """Each job is a snakemake of its own, which reads the Snakefile when it starts."""
    submit = folder / "submit"
    submit.write_text('#!/bin/sh\nnohup sh "$1" > "$1.log" 2>&1 &\necho $!\n')
    submit.chmod(0o755)
    of_executor = ["--executor", "cluster-generic", "--cluster-generic-submit-cmd", str(submit), "--jobs", "1"]
    return [*of_executor, "--seconds-between-status-checks", "1"]


def run_and_edit(workflow: Workflow, arguments: list[str], edited: str) -> str:
    """A run, in which config.yaml becomes this text while the first model is trained; what it said."""
    with (workflow / "said").open("w") as said:
        run = subprocess.Popen(workflow.command(*arguments), stdout=said, stderr=said)
        try:
            wait_for(lambda: (workflow / "there").exists() or run.poll() is not None)
            (workflow / "config.yaml").write_text(edited)
            (workflow / "go-on").touch()
            run.wait(LONG)
        finally:
            run.kill()
            run.wait()
    text = (workflow / "said").read_text()
    assert run.returncode == 0, text
    return text


def shown(workflow: Workflow) -> str:
    """config.yaml, as the page shows it."""
    page = (workflow / "results/report.html").read_text()
    (text,) = re.findall(r"<summary>config\.yaml, as .*?</summary>.*?<pre[^>]*>(.*?)</pre>", page, re.DOTALL)
    return html.unescape(text)


@pytest.mark.parametrize("how", [forked, without_forks, pytest.param(on_a_cluster, marks=needs_cluster)])
def test_edit_during_a_run_is_neither_used_nor_shown(project, tmp_path, how):
    typed = (project / "config.yaml").read_text()
    edited = typed.replace("the first try", "the second try")
    for before, after in {"epochs: 5": "epochs: 6", "trials: 1": "trials: 2", "yhat - 1": "yhat - 2"}.items():
        assert before in edited
        edited = edited.replace(before, after)
    said = run_and_edit(project, how(project, tmp_path), edited)
    for variant in ("good", "bad"):
        record = json.loads((project / f"results/variants/{variant}/1/training.json").read_text())
        assert record["settings"]["epochs"] == 5, variant
    for loss in ("bce", "negative-log"):
        assert "yhat - 2" not in (project / f"results/losses/{loss}.json").read_text()
    assert "trained with other settings" not in said + (project / "results/report.html").read_text()
    assert shown(project) == typed
    assert {"train": 2, "chart": 1, "diagnose": 2}.items() <= project.jobs().items()
