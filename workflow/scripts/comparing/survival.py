"""How many seeds of each variant kept a finite loss, epoch by epoch."""

import math

from records.metrics import Metrics


def survival_rows(metrics: list[Metrics]) -> list[dict]:
    """variant, epoch, finite, seeds: how many seeds had only finite losses up to and with that epoch."""
    rows = []
    for entry in metrics:
        ends = [math.inf if model.diverged_epoch is None else model.diverged_epoch for model in entry.seeds]
        for epoch in range(entry.seeds[0].epochs):
            finite = sum(end > epoch for end in ends)
            rows.append({"variant": entry.variant, "epoch": epoch, "finite": finite, "seeds": len(ends)})
    return rows
