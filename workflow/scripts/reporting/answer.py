"""The first screen: how many train well, and the causes of all that does not, each told once, with its cure."""

import re
from collections import Counter
from dataclasses import dataclass

from common.english import symbol
from losses.facts import limits
from records.losses import LossChart
from records.metrics import WORDS, Autopsy, Finding, Metrics, Outcome, Trial
from records.training import Counts
from reporting import cures

NAMED_IN_CAUSE = 3  # losses, or epochs
CAUSES = {
    "gradient": "the loss is finite, but its derivative is not",
    "step": "a step was too large for float32",
    "network": "weights or logits grew beyond what float32 holds",
    "normalization": "the pixels are not finite, or too large",
    "optimizer": "a division or root of the optimizer's own is not finite",
    "decay": "the weight decay makes weights grow",
    "momentum": "the momentum makes steps grow",
}


@dataclass(frozen=True)
class Tally:
    """How many variants have a seed of this word and none of a worse one; how many models have it."""

    word: str
    variants: int
    models: int


@dataclass(frozen=True)
class Case:
    """A variant that does not train well: in how many of its seeds, and what its first such seed shows."""

    entry: Metrics
    word: str
    count: int
    first: Outcome

    @property
    def finding(self) -> Finding:
        return self.first.findings[0]


@dataclass(frozen=True)
class Cause:
    """One reason for which variants do not train well.

    who: their losses, and how many; what: the reason; models, of: in how many of their models; each: (variant, what
    was found in it); cure: a sentence, '' where nothing was tried; lines: (variant, lines for
    config.yaml) of one of them.
    """

    word: str
    kind: str
    who: str
    what: str
    models: int
    of: int
    each: list[tuple[str, str]]
    cure: str
    lines: tuple[str, str] | None


def tallies(metrics: list[Metrics]) -> list[Tally]:
    variants = Counter(entry.word for entry in metrics)
    models = Counter(model.word for entry in metrics for model in entry.seeds)
    return [Tally(name, variants[name], models[name]) for name in WORDS]


def baseline(counts: Counts) -> tuple[int, int, int]:
    """Always guessing the larger class of the test images, which is what the verdict calls guessing there: its label,
    how many test images are right, of how many."""
    label = int(counts.test[1] >= counts.test[0])
    return label, counts.test[label], sum(counts.test)


def causes(
    metrics: list[Metrics], variants: dict, kinds: dict, charts: dict[str, LossChart], defaults: dict
) -> list[Cause]:
    """The worst first, then those of the most variants. variants: {name: settings}; charts: of each loss."""
    groups: dict[tuple, list[Case]] = {}
    for entry in metrics:
        if entry.word != "good":
            case = _case(entry)
            groups.setdefault(_key(case), []).append(case)
    order = sorted(groups.values(), key=lambda cases: (-WORDS.index(cases[0].word), -len(cases)))
    return [_cause(cases, variants, kinds, charts, defaults) for cases in order]


def _case(entry: Metrics) -> Case:
    found = [model for model in entry.seeds if model.word == entry.word]
    first = min(found, key=lambda model: model.autopsy.epoch if model.autopsy else 0)
    return Case(entry, entry.word, len(found), first)


def _key(case: Case) -> tuple:
    autopsy = case.first.autopsy
    if case.finding.kind != "diverged":
        return case.word, case.finding.kind
    return case.word, autopsy.cause, autopsy.culprits[0].expression if autopsy.culprits else None


def _cause(cases: list[Case], variants: dict, kinds: dict, charts: dict, defaults: dict) -> Cause:
    first = cases[0]
    settings = [variants[case.entry.variant] for case in cases]
    if first.finding.kind == "diverged":
        what = _why_diverged(
            [case.first.autopsy for case in cases], [charts.get(of_variant["loss"]) for of_variant in settings]
        )
    elif len(cases) == 1:
        what = first.finding.sentence.removesuffix(".")
    else:
        what = _clause(kinds[first.finding.kind]["means"])
    cured = {case.entry.variant: cures.on_card(case.entry, defaults) for case in cases}
    return Cause(
        word=first.word,
        kind=first.finding.kind,
        who=_who(cases, settings, variants),
        what=what,
        models=sum(case.count for case in cases),
        of=sum(len(case.entry.seeds) for case in cases),
        each=[(case.entry.variant, case.finding.sentence) for case in cases],
        cure=_cure(cases),
        lines=next(((name, one.cures[0].lines) for name, one in cured.items() if one and one.cures), None),
    )


