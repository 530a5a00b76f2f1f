"""The last lines of a run that made the page: how many variants are what, the commonest cause's cure, where to look."""

import re
from pathlib import Path

from findings.catalogue import explanations
from records.losses import LossFile
from records.metrics import WORDS, Metrics
from records.strict import read_record
from reporting import answer

NAMED_VARIANTS = 6  # variants of a line


def closing(results: Path, variants: dict, defaults: dict) -> list[str]:
    """variants: {name: settings}, as the page has them."""
    metrics = [read_record(results / "variants" / name / "metrics.json", Metrics) for name in variants]
    words = {word: [_named(entry) for entry in metrics if entry.word == word] for word in WORDS}
    lines = [f"  {word:9} {len(names):,}: {_some(names)}" for word, names in words.items() if names]
    losses = {settings["loss"] for settings in variants.values()}
    charts = {name: read_record(results / f"losses/{name}.json", LossFile).chart for name in losses}
    causes = answer.causes(metrics, variants, explanations(), charts, defaults)
    cured = max((cause for cause in causes if cause.lines), key=lambda cause: len(cause.each), default=None)
    if cured:
        text = " ".join(cured.cure.replace("`", "").split())  # a formula may have line breaks
        seed, what = re.fullmatch(r"Cure(?: of (seed \d+))?: (.*?)\.?", text).groups()
        lines.append(f"  {'cure':9} of {cured.who}{f', {seed}' if seed else ''}: {what}")
    return lines


def _named(entry: Metrics) -> str:
    epochs = [model.diverged_epoch for model in entry.seeds if model.diverged_epoch is not None]
    counted = entry.state.removeprefix(entry.word)
    return f"{entry.variant}{f' @{min(epochs)}' if epochs else ''}{f' ({counted.strip()})' if counted else ''}"


def _some(names: list[str]) -> str:
    rest = f" and {len(names) - NAMED_VARIANTS:,} more" if len(names) > NAMED_VARIANTS else ""
    return ", ".join(names[:NAMED_VARIANTS]) + rest
