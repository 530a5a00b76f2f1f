"""How far a long training is: a line on a terminal, rewritten in place. In a pipe nothing."""

import shutil
import sys
import time

from common.errors import ERASE
from training.history import Row

FIRST, EVERY = 1.0, 0.2  # seconds until the line, and between two of them


class Progress:
    """Called with each epoch and its row; `epochs` in all, on n images."""

    def __init__(self, called: str, epochs: int, n: int):
        self.called, self.epochs, self.n = called, epochs, n
        self.start = time.monotonic()
        self.next = self.start + FIRST

    def __call__(self, epoch: int, row: Row) -> None:
        now = time.monotonic()
        if now < self.next:
            return
        self.next = now + EVERY
        left = (now - self.start) / (epoch + 1) * (self.epochs - epoch - 1)
        wrong = "–" if row.accuracy is None else f"{round((1 - row.accuracy) * self.n):,}"
        line = (
            f"{self.called}  epoch {epoch:,} of {self.epochs:,}, {left:.0f} s left  loss {row.loss:.4g}  wrong {wrong}"
        )
        # One line of the terminal: what is wrapped cannot be erased.
        width = shutil.get_terminal_size().columns - 1
        print(f"{ERASE}{line[:width]}", end="", file=sys.stderr, flush=True)


def progress(called: str, epochs: int, n: int) -> Progress | None:
    """None where nobody could see it."""
    return Progress(called, epochs, n) if sys.stderr.isatty() else None
