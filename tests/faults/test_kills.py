"""A run that is killed as its nth file appears, again and again: the next plain run ends in the same bytes."""

import os
import random
import signal
import subprocess
import time

import pytest
from conftest import Workflow, cases, small_config
from test_workflow import outputs

MOST = 8  # files that a run may make before it is killed


def files(workflow: Workflow) -> set[str]:
    """All there is under results/ and .snakemake/, what is not renamed yet included."""
    found = set()
    for top in ("results", ".snakemake"):
        for folder, _, names in os.walk(workflow / top):
            found.update(os.path.join(folder, name) for name in names)  # noqa: PTH118 (a hundred times a second)
    return found


def run_until(workflow: Workflow, count: int, *arguments: str) -> bool:
    """Whether a run ended before it had made `count` files; else it is killed as it makes that one."""
    before = files(workflow)
    process = subprocess.Popen(
        workflow.command("--cores", "2", *arguments),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    end = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < end:
        if len(files(workflow) - before) >= count:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return False
        time.sleep(0.001)
    assert process.wait(1) == 0
    return True


@pytest.mark.parametrize("seed", range(cases(1, 16)))
def test_run_that_is_killed_again_and_again_ends_in_the_same_bytes(
    finished, small_mnist, tmp_path, record_property, seed
):
    chance = random.Random(seed)
    workflow = Workflow(tmp_path / "killed", small_config(small_mnist))
    kills = 0
    while kills < cases(8, 40) and not run_until(workflow, chance.randint(1, MOST + kills)):
        kills += 1
    workflow.ok("--cores", "2")
    assert outputs(workflow) == outputs(finished)
    assert workflow.jobs() == {}
    left = [path for path in (workflow / "results").rglob(".*") if path.name != ".snakemake_timestamp"]
    assert left == []
    record_property("table", f"{kills} kills, none lost")


def test_edit_that_was_killed_and_undone_is_undone(copy, finished):
    copy.config["variants"]["good"]["epochs"] = 7
    copy.write_config()
    assert not run_until(copy, 3)
    del copy.config["variants"]["good"]["epochs"]
    copy.write_config()
    copy.ok("--cores", "2")
    assert outputs(copy) == outputs(finished)
