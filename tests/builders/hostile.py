"""Files that are none, reading that may never end, and how long a refusal may be."""

import os
import threading
from pathlib import Path

from builders.waiting import LONG

ONE_LINE = 700


def a_pipe(path: Path) -> None:
    os.mkfifo(path)


def a_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def within_reason(action) -> None:
    """Run it; it must come to an end, whatever else the machine does."""
    thread = threading.Thread(target=action, daemon=True)
    thread.start()
    thread.join(LONG)
    assert not thread.is_alive()
