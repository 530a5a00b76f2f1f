"""The process that jobs are forks of, which common/warm.py starts: `forks.py DESCRIPTOR`, of a socket.

It imports packages of others alone, so that a job sees the project as it is when the job starts. A message is a JSON
with the path of a script, its working directory and more variables of its environment, and the file descriptor that is
told the process ID and then the exit status, 8 bytes each.
"""

import atexit
import contextlib
import gc
import json
import os
import runpy
import select
import signal
import socket
import sys
import tempfile
import traceback
from importlib import import_module
from pathlib import Path

LONGEST = 1 << 20  # bytes of a message


def serve(control: socket.socket, handler) -> str:
    """Fork for each message. Ends with the process at the other end; returns in each fork, what its script is.

    handler: what the forks do at Ctrl-C.
    """
    while True:
        content, descriptors, _, _ = socket.recv_fds(control, LONGEST, 1)
        with contextlib.suppress(ChildProcessError):  # none
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        if not content:
            sys.exit()
        if os.fork() == 0:
            control.close()
            return _watched(json.loads(content), descriptors[0], handler)
        os.close(descriptors[0])


def _watched(job: dict, told: int, handler) -> str:
    """Fork once more, and wait for it: who does so can tell its exit status, while the next message is answered."""
    pid = os.fork()
    if pid:
        os.write(told, pid.to_bytes(8, "little"))
        end = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        status = end.si_status if end.si_code == os.CLD_EXITED else -end.si_status
        with contextlib.suppress(BrokenPipeError):  # nobody wants to know
            os.write(told, status.to_bytes(8, "little", signed=True))
        # Until that was read, the process ID is not another's: it may just be about to be measured.
        closed = select.poll()
        closed.register(told, 0)
        closed.poll()
        os.waitpid(pid, 0)
        os._exit(0)
    os.close(told)
    signal.signal(signal.SIGINT, handler)
    os.chdir(job["folder"])
    os.environ |= job["variables"]
    tempfile.tempdir = None  # what TMPDIR was before
    return job["script"]


def run(script: str) -> None:
    """Run a script, and end as Python does; but free no memory before: of a fork, that takes a fifth of a second."""
    sys.argv = [script]
    sys.path.insert(0, str(Path(script).parent))
    status = 0
    try:
        runpy.run_path(script, run_name="__main__")
    except SystemExit as end:
        if isinstance(end.code, int):
            status = end.code
        elif end.code is not None:
            print(end.code, file=sys.stderr)
            status = 1
    except Exception:
        traceback.print_exc()
        status = 1
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status & 0xFF)


if __name__ == "__main__":
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the jobs
    sys.path.pop(0)  # this folder, whose modules are no packages of others
    gc.disable()
    try:
        # What the scripts import, and what Snakemake puts before them.
        for package in ("torch", "matplotlib.pyplot", "snakemake.iocontainers", "snakemake.logging"):
            import_module(package)
    except Exception:  # whatever it is: a job tells it, which is then run without this process
        sys.exit(1)
    gc.freeze()
    gc.enable()
    run(serve(socket.socket(fileno=int(sys.argv[1])), handler))
