"""The last lines of a run that made the page: the answer, how many variants are what, the cures of the most."""

import math
from pathlib import Path
from typing import Any

from common.english import counted, first_few
from findings.catalogue import explanations
from records.comparison import Significance
from records.losses import LossFile
from records.metrics import WORDS, Metrics
from records.strict import read_record
from reporting import answer, best

NAMED_CURES = 3  # causes whose cure is told; the page has all
NAMED_MODELS = 6  # variants of a line


def closing(results: Path, variants: dict, trials: int, defaults: dict) -> list[str]:
    """variants: {name: settings}, as the page has them; trials: how many changes may be tried."""
    metrics = [read_record(results / "variants" / name / "metrics.json", Metrics) for name in variants]
    ranking = read_record(results / "comparison/significance.json", Significance).ranking
    kinds = explanations()
    lines = [f"  {'answer':9} {best.best(ranking, metrics, variants, kinds).sentence.replace('`', '')}"]
    for word in WORDS:
        names = [_named(entry) for entry in sorted(metrics, key=_worth) if entry.word == word]
        if names:
            lines.append(f"  {word:9} {len(names):,}: {first_few(names, NAMED_MODELS)}")
    names = {settings["loss"] for settings in variants.values()}
    losses = {name: read_record(results / f"losses/{name}.json", LossFile) for name in names}
    causes = answer.causes(metrics, variants, kinds, losses, trials, defaults)
    helped = [cause for cause in causes if cause.remedy and cause.remedy.lines]
    helped.sort(key=lambda cause: (cause.remedy.cured, len(cause.each)), reverse=True)
    for cause in helped[:NAMED_CURES]:
        seed = f", {cause.remedy.seed}" if cause.remedy.seed else ""
        what = " ".join(cause.remedy.words.replace("`", "").split())  # a formula may have line breaks
        lines.append(f"  {'cure' if cause.remedy.cured else 'better':9} of {cause.who}{seed}: {what}")
    if len(helped) > NAMED_CURES:
        lines.append(f"  {'':9} of {counted(len(helped) - NAMED_CURES, 'more cause')}: on the page")
    return lines + _warned(results / "data/source.json")


def _warned(source: Path) -> list[str]:
    """Of figures that are not those asked for."""
    record = read_record(source, dict[str, Any])
    if not record["fallback"]:
        return []
    return [
        f"  {'images':9} a small sample, since no mirror answered: these are not MNIST's figures",
        f"  {'':9} to try the mirrors again: {record['retry']}",
    ]


def _worth(entry: Metrics) -> tuple:
    """The fewest wrong test images first; of those that diverged, the first to do so."""
    wrong = [model.test_wrong for model in entry.seeds if model.test_wrong is not None]
    epochs = [model.diverged_epoch for model in entry.seeds if model.diverged_epoch is not None]
    return min(epochs, default=0), sum(wrong) / len(wrong) if wrong else math.inf


def _named(entry: Metrics) -> str:
    epochs = [model.diverged_epoch for model in entry.seeds if model.diverged_epoch is not None]
    counted = entry.state.removeprefix(entry.word)
    return f"{entry.variant}{f' @{min(epochs)}' if epochs else ''}{f' ({counted.strip()})' if counted else ''}"
