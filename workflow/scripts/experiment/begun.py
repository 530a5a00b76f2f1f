"""What a run began with: all its jobs and its page use that, whatever becomes of config.yaml meanwhile.

A job on a cluster is a snakemake of its own, which reads the Snakefile when it starts, hours later perhaps; the page is
made at the end. Imported by the Snakefile: no torch, pandas or matplotlib here.
"""

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from common.errors import UserError
from common.files import damaged, read_sealed, sealed, write

BEGUN_FILE = Path(".snakemake/mnist01.run")  # of the working directory


@dataclass(frozen=True)
class Begun:
    """text: config.yaml as it was. is_all: whether that is the whole config; else --config or --configfile said more.
    experiment: the fields of an Experiment (experiment/config.py)."""

    text: str
    is_all: bool
    experiment: dict


def keep_begun(begun: Begun, path: str | Path = BEGUN_FILE) -> None:
    """Called as a run begins. Raises UserError where the file cannot be written."""
    write(path, sealed(json.dumps(asdict(begun))))


def read_begun(path: str | Path = BEGUN_FILE) -> Begun:
    """Raises UserError where the file is not there, damaged or of another version of this project."""
    text = read_sealed(path)
    try:
        return Begun(**json.loads(text))
    except (TypeError, ValueError) as error:
        raise damaged(path, f"not as a run writes it: {error}") from None


def begun_by_another() -> Begun | None:
    """What the run of this job began with, where the job is a snakemake of its own: config.yaml may be another by now.

    None where the file is not here: a job without a shared file system has the config.yaml that was sent with it. Where
    it is damaged, this process ends with one line.
    """
    try:
        return read_begun() if BEGUN_FILE.exists() else None
    except UserError as error:
        sys.exit(f"error: {error}")
