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

LOCK = "mnist01.lock"


class AnotherRunError(Exception):
    """Another run of this project is alive."""


def check_folder(folder: Path) -> None:
    """Raises UserError where something else lies in the place of `folder` (.snakemake) or of the lock in it."""
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder}: found a file, expected a folder, in which Snakemake keeps what it knows")
    if (folder / LOCK).is_dir():
        raise UserError(f"{folder / LOCK}: found a folder, expected a file; remove it")


def not_writable(*folders: Path) -> Path | None:
    """The first of these folders of the working directory that may not be written, or made."""
    return next((one for one in folders if not os.access(one if one.exists() else Path.cwd(), os.W_OK)), None)


def clear_what_is_left(folder: Path, updated: list[str]):
    """Remove Snakemake's lock files in `folder` (.snakemake), and its backups of `updated` outputs, unless a live run
    has called this too. A backup of what is gone takes its place.

    Returns the open file that holds the lock: keep it until the process ends. None where there is no such lock to be
    had: the folder may not be written, or the system has no fcntl (Windows). Raises AnotherRunError beside a live run.
    """
    try:
        import fcntl
    except ImportError:
        return None
    try:
        folder.mkdir(exist_ok=True)
        handle = open(folder / LOCK, "w")  # noqa: SIM115 (open until the process ends)
    except OSError:  # a project that may only be read: nothing can be left in it
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        handle.close()
        raise AnotherRunError(f"{folder}: another run is alive here, so that it stays locked") from None
    shutil.rmtree(folder / "locks", ignore_errors=True)
    for output in map(Path, updated):
        backup = folder / "backups" / output
        if backup.is_dir() and not output.exists():
            output.parent.mkdir(parents=True, exist_ok=True)
            backup.rename(output)
        shutil.rmtree(backup, ignore_errors=True)
    return handle
