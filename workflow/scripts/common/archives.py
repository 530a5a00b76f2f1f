"""Read what may be damaged of the .pt and .npz files, which are zip files. No torch here."""

import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np

from common.files import damaged


def check_archive(path: str | Path) -> None:
    """Hold each entry of a .pt or .npz, which are zip files, against its checksum: torch does not. Raises UserError."""
    try:
        with zipfile.ZipFile(path) as archive:
            broken = archive.testzip()
    except OSError as error:
        raise damaged(path, str(error.strerror)) from None
    except (EOFError, NotImplementedError, RuntimeError, ValueError, struct.error, zipfile.BadZipFile, zlib.error):
        raise damaged(path, "not a whole archive") from None
    if broken:
        raise damaged(path, f"{broken} in it is not what its checksum says")


def read_arrays(path: str | Path) -> dict:
    """The arrays of a .npz, by name. Raises UserError where it is damaged."""
    check_archive(path)
    try:
        with np.load(path) as file:
            return dict(file)
    except (EOFError, OSError, ValueError, zipfile.BadZipFile) as error:
        raise damaged(path, f"not arrays: {error}") from None
