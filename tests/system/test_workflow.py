"""The real snakemake as others use it: killed, as a module, with a storage plugin, by the page's recipe."""

import html
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from builders.digits import md5_of
from builders.places import ROOT
from builders.waiting import LONG
from builders.workflows import Workflow, copy_project, outputs, read_summary, small_config
from running.lock import LOCK


def test_download_that_was_killed_does_not_stop_the_next_one(copy):
    """Snakemake copies what is updated before the job, and stumbles over the copy that a dead run has left."""
    raw, backup = copy / "results/data/raw", copy / ".snakemake/backups/results/data/raw"
    files = {path.name: path.read_bytes() for path in raw.iterdir()}
    shutil.copytree(raw, backup)
    shutil.rmtree(raw)
    copy.ok("--cores", "1", "--forcerun", "download", "results/data/raw")
    assert {path.name: path.read_bytes() for path in raw.iterdir()} == files
    assert not backup.exists()


def test_without_mirrors_the_run_ends_with_a_report_that_says_so(small_mnist, tmp_path):
    config = small_config(small_mnist)
    config["data"] = {"mirrors": ["http://127.0.0.1:9/"], "timeout": 2}
    config["variants"] = {"good": config["variants"]["good"]}
    workflow = Workflow(tmp_path / "offline", config)
    result = workflow.ok("--cores", "4")
    assert "NO MIRROR ANSWERED" in result.stderr
    assert "NO MIRROR ANSWERED" in (workflow / "results/logs/download.log").read_text()
    page = (workflow / "results/report.html").read_text()
    assert "This is the small sample, not MNIST" in page
    assert "snakemake --cores 4 --forcerun download" in page
    assert "http://127.0.0.1:9/" in page
    assert read_summary(workflow)[0]["n"] == "800"


