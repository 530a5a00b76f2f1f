"""The last lines of a run that made the page: how many variants are what, the cure of the most, where to look."""

from pathlib import Path

from common.english import counted, first_few
from findings.catalogue import explanations
from records.losses import LossFile
from records.metrics import WORDS, Metrics
from records.strict import read_record
from reporting import answer

NAMED_CURES = 3  # causes whose cure is told; the page has all
NAMED_MODELS = 6  # variants of a line


def closing(results: Path, variants: dict, trials: int, defaults: dict) -> list[str]:
    """variants: {name: settings}, as the page has them; trials: how many changes may be tried."""
    metrics = [read_record(results / "variants" / name / "metrics.json", Metrics) for name in variants]
    words = {word: [_named(entry) for entry in metrics if entry.word == word] for word in WORDS}
    lines = [f"  {word:9} {len(names):,}: {first_few(names, NAMED_MODELS)}" for word, names in words.items() if names]
    names = {settings["loss"] for settings in variants.values()}
    losses = {name: read_record(results / f"losses/{name}.json", LossFile) for name in names}
    causes = answer.causes(metrics, variants, explanations(), losses, trials, defaults)
    helped = [cause for cause in causes if cause.remedy and cause.remedy.lines]
    helped.sort(key=lambda cause: (cause.remedy.cured, len(cause.each)), reverse=True)
    for cause in helped[:NAMED_CURES]:
        seed = f", {cause.remedy.seed}" if cause.remedy.seed else ""
        what = " ".join(cause.remedy.words.replace("`", "").split())  # a formula may have line breaks
        lines.append(f"  {'cure' if cause.remedy.cured else 'better':9} of {cause.who}{seed}: {what}")
    if len(helped) > NAMED_CURES:
        lines.append(f"  {'':9} of {counted(len(helped) - NAMED_CURES, 'more cause')}: on the page")
    return lines


def _named(entry: Metrics) -> str:
    epochs = [model.diverged_epoch for model in entry.seeds if model.diverged_epoch is not None]
    counted = entry.state.removeprefix(entry.word)
    return f"{entry.variant}{f' @{min(epochs)}' if epochs else ''}{f' ({counted.strip()})' if counted else ''}"
