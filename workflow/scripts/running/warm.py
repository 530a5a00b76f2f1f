"""Run jobs as forks of a process that has imported torch, or matplotlib, which takes most of a short job's time.

A job is what it was: a process of its own that runs its script from the start, with the environment, the benchmark and
the exit status of one that Snakemake starts. Snakemake itself does whatever cannot be done like that: jobs of a
cluster, in a conda environment or a container, on an accelerator; and all of them where this is not Linux, or that
process cannot start or was killed.

Gain: half the CPU time of a run of eight trainings of 30 epochs on the sample, a third of its time.
"""

import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from contextlib import nullcontext
from pathlib import Path
from threading import Lock

# What scripts import, and what Snakemake puts before them. The less a process holds, the less its forks copy.
TORCH = ("torch", "mpmath", "msgspec", "yaml", "snakemake.iocontainers", "snakemake.logging")
MATPLOTLIB = ("matplotlib.figure", "matplotlib.backends.backend_agg", "msgspec", *TORCH[-2:])
# What PIL imports as it writes its first picture.
MATPLOTLIB += ("PIL.BmpImagePlugin", "PIL.GifImagePlugin", "PIL.JpegImagePlugin", "PIL.PpmImagePlugin")
WITH_TORCH = ("extract", "normalize", "chart", "train", "diagnose", "compare")
WARM_SCRIPTS = dict.fromkeys(WITH_TORCH, TORCH) | {"plot": MATPLOTLIB}
# What a script does first: Ctrl-C ends it without a traceback.
AT_CTRL_C = """\
import signal
if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
"""
# As Snakemake sets them for a job of one thread; torch reads them as it is imported.
THREADS = dict.fromkeys([f"{name}_NUM_THREADS" for name in ("OMP", "GOTO", "OPENBLAS", "MKL", "NUMEXPR")], "1")


class Warm:
    """Such a process: it starts with its first job, and ends with this one."""

    def __init__(self, packages: tuple[str, ...]):
        self.packages = packages
        self.is_usable = sys.platform == "linux"
        self._lock, self._control, self._process = Lock(), None, None

    def start(self, script: str, variables: dict[str, str]) -> tuple[int, int] | None:
        """Run a script, with these variables beside those of this process, in this working directory.

        Returns its process ID and a file descriptor, from which `read_number` reads what forks.py tells of its end;
        None where that cannot be done.
        """
        reading, writing = os.pipe()
        try:
            with self._lock:
                if self._control is None:
                    self._begin()
                message = json.dumps({"script": script, "folder": str(Path.cwd()), "variables": variables})
                socket.send_fds(self._control, [message.encode()], [writing])
        except OSError:
            self.is_usable = False
        os.close(writing)
        if (pid := read_number(reading) or 0) > 0:  # else it was killed before it could say so
            return pid, reading
        self.is_usable = False
        os.close(reading)
        return None

    def _begin(self):
        self._control, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = [sys.executable, str(Path(__file__).with_name("forks.py")), str(other.fileno()), *self.packages]
        environment = os.environ | THREADS | {"MPLBACKEND": "agg"}
        self._process = subprocess.Popen(command, env=environment, pass_fds=[other.fileno()])
        other.close()
        atexit.register(self.stop)

    def stop(self):
        self._control.close()
        self._process.wait()


def read_number(reading: int) -> int | None:
    """What is written there next; None where it ends before."""
    content = os.read(reading, 8)
    return int.from_bytes(content, "little", signed=True) if len(content) == 8 else None


def end_of(pid: int, reading: int, record) -> int | None:
    """Wait for a job; its exit status, None where nobody could tell it. record: Snakemake's benchmark of it, or None.

    Snakemake looks at a job as it starts, which says nothing of it and takes 12 ms, and now and then. Here it begins
    after a second, and what a job itself tells at its end counts, which no look can know.
    """
    from snakemake.benchmark import benchmarked

    start = time.time()
    is_long = record and not select.select([reading], [], [], 1)[0]
    with benchmarked(pid, record) if is_long else nullcontext():
        status, memory, cpu = (read_number(reading) for _ in range(3))
    if record:
        record.running_time = time.time() - start
        if memory:
            record.data_collected, record.max_rss, record.cpu_time = True, memory / 1024, cpu / 1000
            record.cpu_usage = 100 * record.cpu_time
    return status


def use_for(scripts: Path) -> None:
    """Let Snakemake run the WARM_SCRIPTS of this folder like that, and end any script at Ctrl-C quietly."""
    from snakemake.script import PythonScript

    processes = {packages: Warm(packages) for packages in WARM_SCRIPTS.values()}
    by_itself = PythonScript.execute_script
    preamble = PythonScript.get_preamble

    def started(script: PythonScript, fname: str) -> tuple[int, int] | None:
        path = Path(script.path.get_path_or_uri(secret_free=True)).resolve()
        is_plain = not (script.conda_env or script.container_img or script.env_modules or script.shadow_dir)
        is_small = script.threads == 1 and not script.resources.get("gpu")
        is_ours = path.parent == scripts and path.stem in WARM_SCRIPTS
        if not (is_ours and is_plain and is_small and (warm := processes[WARM_SCRIPTS[path.stem]]).is_usable):
            return None
        tmp = script.resources.get("tmpdir")
        variables = dict.fromkeys(("TMPDIR", "TMP", "TEMPDIR", "TEMP"), tmp) if tmp else {}
        return warm.start(str(Path(fname).absolute()), variables)

    def execute_script(self, fname, edit=False):
        if (job := started(self, fname)) is None:
            by_itself(self, fname, edit)
            return
        pid, reading = job
        try:
            status = end_of(pid, reading, self.bench_record)
        finally:
            os.close(reading)
        if status != 0:
            raise subprocess.CalledProcessError(-signal.SIGKILL if status is None else status, [sys.executable, fname])

    PythonScript.execute_script = execute_script
    PythonScript.get_preamble = lambda self: AT_CTRL_C + preamble(self)
