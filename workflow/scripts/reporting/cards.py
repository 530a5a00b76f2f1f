"""What the card of one variant shows."""

import struct
from dataclasses import dataclass

from common.english import amount, counted
from records.metrics import Finding, Metrics, Outcome
from records.training import MODEL_FILES
from reporting import answer, cures
from reporting.broke import Broke
from reporting.carets import marked
from reporting.pictures import Pictures, data_uri, wrong_digits

CARD_IMAGES = 12  # images under a finding
CARD_FILES = ("history", "predictions", "model")  # files of a model that a card links to


def card(
    entry: Metrics,
    wrong: dict,
    yhat: dict,
    plot: bytes,
    y: dict,
    digits: Pictures,
    tried: cures.Tried | None,
    became: str,
    drawn: Broke | None,
) -> dict:
    """cause and wrong, which a closed card says, too; plot (a data URI), plot_size (pixels), mistakes, findings, tried,
    diverged (the seed whose loss broke first), broke (the drawing of that), marked (its formula), picture (the name of
    its image's), files.

    yhat: of its first model that finished, {part: float32 (n,)}; plot: a PNG; y: {part: labels (n,)}; tried: what is
    said of changes; became: what its loss was when it broke, NaN say; drawn: the picture of it.
    """
    first = min((model for model in entry.seeds if model.autopsy), key=lambda model: model.autopsy.epoch, default=None)
    image = first and first.autopsy.image
    return {
        "cause": _cause(entry, became),
        "wrong": _wrong(entry),
        "plot": data_uri(plot),
        "plot_size": struct.unpack(">II", plot[16:24]),  # a PNG begins with its width and height
        "mistakes": wrong_digits(digits, entry, wrong, yhat, y),
        "findings": card_findings(entry, digits),
        "tried": tried,
        "diverged": first,
        "broke": drawn,
        "marked": first and marked(entry, first.autopsy),
        "picture": digits.show("train", image.index) if image else None,
        "files": _files(entry),
    }


def _cause(entry: Metrics, became: str) -> str:
    """'NaN at epoch 116: `log(1 - yhat)`' of what diverged; of the others the first alarm's kind; '' where none is."""
    alike = [model for model in entry.seeds if model.word == entry.word]
    first = min(alike, key=lambda model: model.diverged_epoch or 0)
    if first.autopsy is None:
        return next((finding.kind.replace("-", " ") for finding in first.findings if finding.alarm), "")
    culprits = first.autopsy.culprits
    broke = f"`{culprits[0].expression}`" if culprits else answer.CAUSES.get(first.autopsy.cause, "")
    return f"{'first ' if len(alike) > 1 else ''}{became} at epoch {first.diverged_epoch}{': ' if broke else ''}{broke}"


def _wrong(entry: Metrics) -> list[str]:
    """How many test and how many training images are wrong, of several models with an answer the mean."""
    told = []
    for part in ("test", "training"):
        of = [model.test_wrong if part == "test" else _train_wrong(model) for model in entry.seeds]
        known = [wrong for wrong in of if wrong is not None]
        if len(known) > 1:
            told.append(f"wrong {part} images: mean {amount(sum(known) / len(known))} over {len(known):,} seeds")
        elif known:
            seed = f" (seed {entry.seeds[of.index(known[0])].seed})" if len(of) > 1 else ""
            told.append(counted(known[0], f"wrong {part} image") + seed)
    return told


def _train_wrong(model: Outcome) -> int | None:
    return None if model.correct is None else model.n - model.correct


def _files(entry: Metrics) -> list[str]:
    """Those of the variant, and of its model; of several models each one's model.pt, beside which the others lie."""
    seeds = [model.seed for model in entry.seeds]
    keys = CARD_FILES if len(seeds) == 1 else ("model",)
    return ["yhat.png", "metrics.json", *(f"{seed}/{MODEL_FILES[key]}" for seed in seeds for key in keys)]


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
