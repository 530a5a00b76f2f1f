"""Errors for the person who typed the config or supplied the data, how a job reports them, and what it ends with."""

import errno
import os
import re
import select
import sys
from contextlib import contextmanager, suppress
from difflib import get_close_matches
from pathlib import Path
from threading import Thread

LONGEST_WORD = 300  # characters in an error's line: room for paths
MOST_NAMES = 30
RUN = "MNIST01_RUN"  # the process that jobs end with: its ID, and where that ID holds, since containers have their own
PROCESS_IDS = Path("/proc/self/ns/pid")


class UserError(Exception):
    """Something that the user can mend. Its message is one line: the place, what was found, what was expected."""

    def __init__(self, message: str):
        words = re.split(r"[ \t\r\n]+", message.strip())  # a no-break space is none of it: it is shown as \xa0
        line = " ".join(word if len(word) <= LONGEST_WORD else f"{word[:150]}…{word[-100:]}" for word in words)
        super().__init__("".join(c if c.isprintable() else ascii(c)[1:-1] for c in line))


def why_not_written(path: str | Path, error: OSError) -> str:
    """What the system says of a file that it did not write; of a disk that is full, which one."""
    folder = Path(path).absolute().parent
    if error.errno not in (errno.ENOSPC, errno.EDQUOT):
        return f"{path}: cannot be written: {error.strerror}"
    disk = next(place for place in (folder, *folder.parents) if os.path.ismount(place))
    return f"{path}: cannot be written: {error.strerror} (the disk at {disk})"


def nearest(name: object, names, cutoff: float = 0.55) -> str:
    """'; did you mean 'X'?' for the closest of `names`, or all of them, up to a number, where none is close.

    cutoff: of what difflib calls close, from 0 to 1.
    """
    names = sorted(names)
    lowered = {other.lower(): other for other in reversed(names)}
    close = get_close_matches(str(name).lower(), lowered, n=1, cutoff=cutoff)
    if close:
        return f"; did you mean '{lowered[close[0]]}'?"
    return f"; expected one of: {some(names)}" if names else ""


def some(names: list[str]) -> str:
    """A list in words, of which a long one is told in part."""
    return ", ".join(names[:MOST_NAMES] + [f"and {len(names) - MOST_NAMES:,} more"] * (len(names) > MOST_NAMES))


ERASE = "\r\x1b[K"  # what a line on a terminal begins with that takes the place of the one before it


class _Log:
    """A job's log. Where the disk is full it ends where it ends: what fails by that is the job's own file."""

    def __init__(self, path: str):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        self.file = open(path, "wb", buffering=0)  # noqa: SIM115 (open until the process ends)

    def write(self, text: str) -> int:
        with suppress(OSError):
            self.file.write(text.encode(errors="replace"))
        return len(text)


class _Tee:
    """Standard error as it was, with a copy in the job's log (Snakemake's `log:` captures nothing by itself)."""

    def __init__(self, terminal, log):
        self.terminal, self.log = terminal, log

    def write(self, text: str) -> int:
        if not text.startswith("\r"):  # progress is for the eye only
            self.log.write(text)
        return self.terminal.write(text)

    def __getattr__(self, name):
        return getattr(self.terminal, name)


def let_jobs_end_with_this_process() -> None:
    """Jobs of a run that was killed would replace the results of the next run.

    Each snakemake names itself, so that a job on a cluster ends with the one on its own machine. Linux only.
    """
    with suppress(OSError):
        os.environ[RUN] = f"{os.getpid()} {PROCESS_IDS.readlink()}"


def end_with_the_run() -> None:
    """End this job at once when the process that RUN names has ended, or ends later."""
    pid, _, process_ids = os.environ.get(RUN, "").partition(" ")
    with suppress(OSError, AttributeError):  # no Linux, or an old one
        if process_ids and process_ids == str(PROCESS_IDS.readlink()):
            try:
                run = os.pidfd_open(int(pid))
            except ProcessLookupError:
                os._exit(1)
            Thread(target=_end_after, args=[run], daemon=True).start()


def _end_after(process: int) -> None:
    select.select([process], [], [])
    os._exit(1)


@contextmanager
def logged(path: str):
    """Copy standard error to the log at `path`; end the job with one line, status 1, on a UserError, and with its run.

    Gives a function that puts a line into the log alone: what came out, which the run shows as the job ends.
    """
    end_with_the_run()
    terminal = sys.stderr
    try:
        log = _Log(path)
    except OSError as error:
        sys.exit(f"error: {why_not_written(path, error)}")
    sys.stderr = _Tee(terminal, log)
    try:
        yield lambda text: print(text, file=log)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
    finally:
        sys.stderr = terminal
