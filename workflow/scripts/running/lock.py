"""One run at a time for the results of a folder, and what a killed run left is cleared.

Snakemake's own lock is a file, which a killed run leaves behind; profiles/default switches it off. This one is the
operating system's lock on an open file, which a dead process cannot hold. It lies with the results, so that two folders
that share them see each other's runs.
"""

import os
import shutil
from contextlib import suppress
from pathlib import Path

from common.errors import UserError, why_not_written

LOCK = ".mnist01.lock"
# What changes no results, and so does not wait for a run (`-n` is known without the command line): of these, some read
# the Snakefile alone, and others have Snakemake write into .snakemake/.
LISTS = {"-l", "--list", "--list-rules", "--list-target-rules", "--lt", "--lint", "--print-compilation"}
LOOKS = {"-D", "-S", "--containerize", "--d3dag", "--dag", "--detailed-summary", "--filegraph", "--list-changes"}
LOOKS |= {"--list-conda-envs", "--list-input-changes", "--list-params-changes", "--list-untracked", "--lc", "--li"}
LOOKS |= {"--lp", "--lu", "--report", "--reporter", "--rulegraph", "--summary"} | LISTS
RUNS = "--report-after-run"  # beside `--report`
SHORTEST = 5  # characters of what can only mean one option: `--sum`

_held: list = []  # open files, until the process ends


def has_one(arguments: list[str], options: set[str]) -> bool:
    """Whether a command line of snakemake has one of these options, and so runs nothing. They may be cut short, as
    argparse allows."""
    words = [word.partition("=")[0] for word in arguments if word.startswith("-")]
    cut = [word for word in words if word.startswith("--") and len(word) >= SHORTEST]
    if any(RUNS.startswith(word) and len(word) > len("--report") for word in cut):
        return False
    return any(word in options for word in words) or any(one.startswith(word) for word in cut for one in options)


def check_folders(*folders: Path) -> None:
    """Raises UserError where one of these folders of the working directory is no folder, or may not be written or
    made."""
    for folder in folders:
        if folder.exists() and not folder.is_dir():
            raise UserError(f"{folder}: found a file, expected a folder")
        if not os.access(folder if folder.exists() else Path.cwd(), os.W_OK):
            raise UserError(f"{folder}: cannot be written; name another --directory")


def take(folder: Path) -> None:
    """Lock a folder of results, which is made if need be, until this process ends. Raises UserError where another run
    is alive there."""
    try:
        import fcntl
    except ImportError:  # Windows
        return
    path = folder / LOCK
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = open(path, "a")  # noqa: SIM115 (open until the process ends)
    except OSError as error:
        raise UserError(why_not_written(path, error)) from None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        handle.close()
        looks = "snakemake -n, --summary and --report answer meanwhile"
        raise UserError(f"{folder}: another run is alive here; {looks}") from None
    except OSError:  # a file system that knows no locks
        handle.close()
        return
    _held.append(handle)


def restore(updated: Path, backups: Path) -> None:
    """Clear Snakemake's backup of an output that is updated in place, over which it would stumble for ever. The backup
    of one that is gone takes its place."""
    backup = backups / updated
    if not backup.is_dir():
        return
    with suppress(OSError):
        if not updated.exists():
            updated.parent.mkdir(parents=True, exist_ok=True)
            backup.rename(updated)
        shutil.rmtree(backup, ignore_errors=True)