def test_recipe_on_the_page_makes_the_same_page(tmp_path, small_mnist):
    """Whatever --directory, --configfile and --config said; followed in a copy of the project."""
    project = tmp_path / "project"
    copy_project(project, "config.yaml")
    config = small_config(small_mnist)
    config["sweeps"] = {"s": {"loss": "bce", "normalization": "unit", "lr": [0.1, 0.01]}}
    config |= {"defaults": config["defaults"] | {"seeds": [1]}, "diagnosis": {"trials": 0}}
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/config.yaml").write_text(yaml.safe_dump(config))
    (tmp_path / "more.yaml").write_text(yaml.safe_dump({"variants": {"bad": {"hidden": [3]}}}))
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}

    def run(command: str) -> None:
        subprocess.run(command, shell=True, check=True, cwd=project, env=environment, timeout=LONG, capture_output=True)

    asked = "--directory ../elsewhere --configfile ../more.yaml --config 'defaults={\"epochs\": 4}'"
    run(f"snakemake --cores 2 {asked}")
    results = tmp_path / "elsewhere/results"
    page = (results / "report.html").read_text()
    recipe = html.unescape(page.split('id="recipe">')[1].split("</pre>")[0])
    run(recipe)

    again = project / "again/results"
    assert {path.name for path in (again / "variants").iterdir()} == {"good", "bad", "s-lr=0.1", "s-lr=0.01"}
    for name in (
        "config.yaml",
        "variants/bad/1/predictions.npz",
        "variants/s-lr=0.1/1/history.csv",
        "comparison/changes.json",
    ):
        assert (again / name).read_bytes() == (results / name).read_bytes(), name
    assert yaml.safe_load((again / "config.yaml").read_text())["variants"]["bad"]["hidden"] == [3]
    # The file runs as it is, too, over the config that it was made of: there is nothing left to do.
    done = subprocess.run(
        ["snakemake", "-n", "--directory", "../elsewhere", "--configfile", str(again / "config.yaml")],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Nothing to be done" in done.stdout + done.stderr


@pytest.mark.parametrize("entry", ["Snakefile", "workflow/Snakefile"])
def test_module_of_another_workflow_gets_the_rules_and_nothing_else(module, entry):
    text = module.snakefile.read_text()
    module.snakefile.write_text(text.replace(str(ROOT / "Snakefile"), str(ROOT / entry)))
    said = module.ok("--cores", "4").stderr
    assert (module / "rows.txt").read_text().strip() == "5"
    assert module.jobs() == {}
    assert "rule digits_train:" in said and "mnist01:" not in said  # the terminal is Snakemake's
    assert not list(module.folder.rglob(LOCK))
    assert not (module / "results").exists()


@pytest.mark.skipif(not shutil.which("rsync"), reason="the fs storage plugin copies with rsync, which is not here")
def test_runs_with_a_default_storage_provider(small_mnist, tmp_path):
    """All results are kept by a storage plugin; the project's own code is no storage object."""
    config = small_config(small_mnist)
    config["variants"]["bad"]["seeds"] = [1]
    workflow = Workflow(tmp_path / "stored", config)
    storage = ["--default-storage-provider", "fs", "--default-storage-prefix", str(tmp_path / "storage")]
    storage += ["--shared-fs-usage", "none"]
    workflow.ok("--cores", "4", *storage)
    results = tmp_path / "storage/results"
    assert "2 variants compared" in (results / "report.html").read_text()
    assert (results / "variants/good/2/model.pt").exists()
    assert not (workflow / "results/report.html").exists()
    assert workflow.jobs(*storage) == {}


def test_failing_download_loses_nothing(copy, finished):
    copy.config["data"]["mirrors"] = ["nowhere"]
    copy.config["data"]["md5"]["t10k-labels-idx1-ubyte.gz"] = "0" * 32
    copy.write_config()
    result = copy.run("--cores", "4")
    assert result.returncode == 1
    assert md5_of(copy / "results/data/raw") == md5_of(finished / "results/data/raw")
    assert outputs(copy) == outputs(finished)


def test_command_line_overrides_any_key(finished):
    again = {"train": 4, "diagnose": 2, "plot": 2, "compare": 1, "report": 1}
    assert finished.jobs("--config", 'defaults={"epochs": 6}') == again
    assert finished.jobs("--config", 'defaults={"epochs": 5}') == {}


@pytest.mark.parametrize("file", ["variants/good/metrics.json", "variants/good/2/training.json", "losses/bce.json"])
def test_one_variant_model_or_loss_can_be_asked_for(copy, file):
    path = copy / "results" / file
    path.unlink()
    text = copy.ok("--cores", "1", f"results/{file}").stderr
    assert path.exists() and "; 1 job on 1 core" in text


@pytest.mark.parametrize(
    ("file", "said"),
    [
        (
            "results/variants/goood/metrics.json",
            "a file of variant 'goood' is asked for; found no such",
        ),
        (
            "results/variants/goood/1/training.json",
            "a file of variant 'goood' is asked for; found no such variant in config.yaml; did you mean 'good'?",
        ),
        (
            "results/variants/good/3/training.json",
            "a file of seed '3' is asked for; found no such seed in variant 'good'; expected one of: 1, 2",
        ),
        ("results/variants/goood/yhat.png", "a file of variant 'goood' is asked for; found no such"),
        (
            "results/losses/bec.json",
            "a file of loss 'bec' is asked for; found no such loss in config.yaml; did you mean 'bce'?",
        ),
        ("results/data/normalized/.pt", None),
        (
            "results/data/normalized/raw.pt",
            "a file of normalization 'raw' is asked for; found no",
        ),
    ],
)
def test_file_of_what_config_yaml_has_not_is_told_in_a_line(copy, file, said):
    told = copy.run("--cores", "1", file)
    assert told.returncode == 1
    last = told.stderr.strip().splitlines()[-1]
    assert last.startswith(f"error: {said}") if said else "No rule to produce" in last
    assert list((copy / ".snakemake/locks").iterdir()) == []
