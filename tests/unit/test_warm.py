"""Jobs as forks of one process: each is what it would be by itself, and nothing is left of them."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
from snakemake.benchmark import BenchmarkRecord

from builders.places import ROOT
from builders.processes import gone, is_alive
from running.warm import MATPLOTLIB, TORCH, Warm, end_of, read_number

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="jobs are forks on Linux alone")


@pytest.fixture
def warm(request):
    """A process that has imported what a test asks for: nothing, since torch takes seconds."""
    warm = Warm(getattr(request, "param", ()))
    yield warm
    if warm._process:
        warm.stop()


def status_of(warm: Warm, folder: Path, text: str, variables: dict | None = None) -> int | None:
    script = folder / f"{abs(hash(text))}.py"
    script.write_text(text)
    _, reading = warm.start(str(script), variables or {})
    status = read_number(reading)
    os.close(reading)
    return status


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("x = 1", 0),
        ("import sys; sys.exit()", 0),
        ("import sys; sys.exit(7)", 7),
        ("import sys; sys.exit('error: of a user')", 1),
        ("1 / 0", 1),
        ("this is no Python", 1),
        ("import os; os._exit(3)", 3),
        ("import os; os.kill(os.getpid(), 9)", -9),
        ("import os; os.kill(os.getpid(), 2)", -2),
        ("import sys; sys.exit(True)", 1),
        ("import sys; sys.exit(300)", 44),
        ("import sys; sys.exit(-1)", 255),
        ("import sys; sys.exit('')", 1),
        ("import sys; sys.exit((1, 2))", 1),
        ("import atexit, os; atexit.register(os._exit, 5)", 5),
    ],
)
def test_exit_status_is_told(warm, tmp_path, text, status):
    python = [sys.executable, "-c", text]
    assert subprocess.run(python, capture_output=True, check=False).returncode == status
    assert status_of(warm, tmp_path, text) == status


@pytest.mark.parametrize("warm", [TORCH], indirect=True, ids=["torch"])
def test_job_is_what_it_would_be_by_itself(warm, tmp_path, monkeypatch):
    (tmp_path / "beside.py").write_text("here = 5")
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("MINE", "1")
    monkeypatch.chdir(tmp_path)
    text = """
import json, os, sys, tempfile, threading
import beside
import torch
found = {
    "name": [__name__, sys.modules["__main__"].__dict__ is globals()], "argv": sys.argv == [__file__],
    "path": os.path.dirname(__file__) == sys.path[0], "cwd": os.getcwd(), "tmp": tempfile.gettempdir(),
    "variables": [os.environ[name] for name in ("MINE", "OMP_NUM_THREADS")],
    "threads": [torch.get_num_threads(), threading.active_count()],
    "of the project": [name for name in sys.modules if name.split(".")[0] in ("common", "training", "forks")],
    "beside": beside.here,
}
json.dump(found, open("found.json", "w"))
"""
    assert status_of(warm, tmp_path, text, {"TMPDIR": str(tmp_path / "tmp")}) == 0
    assert json.loads((tmp_path / "found.json").read_text()) == {
        "name": ["__main__", True],
        "argv": True,
        "path": True,
        "cwd": str(tmp_path),
        "tmp": str(tmp_path / "tmp"),
        "variables": ["1", "1"],
        "threads": [1, 1],
        "of the project": [],
        "beside": 5,
    }


def test_job_that_ended_can_be_measured_until_its_status_was_read(warm, tmp_path):
    (tmp_path / "job.py").write_text("import os; os._exit(4)")
    pid, reading = warm.start(str(tmp_path / "job.py"), {})
    assert gone(pid)
    assert psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    assert read_number(reading) == 4
    os.close(reading)
    end = time.monotonic() + 20
    while psutil.pid_exists(pid) and time.monotonic() < end:
        time.sleep(0.01)
    assert not psutil.pid_exists(pid)


def test_bytecode_of_the_project_alone_is_kept_where_python_is_to_write_none(warm, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "beside.py").write_text("here = 5")
    scripts = ROOT / "workflow/scripts"
    text = f"""
