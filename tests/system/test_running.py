"""What stands around the jobs: one run at a time, and a Snakemake whose internals have changed."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import snakemake

from builders.mirrors import serving
from builders.waiting import wait_for
from builders.workflows import Workflow, copy_project, outputs, small_config
from images.mnist import MNIST_FILES
from running.lock import LOCK


@pytest.fixture(scope="module")
def live(finished, small_mnist, tmp_path_factory) -> Workflow:
    """A finished working directory in which a run is alive, and waits for a mirror."""
    workflow = finished.copy(tmp_path_factory.mktemp("live") / "run")
    log = workflow / "results/logs/download.log"
    log.unlink()
    with serving(small_mnist) as url:
        workflow.config["data"] |= {"mirrors": [f"{url}/held-at-0"], "timeout": 600}
        workflow.write_config()
        (workflow / "results/data/raw" / MNIST_FILES[0]).unlink()
        run = subprocess.Popen(workflow.command("--cores", "1"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(lambda: log.exists() or run.poll() is not None)
        assert run.poll() is None
        yield workflow
        assert run.poll() is None  # whatever was tried beside it
        run.kill()
        run.wait()


def files(workflow: Workflow) -> set[Path]:
    return {path for path in (workflow / "results").rglob("*") if path.is_file() and "raw" not in path.parts}


@pytest.mark.parametrize(
    "arguments",
    [
        ["--cores", "1"],
        ["--cores", "1", "--touch"],
        ["--delete-all-output"],
        ["--unlock"],
        ["--cores", "1", "--report", "r.html", "--report-after-run"],
    ],
)
def test_beside_a_live_run_what_would_change_results_is_refused_in_one_line(live, arguments):
    before = files(live)
    result = live.run(*arguments)
    assert result.returncode == 1
    lines = [line for line in result.stderr.splitlines() if not line.startswith("Using workflow specific profile")]
    assert lines == ["error: results: another run is alive here; snakemake -n, --summary and --report answer meanwhile"]
    assert files(live) >= before


def test_folder_that_shares_the_results_sees_the_run(live, tmp_path):
    (tmp_path / "results").symlink_to(live / "results")
    result = Workflow(tmp_path, live.config).run("--cores", "1")
    assert (result.returncode, "another run is alive here" in result.stderr) == (1, True)


@pytest.mark.parametrize(
    "arguments",
    [["--dry-run"], ["--summary"], ["--dag"], ["--list-changes", "params"], ["--report", "beside.html"], ["--lint"]],
    ids=" ".join,
)
def test_beside_a_live_run_what_only_looks_answers(live, arguments):
    result = live.ok(*arguments)
    assert result.stdout or (live / "beside.html").exists()


def changed(folder: Path, package: str, old: str, new: str) -> dict[str, str]:
    """An environment in which a package of Snakemake has another name for something, as a release may."""
    site = Path(snakemake.__file__).parents[1]
    copy = shutil.copytree(site / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    count = 0
    for path in copy.rglob("*.py"):
        text, found = re.subn(rf"\b{old}\b", new, path.read_text())
        count += found
        path.write_text(text)
    assert count
    # The project's own modules come first, and Python looks here before it looks at what is installed.
    return os.environ | {"PYTHONPATH": str(folder)}


@pytest.mark.parametrize(
    ("package", "old", "said"),
    [
        ("snakemake", "execute_script", "warning: Snakemake has no snakemake.script.PythonScript.execute_script: jobs"),
        ("snakemake", "rule_name", "warning: Snakemake's own lines are shown: KeyError: 'rule_name'"),
    ],
)
def test_run_ends_well_with_a_snakemake_that_has_renamed_what_is_used(copy, finished, tmp_path, package, old, said):
    shutil.rmtree(copy / "results/variants/good")
    environment = changed(tmp_path / "site", package, old, "renamed_since")
    result = copy.run("--cores", "2", "results/variants/good/yhat.png", env=environment)
    assert result.returncode == 0, result.stderr
    warnings = [line for line in result.stderr.splitlines() if line.startswith("warning: ")]
    assert len(warnings) == 1 and warnings[0].startswith(said)
    assert "Traceback" not in result.stderr
    assert "rule plot:" in result.stderr  # Snakemake's own lines
    assert outputs(copy) == outputs(finished)


SPIED = """\
        with open("times", "a") as file:
            print(begun, time.monotonic(), file=file)
"""


def test_seeds_of_one_variant_train_side_by_side(small_mnist, tmp_path):
    """Four on two cores; each job writes down when its training begins and ends."""
    snakefile = copy_project(tmp_path)
    script = tmp_path / "workflow/scripts/train.py"
    begin, of, end = script.read_text().partition("        trained = train(settings")
    assert of
    script.write_text(f"import time\n{begin}        begun = time.monotonic()\n{of}{end}" + SPIED)
    config = small_config(small_mnist)
    config["defaults"] |= {"epochs": 5_000, "seeds": [1, 2, 3, 4]}
    workflow = Workflow(tmp_path / "run", config, snakefile)
    models = [f"results/variants/good/{seed}/training.json" for seed in config["defaults"]["seeds"]]
    workflow.ok("--cores", "2", *models)
    spans = sorted(tuple(map(float, line.split())) for line in (workflow / "times").read_text().splitlines())
    assert len(spans) == len(models)
    for place, (begun, ended) in enumerate(spans):
        others = spans[:place] + spans[place + 1 :]
        assert any(begun < end and start < ended for start, end in others), spans
        # No more than two at once.
        assert sum(start <= begun < end for start, end in others) <= 1, spans


def test_lock_is_that_of_the_results_and_a_killed_run_leaves_none(small_mnist, tmp_path):
    workflow = Workflow(tmp_path, small_config(small_mnist))
    command = [*workflow.command("--cores", "1"), "results/data/digits.pt"]
    run = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for(lambda: (workflow / "results" / LOCK).exists() or run.poll() is not None)
    run.kill()
    run.wait()
    workflow.ok("--cores", "1", "results/data/digits.pt")
    assert not list((workflow / ".snakemake/locks").iterdir())
