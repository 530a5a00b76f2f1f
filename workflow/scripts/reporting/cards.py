"""What the card of one variant shows."""

import struct
from dataclasses import dataclass

from records.metrics import Finding, Metrics
from records.training import MODEL_FILES
from reporting import cures
from reporting.carets import marked
from reporting.pictures import Pictures, data_uri, wrong_digits

CARD_IMAGES = 12  # images under a finding
CARD_FILES = ("history", "predictions", "model")  # files of a model that a card links to


def card(
    entry: Metrics, wrong: dict, yhat: dict, plot: bytes, y: dict, digits: Pictures, tried: cures.Tried | None
) -> dict:
    """plot (a data URI), plot_size (pixels), mistakes, findings, tried, diverged (the seed whose loss broke first),
    marked (the formula that broke there), picture (the name of its image's), files.

    yhat: of its first model that finished, {part: float32 (n,)}; plot: a PNG; y: {part: labels (n,)}; tried: what is
    said of changes.
    """
    first = min((model for model in entry.seeds if model.autopsy), key=lambda model: model.autopsy.epoch, default=None)
    image = first and first.autopsy.image
    return {
        "plot": data_uri(plot),
        "plot_size": struct.unpack(">II", plot[16:24]),  # a PNG begins with its width and height
        "mistakes": wrong_digits(digits, entry, wrong, yhat, y),
        "findings": card_findings(entry, digits),
        "tried": tried,
        "diverged": first,
        "marked": first and marked(entry, first.autopsy),
        "picture": digits.show("train", image.index) if image else None,
        "files": _files(entry),
    }


def _files(entry: Metrics) -> list[str]:
    """Those of the variant, and of its model; of several models their folders."""
    seeds = [model.seed for model in entry.seeds]
    of_models = (
        [f"{seeds[0]}/{MODEL_FILES[key]}" for key in CARD_FILES] if len(seeds) == 1 else [f"{seed}/" for seed in seeds]
    )
    return ["yhat.png", "metrics.json", *of_models]


@dataclass(frozen=True)
class CardFinding:
    """A kind of finding on a card: what was found in the first of the seeds.

    seeds: those that have it; where it is an alarm in some, these first. images: (name, index, exact gradient) of some
    of its images. means: (name, part) of the mean images, where these tell it.
    """

    finding: Finding
    seeds: list[int]
    images: list[tuple[str, int, float | str | None]]
    means: list[tuple[str, str]]


def card_findings(entry: Metrics, digits: Pictures) -> list[CardFinding]:
    """Over all seeds of a variant, alarms first, each kind once; without the autopsy, which has a place of its own."""
    of_kind: dict[str, list[tuple[int, Finding]]] = {}
    for model in entry.seeds:
        for finding in model.findings:
            if finding.kind != "diverged":
                of_kind.setdefault(finding.kind, []).append((model.seed, finding))
    found = []
    for each in of_kind.values():
        each.sort(key=lambda pair: not pair[1].alarm)
        _, first = each[0]
        parts = {"train": "training", "test": "test"} if first.kind == "test-unlike-training" else {}
        means = [(digits.show_mean(part), called) for part, called in parts.items()]
        found.append(CardFinding(first, [seed for seed, _ in each], _pictures(first, digits), means))
    return sorted(found, key=lambda one: not one.finding.alarm)


def _pictures(finding: Finding, digits: Pictures) -> list[tuple[str, int, float | str | None]]:
    images = (finding.images or [])[:CARD_IMAGES]
    exact = finding.exact or [None] * len(images)
    return [(digits.show("train", index), index, slope) for index, slope in zip(images, exact, strict=False)]