import sys
sys.path.insert(0, {str(scripts)!r})
import beside, common.english
assert sys.dont_write_bytecode and sys.pycache_prefix is None
sys.exit(beside.here if common.english.counted(2, "word") == "2 words" else 1)
"""
    assert status_of(warm, tmp_path, text) == 5
    _, kept = sorted((tmp_path / ".snakemake/bytecode").rglob("*.pyc"))
    assert kept.name.startswith("english.") and str(kept.parent).endswith(str(scripts / "common"))
    written = kept.stat().st_mtime_ns
    assert status_of(warm, tmp_path, text) == 5
    assert kept.stat().st_mtime_ns == written
    assert list(tmp_path.rglob("__pycache__")) == []


@pytest.mark.parametrize("packages", [TORCH, MATPLOTLIB])
def test_job_finds_imported_what_its_process_is_for_and_no_more(tmp_path, packages):
    text = f"""
import sys
assert set({packages!r}) <= set(sys.modules)
assert ("torch" in sys.modules, "matplotlib" in sys.modules) == {(packages is TORCH, packages is MATPLOTLIB)}
"""
    warm = Warm(packages)
    try:
        assert status_of(warm, tmp_path, text) == 0
    finally:
        warm.stop()


@pytest.mark.parametrize("seconds", [0.0, 1.5])
def test_benchmark_of_a_job_says_what_it_took(warm, tmp_path, seconds):
    text = f"""
import time
held = b"x" * 300_000_000
end = time.process_time() + 0.3
while time.process_time() < end:
    pass
time.sleep({seconds})
"""
    (tmp_path / "job.py").write_text(text)
    record = BenchmarkRecord()
    pid, reading = warm.start(str(tmp_path / "job.py"), {})
    assert end_of(pid, reading, record) == 0
    os.close(reading)
    assert 285 < record.max_rss < 1000
    assert 0.3 <= record.cpu_time <= record.running_time - seconds + 0.5
    assert record.mean_load() == pytest.approx(100 * record.cpu_time / record.running_time)
    assert record.max_pss or not seconds


@pytest.mark.parametrize("seconds", [0, 1.5])
def test_job_that_was_killed_has_an_end_without_a_benchmark(warm, tmp_path, seconds):
    (tmp_path / "job.py").write_text(f"import os, time; time.sleep({seconds}); os.kill(os.getpid(), 9)")
    for record in (BenchmarkRecord(), None):
        pid, reading = warm.start(str(tmp_path / "job.py"), {})
        assert end_of(pid, reading, record) == -9
        os.close(reading)


def test_many_at_once_are_told_apart(warm, tmp_path):
    def run(place: int) -> int:
        return status_of(warm, tmp_path, f"import sys, time; time.sleep({0.01 * (place % 7)}); sys.exit({place})")

    with ThreadPoolExecutor(20) as pool:
        assert list(pool.map(run, range(60))) == list(range(60))


def test_without_such_a_process_there_is_no_job(warm, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    assert warm.start(str(tmp_path / "none.py"), {}) is None
    assert not warm.is_usable


def test_process_that_was_killed_is_not_used_again(warm, tmp_path):
    assert status_of(warm, tmp_path, "pass") == 0
    warm._process.kill()
    warm._process.wait()
    assert warm.start(str(tmp_path / "none.py"), {}) is None
    assert not warm.is_usable


@pytest.mark.parametrize("number_of_signal", [signal.SIGKILL, signal.SIGTERM])
def test_process_ends_with_the_one_that_started_it(tmp_path, number_of_signal):
    (tmp_path / "job.py").write_text("pass")
    text = f"""
import sys, time
sys.path.insert(0, {str(ROOT / "workflow/scripts")!r})
from running.warm import Warm
warm = Warm(())
warm.start({str(tmp_path / "job.py")!r}, {{}})
print(warm._process.pid, flush=True)
time.sleep(60)
"""
    process = subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE, text=True)
    forks = int(process.stdout.readline())
    assert is_alive(forks)
    process.send_signal(number_of_signal)
    process.wait()
    assert gone(forks)
