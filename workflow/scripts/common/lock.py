"""Let a run start again after a kill, without `snakemake --unlock`.

Snakemake marks a running workflow with files in .snakemake/locks, which survive a SIGKILL or a power cut and stop the
next run. The operating system's lock on an open file goes with the process that holds it: whoever gets it knows that
no other run is alive here, and that any of Snakemake's own marks are left over. So are its backups of outputs that are
updated in place, over which it would stumble for ever.
"""

import os
import shutil
from pathlib import Path

from common.errors import UserError


def check_that_it_can_be_planned(folder: Path) -> None:
    """Raises UserError where Snakemake, which writes there even to say what it would do, cannot."""
    if not os.access(folder if folder.exists() else Path.cwd(), os.W_OK):
        raise UserError(
            f"{folder}: cannot be written, which Snakemake needs even for a plan; name a --directory that can be"
        )


def clear_what_is_left(folder: Path, updated: list[str]):
    """Remove Snakemake's lock files in `folder` (.snakemake), and its backups of `updated` outputs, unless a live run
    has called this too. A backup of what is gone takes its place.

    Returns the open file that holds the lock: keep it until the process ends. None where there is no such lock to be
    had: another run is alive, the folder may not be written, or the system has no fcntl (Windows). Raises UserError
    where something else lies in its place.
    """
    try:
        import fcntl
    except ImportError:
        return None
    try:
        folder.mkdir(exist_ok=True)
        handle = open(folder / "mnist01.lock", "w")  # noqa: SIM115 (open until the process ends)
    except (FileExistsError, NotADirectoryError):
        raise UserError(f"{folder}: found a file, expected a folder, in which Snakemake keeps what it knows") from None
    except IsADirectoryError:
        raise UserError(f"{folder / 'mnist01.lock'}: found a folder, expected a file; remove it") from None
    except OSError:  # a project that may only be read: nothing can be left in it
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        handle.close()
        return None
    shutil.rmtree(folder / "locks", ignore_errors=True)
    for output in map(Path, updated):
        backup = folder / "backups" / output
        if backup.is_dir() and not output.exists():
            output.parent.mkdir(parents=True, exist_ok=True)
            backup.rename(output)
        shutil.rmtree(backup, ignore_errors=True)
    return handle
