"""The last lines of a run that made the page: the best variant, how many are what, the cure of the most."""

import math
from fractions import Fraction
from pathlib import Path

import msgspec

from common.english import counted, first_few
from common.files import read_bytes
from findings.catalogue import explanations
from records.comparison import Ranking, Significance
from records.losses import LossFile
from records.metrics import WORDS, Metrics
from records.strict import read_record
from reporting import answer

NAMED_CURES = 3  # causes whose cure is told; the page has all
NAMED_MODELS = 6  # variants of a line


def closing(results: Path, variants: dict, trials: int, defaults: dict) -> list[str]:
    """variants: {name: settings}, as the page has them; trials: how many changes may be tried."""
    metrics = [read_record(results / "variants" / name / "metrics.json", Metrics) for name in variants]
    lines = []
    if len(metrics) > 1:
        ranking = read_record(results / "comparison/significance.json", Significance).ranking
        lines.append(f"  {'best':9} {_best(ranking, metrics)}")
    for word in WORDS:
        names = [_named(entry) for entry in sorted(metrics, key=_telling) if entry.word == word]
        lines += [f"  {word:9} {len(names):,}: {first_few(names, NAMED_MODELS)}"] if names else []
    return lines + _cures(metrics, results, variants, trials, defaults) + _warned(results / "data/source.json")


def _best(ranking: Ranking, metrics: list[Metrics]) -> str:
    """The best of the good ones; where none is good, of the faulty ones."""
    ranked = [entry for entry in metrics if entry.variant not in ranking.out]
    if not ranked:
        return "none: each variant has a model that diverged, failed, gives no answer or does no better than guessing"
    pool = [entry for entry in ranked if entry.word == "good"] or ranked
    best = [entry for entry in pool if _right(entry) == max(map(_right, pool))]
    first, n = best[0], best[0].seeds[0].test_n
    share = f"{_amount(first)} of {n:,} test images right"
    share += " on average" if any(len(entry.seeds) > 1 for entry in best) else ""
    text = f"{first.variant}{'' if first.word == 'good' else f' ({first.word})'}: {share}"
    if len(best) > 1:
        those = counted(len(pool), f"{first.word} variant")
        text = f"no single best: {len(best):,} of {those} get {share}"
    ahead = max(ranked, key=_right)
    if _right(ahead) > _right(first):
        return f"{text}; {ahead.variant}, {ahead.word}, gets {_amount(ahead)}"
    more = len(ranking.winners) + len(ranking.equals) - len(best)
    return f"{text}; {more:,} more cannot be told apart" if more else text


def _right(entry: Metrics) -> Fraction:
    """Right test images, the mean over its models, exactly, so that equals are equal."""
    return Fraction(sum(model.test_correct for model in entry.seeds), len(entry.seeds))


def _amount(entry: Metrics) -> str:
    return f"{float(_right(entry)):,.{0 if len(entry.seeds) == 1 else 1}f}"


def _telling(entry: Metrics) -> tuple[float, float]:
    """The order of telling: what diverged earliest first, of the others those with the fewest wrong test images."""
    epochs = [model.diverged_epoch for model in entry.seeds if model.diverged_epoch is not None]
    wrong = [model.test_wrong for model in entry.seeds if model.test_wrong is not None]
    return min(epochs, default=0), sum(wrong) / len(wrong) if wrong else math.inf


def _named(entry: Metrics) -> str:
    epochs = [model.diverged_epoch for model in entry.seeds if model.diverged_epoch is not None]
    several = entry.state.removeprefix(entry.word)
    return f"{entry.variant}{f' @{min(epochs)}' if epochs else ''}{f' ({several.strip()})' if several else ''}"


def _cures(metrics: list[Metrics], results: Path, variants: dict, trials: int, defaults: dict) -> list[str]:
    names = {settings["loss"] for settings in variants.values()}
    losses = {name: read_record(results / f"losses/{name}.json", LossFile) for name in names}
    causes = answer.causes(metrics, variants, explanations(), losses, trials, defaults)
    helped = [cause for cause in causes if cause.remedy and cause.remedy.lines]
    helped.sort(key=lambda cause: (cause.remedy.cured, len(cause.each)), reverse=True)
    lines = []
    for cause in helped[:NAMED_CURES]:
        seed = f", {cause.remedy.seed}" if cause.remedy.seed else ""
        what = " ".join(cause.remedy.words.replace("`", "").split())  # a formula may have line breaks
        lines.append(f"  {'cure' if cause.remedy.cured else 'better':9} of {cause.who}{seed}: {what}")
    if len(helped) > NAMED_CURES:
        lines.append(f"  {'':9} of {counted(len(helped) - NAMED_CURES, 'more cause')}: on the page")
    return lines


def _warned(source: Path) -> list[str]:
    """Of figures that are not those asked for."""
    record = msgspec.json.decode(read_bytes(source))
    if not record["fallback"]:
        return []
    images = counted(sum(sum(part.values()) for part in record["counts"].values()), "image")
    return [
        f"  {'data':9} NOT MNIST: no mirror answered; these figures come from a sample of {images}",
        f"  {'':9} to try the mirrors again: {record['retry']}",
    ]
