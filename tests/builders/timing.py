"""How long a call takes."""

import time


def least(measure, bound: float, seconds: float = 30) -> float:
    """The least that `measure` gives, tried until it is below the bound or the seconds are over: what else the machine
    does meanwhile makes any single try slow, and none fast."""
    end = time.monotonic() + seconds
    found = measure()
    while found >= bound and time.monotonic() < end:
        found = min(found, measure())
    return found


def elapsed(action) -> float:
    """Seconds that a call takes."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start
