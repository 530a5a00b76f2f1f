"""Let a run start again after a kill, without `snakemake --unlock`.

Snakemake marks a running workflow with files in .snakemake/locks, which survive a SIGKILL or a power cut and stop the
next run. The operating system's lock on an open file goes with the process that holds it: whoever gets it knows that
no other run is alive here, and that any of Snakemake's own marks are left over. So are its backups of outputs that are
updated in place, over which it would stumble for ever.
"""

import shutil
from pathlib import Path


def clear_what_is_left(folder: Path, updated: list[str]):
    """Remove Snakemake's lock files in `folder` (.snakemake), and its backups of `updated` outputs, unless a live run
    has called this too. A backup of what is gone takes its place.

    Returns the open file that holds the lock: keep it until the process ends. None where there is no such lock to be
    had: another run is alive, or the system has no fcntl (Windows).
    """
    try:
        import fcntl
    except ImportError:
        return None
    folder.mkdir(exist_ok=True)
    handle = open(folder / "mnist01.lock", "w")  # noqa: SIM115 (open until the process ends)
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
