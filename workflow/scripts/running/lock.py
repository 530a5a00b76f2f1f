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
READS = {"-D", "-S", "--containerize", "--d3dag", "--dag", "--detailed-summary", "--filegraph", "--list-changes"}
READS |= {"--list-conda-envs", "--list-input-changes", "--list-params-changes", "--list-untracked", "--lc", "--li"}
READS |= {"--lp", "--lu", "--report", "--reporter", "--rulegraph", "--summary"} | LISTS
RUNS = "--report-after-run"  # beside `--report`
SHORTEST = 5  # characters of what can only mean one option: `--sum`

_held: dict[tuple[int, int], object] = {}  # open files by their place on the disk, until the process ends


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
        if (folder.exists() or folder.is_symlink()) and not folder.is_dir():
            found = "a file" if folder.exists() else "a link to nothing"
            raise UserError(f"{folder}: found {found}, expected a folder")
        if not os.access(folder if folder.exists() else Path.cwd(), os.W_OK):
            raise UserError(f"{folder}: cannot be written; name another --directory")


def take(folder: Path) -> bool:
    """Lock a folder of results, which is made if need be, until this process ends. Raises UserError where another run
    is alive there. Returns whether there are locks: not on Windows, nor on some file systems."""
    try:
        import fcntl
    except ImportError:
        return False
    path = folder / LOCK
    try:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            handle = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o666))
        except PermissionError:  # that of another user, who shares the results
            handle = open(path)  # noqa: SIM115 (open until the process ends)
    except OSError as error:
        raise UserError(why_not_written(path, error)) from None
    place = os.fstat(handle.fileno())
    if (place.st_dev, place.st_ino) in _held:  # a second workflow of this process
        handle.close()
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        handle.close()
        if not isinstance(error, BlockingIOError):
            return False
        looks = "snakemake -n, --summary and --report answer meanwhile"
        raise UserError(f"{folder}: another run is alive here; {looks}") from None
    _held[place.st_dev, place.st_ino] = handle
    return True


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
