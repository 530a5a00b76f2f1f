"""Let a run start again after a kill, without `snakemake --unlock`.

Snakemake marks a running workflow with files in .snakemake/locks, which survive a SIGKILL or a power cut and stop the
next run. The operating system's lock on an open file goes with the process that holds it: whoever gets it knows that
no other run is alive here, and that any of Snakemake's own marks are left over. So are its backups of outputs that are
updated in place, over which it would stumble for ever.
"""

import os
import shutil
from base64 import urlsafe_b64decode
from contextlib import suppress
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


_held: dict[Path, object] = {}  # {folder: its lock, an open file}; a workflow may have this one as several modules


def clear_what_is_left(folder: Path, updated: str, made: str | None = None) -> None:
    """Remove Snakemake's lock files in `folder` (.snakemake), and its backup of an `updated` output, unless a live run
    has called this too. The backup of an output that is gone takes its place.

    made: how the paths begin of what this project makes as a module of another workflow, whose runs without the module
    do not call this: then only lock files of runs with it are removed. So are its half-made files, since only this
    project's own profile has Snakemake make them again.

    The lock is held until the process ends. There is none where the folder may not be written, or the system has no
    fcntl (Windows): nothing is removed. Raises AnotherRunError beside a live run.
    """
    try:
        import fcntl
    except ImportError:
        return
    if folder not in _held:
        try:
            folder.mkdir(exist_ok=True)
            handle = open(folder / LOCK, "w")  # noqa: SIM115 (open until the process ends)
        except OSError:  # a project that may only be read: nothing can be left in it
            return
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            handle.close()
            raise AnotherRunError(f"{folder}: another run is alive here, so that it stays locked") from None
        _held[folder] = handle
    for file in (folder / "locks").glob("*.lock"):
        if made is None or _is_of_the_module(file, folder, made):
            file.unlink(missing_ok=True)
    if made is not None:
        _remove_half_made(folder / "incomplete", made)
    output, backup = Path(updated), folder / "backups" / updated
    if backup.is_dir() and not output.exists():
        output.parent.mkdir(parents=True, exist_ok=True)
        backup.rename(output)
    shutil.rmtree(backup, ignore_errors=True)


def _is_of_the_module(lock: Path, folder: Path, made: str) -> bool:
    """Whether a run with this project as a module wrote a lock file: it has this project's code as inputs, or makes
    its outputs."""
    begin = made if lock.name.endswith(".output.lock") else str((folder / "code").absolute())
    return any(line.startswith(begin) for line in lock.read_text(errors="replace").splitlines())


def _remove_half_made(marks: Path, made: str) -> None:
    """Remove the files that Snakemake marked as begun and not as ended, and the marks; of folders, the marks alone."""
    for mark in [path for path in marks.rglob("*") if path.is_file()]:
        # In base 64, in parts where a file's name would be too long.
        name = "".join(part.removeprefix("@") for part in mark.relative_to(marks).parts)
        with suppress(ValueError):  # no mark
            path = Path(urlsafe_b64decode(name).decode())
            if str(path).startswith(made):
                if path.is_file():
                    path.unlink()
                mark.unlink()
