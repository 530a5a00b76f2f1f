"""A process that jobs are forks of, which running/warm.py starts: `forks.py DESCRIPTOR PACKAGE…`, of a socket.

It imports packages of others alone, so that a job sees the project as it is when the job starts. A message is a JSON
with the path of a script, its working directory and more variables of its environment, and the file descriptor that is
told, 8 bytes each, the process ID and then, together, the exit status, the largest memory (KB) and the CPU time (ms);
these two are 0 where Python was not left to end the job.
"""

import atexit
import contextlib
import gc
import json
import os
import resource
import runpy
import select
import signal
import socket
import sys
import tempfile
import traceback
from importlib import import_module
from importlib.machinery import SOURCE_SUFFIXES, FileFinder, SourceFileLoader
from pathlib import Path

SCRIPTS_FOLDER = Path(__file__).resolve().parents[1]
LONGEST_MESSAGE = 1 << 20  # bytes of a message


def serve(control: socket.socket, handler) -> tuple[str, int]:
    """Fork for each message, and tell how each fork ended. Ends with the process at the other end; returns in each
    fork, what its script is and where its end is told.

    handler: what the forks do at Ctrl-C.
    """
    running: dict[int, tuple[int, int]] = {}  # by what shows that a fork ended: its process ID, and who is told
    unread: dict[int, int] = {}  # by who was told, and has not read it: the process ID
    events = select.poll()
    events.register(control, select.POLLIN)
    while True:
        for descriptor, _ in events.poll():
            if descriptor == control.fileno():
                content, descriptors, _, _ = socket.recv_fds(control, LONGEST_MESSAGE, 1)
                if not content:
                    sys.exit()
                (told,) = descriptors
                pid = os.fork()
                if pid == 0:
                    for other in (control.detach(), *running, *(told for _, told in running.values()), *unread):
                        os.close(other)
                    tell(told, os.getpid())
                    return _prepared(json.loads(content), handler), told
                end = os.pidfd_open(pid)
                running[end] = pid, told
                events.register(end, select.POLLIN)
                continue
            events.unregister(descriptor)
            os.close(descriptor)
            if descriptor in running:
                pid, told = running.pop(descriptor)
                end = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
                tell(told, end.si_status if end.si_code == os.CLD_EXITED else -end.si_status, 0, 0)
                # Until that was read, the process ID is not another's: it may just be about to be measured.
                unread[told] = pid
                events.register(told, 0)
            else:
                os.waitpid(unread.pop(descriptor), 0)


def tell(told: int, *numbers: int) -> None:
    with contextlib.suppress(BrokenPipeError):  # nobody wants to know
        os.write(told, b"".join(number.to_bytes(8, "little", signed=True) for number in numbers))


def _prepared(job: dict, handler) -> str:
    signal.signal(signal.SIGINT, handler)
    os.chdir(job["folder"])
    os.environ |= job["variables"]
    tempfile.tempdir = None  # what TMPDIR was before
    return job["script"]


class KeptBytecode(SourceFileLoader):
    """Modules of the project where Python is to write no bytecode beside them, as in images of containers: without any,
    each job would compile some fifty of them anew, a fifth of a short training."""

    def get_code(self, fullname):
        before = sys.dont_write_bytecode, sys.pycache_prefix
        sys.dont_write_bytecode, sys.pycache_prefix = False, str(Path(".snakemake/bytecode").absolute())
        try:
            return super().get_code(fullname)
        finally:
            sys.dont_write_bytecode, sys.pycache_prefix = before

    @classmethod
    def finder(cls, path: str) -> FileFinder:
        if not Path(path).is_relative_to(SCRIPTS_FOLDER):
            raise ImportError  # another finder's
        return FileFinder(path, (cls, SOURCE_SUFFIXES))


def run(script: str, told: int) -> None:
    """Run a script, and end as Python does; but free no memory before: of a fork, that takes a fifth of a second.

    told: the exit status here, too, for the process that would tell it may be killed, and knows less.
    """
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
    used = resource.getrusage(resource.RUSAGE_SELF)
    tell(told, status & 0xFF, used.ru_maxrss, round(1000 * (used.ru_utime + used.ru_stime)))
    os._exit(status & 0xFF)


if __name__ == "__main__":
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the jobs
    if handler is signal.default_int_handler:
        handler = signal.SIG_DFL  # without a traceback
    sys.path_importer_cache.pop(sys.path.pop(0), None)  # this folder, whose modules are no packages of others
    gc.disable()
    try:
        os.close(os.pidfd_open(os.getpid()))  # which not every Linux has
        for package in sys.argv[2:]:
            import_module(package)
    except Exception:  # whatever it is: a job tells it, which is then run without this process
        sys.exit(1)
    if sys.dont_write_bytecode:
        sys.path_hooks.insert(0, KeptBytecode.finder)
    gc.freeze()
    gc.enable()
    run(*serve(socket.socket(fileno=int(sys.argv[1])), handler))
