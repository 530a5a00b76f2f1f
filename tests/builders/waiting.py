"""Waiting for a condition, however busy the machine is."""

import time
from collections.abc import Callable

LONG = 1800  # seconds: what takes longer hangs


def wait_for(condition: Callable[[], object], pause: float = 0.02):
    """What the condition gives, as soon as that is true."""
    end = time.monotonic() + LONG
    while not (found := condition()):
        if time.monotonic() > end:
            raise TimeoutError(f"not so in {LONG} s")
        time.sleep(pause)
    return found