def _who(cases: list[Case], settings: list[dict], variants: dict) -> str:
    """manual-bce, 3 variants; bce and manual-bce-eps on raw, 2 variants; a single variant by its name."""
    if len(cases) == 1:
        return cases[0].entry.variant
    losses, normalizations = ({of_variant[key]: None for of_variant in settings} for key in ("loss", "normalization"))
    joint = ", " if len(losses) == NAMED_IN_CAUSE else " and "
    who = joint.join(losses) if len(losses) <= NAMED_IN_CAUSE else f"{len(losses)} losses"
    if len(normalizations) == 1 and len({of_variant["normalization"] for of_variant in variants.values()}) > 1:
        who += f" on {next(iter(normalizations))}"
    return f"{who}, {len(cases):,} variants"


def _why_diverged(autopsies: list[Autopsy], charts: list[LossChart | None]) -> str:
    first = autopsies[0]
    what = CAUSES.get(first.cause, "the loss is not finite")
    if first.culprits:
        what = f"`{first.culprits[0].expression}` is {_held(autopsies)}{_past(autopsies, charts)}"
        what += f": {CAUSES[first.cause]}" if first.cause in CAUSES else ""
    epochs = sorted({one.epoch for one in autopsies})
    if len(epochs) > NAMED_IN_CAUSE:
        return f"{what}; first at epoch {epochs[0]} to {epochs[-1]}"
    return f"{what}; first at epoch {', '.join(map(str, epochs))}"


def _held(autopsies: list[Autopsy]) -> str:
    counts = [count for one in autopsies for count in one.culprits[0].holds.values()]
    kinds = [kind for kind in ("nan", "+inf", "-inf") if any(count.get(kind) for count in counts)]
    return " or ".join(symbol(float(kind)) for kind in kinds) or "not finite"


def _past(autopsies: list[Autopsy], charts: list[LossChart | None]) -> str:
    """Past which logit, if it is the same one for all, and the images concerned do lie beyond."""
    found = set()
    for autopsy, chart in zip(autopsies, charts, strict=True):
        logit = autopsy.image and autopsy.image.logit
        edges = [edge for edge in limits(chart).values() if edge is not None] if chart else []
        if not isinstance(logit, float):
            return ""
        passed = [edge for edge in edges if edge * logit > 0 and abs(logit) >= abs(edge)]
        found.add(f"{passed[0]:.4g}".replace("-", "−") if passed else "")
    return f" past logit {found.pop()}" if len(found) == 1 and "" not in found else ""


def _clause(text: str) -> str:
    """The first part of an explanation."""
    for end in (". ", ": ", "; "):
        text = text.split(end, maxsplit=1)[0]
    return text


def _cure(cases: list[Case]) -> str:
    """What cures most of them, and what they reach with it; else that nothing did."""
    if len(cases) == 1:
        return cures.sentence(cases[0].entry)
    tried = [next((model for model in case.entry.seeds if model.cures or model.tried), None) for case in cases]
    tried = [one for one in tried if one]
    if not tried:
        return ""
    firsts = [one.cures[0] for one in tried if one.cures]
    if not firsts:
        return f"Nothing that was tried cures {'them' if len(tried) > 1 else 'it'}."
    usual = Counter(map(_formula, firsts)).most_common(1)[0][0]
    same = [cure for cure in firsts if _formula(cure) == usual]
    told = {cure.change for cure in same}
    reached = sorted(cure.correct for cure in same)
    right = f"{reached[0]:,}" + (f" to {reached[-1]:,}" if reached[-1] > reached[0] else "")
    seed = " with one seed of each" if any(len(case.entry.seeds) > 1 for case in cases) else ""
    text = f"Cure: {told.pop() if len(told) == 1 else usual}: {right} of {tried[0].n:,} right{seed}."
    if len(same) == len(tried):
        return text
    others = len(firsts) - len(same)
    return f"{text} It cures {len(same):,} of {len(tried):,}{f', other changes {others:,} more' if others else ''}."


def _formula(cure: Trial) -> str:
    """What is typed instead, whatever is said beside it."""
    return re.match(r"`[^`]*`|.*", cure.change)[0]
