"""The first screen: how many train well, and the causes of all that does not, each told once, with its cure."""

from collections import Counter
from dataclasses import dataclass

from common.english import clause, symbol
from losses.facts import limits
from records.losses import LossChart, LossFile
from records.metrics import WORDS, Autopsy, Metrics, Outcome
from records.training import Counts
from reporting import best, cures
from reporting.broke import Broke
from reporting.remedies import Case, Remedy, remedy

NAMED_EPOCHS = 3
OPEN_CAUSES = 12  # of many; the page folds the others
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
class Cause:
    """One reason for which variants of one loss do not train well, and what helps all of them that are cured.

    who: their loss, and how many; what: the reason; models, of: in how many of their models; each: (variant, what
    was found in it); remedy: what helps, None where nothing was tried and nothing is offered.
    """

    word: str
    kind: str
    who: str
    what: str
    models: int
    of: int
    each: list[tuple[str, str]]
    remedy: Remedy | None


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
    metrics: list[Metrics], variants: dict, kinds: dict, losses: dict[str, LossFile], trials: int, defaults: dict
) -> list[Cause]:
    """The worst first, then those of the most variants. variants: {name: settings}; losses: by their names; trials: how
    many changes may be tried."""
    alike: dict[tuple, list[Case]] = {}
    for entry in metrics:
        if entry.word != "good":
            case = _case(entry, variants[entry.variant])
            alike.setdefault((case.settings["loss"], entry.word, *_fault(case.first)), []).append(case)
    groups = [group for cases in alike.values() for group in _by_cure(cases)]
    groups.sort(key=lambda cases: (-WORDS.index(cases[0].entry.word), -len(cases)))
    return [_cause(cases, variants, kinds, losses.get(cases[0].settings["loss"]), trials, defaults) for cases in groups]


def breaking(causes: list[Cause], drawn: dict[str, Broke | None]) -> Broke | None:
    """The picture whose line has the longest way into a region of its loss; None where there is no such region."""
    names = [name for cause in causes if cause.kind == "diverged" for name, _ in cause.each]
    found = [drawn[name] for name in names if drawn[name] and drawn[name].region]
    return max(found, key=lambda one: one.epoch, default=None)


def _case(entry: Metrics, settings: dict) -> Case:
    found = [model for model in entry.seeds if model.word == entry.word]
    tried = cures.tried_seed(entry)
    first = tried if tried in found else min(found, key=lambda model: model.autopsy.epoch if model.autopsy else 0)
    return Case(entry, settings, [model for model in found if _fault(model) == _fault(first)], first)


def _fault(model: Outcome) -> tuple:
    if model.findings[0].kind != "diverged":
        return (model.findings[0].kind,)
    return model.autopsy.cause, model.autopsy.culprits[0].expression if model.autopsy.culprits else None


def _by_cure(cases: list[Case]) -> list[list[Case]]:
    """Those whose best cure is the same change are together; with the most of them those that nothing cures."""
    cured: dict[str, list[Case]] = {}
    for case in cases:
        if case.best:
            cured.setdefault(case.best.change, []).append(case)
    groups = sorted(cured.values(), key=len, reverse=True)
    rest = [case for case in cases if not case.best]
    return [groups[0] + rest, *groups[1:]] if groups else [rest]


def _cause(cases: list[Case], variants: dict, kinds: dict, loss: LossFile | None, trials: int, defaults: dict) -> Cause:
    first = cases[0]
    if first.finding.kind == "diverged":
        what = _why_diverged(cases, loss.chart if loss else None)
    elif len(cases) == 1:
        what = first.finding.sentence.removesuffix(".")
    else:
        what = clause(kinds[first.finding.kind]["means"])
    return Cause(
        word=first.entry.word,
        kind=first.finding.kind,
        who=_who(cases, variants),
        what=what,
        models=sum(len(case.models) for case in cases),
        of=sum(len(case.entry.seeds) for case in cases),
        each=[(case.name, case.finding.sentence) for case in cases],
        remedy=remedy(cases, variants, loss, trials, defaults),
    )


def _who(cases: list[Case], variants: dict) -> str:
    """manual-bce, 3 variants; manual-bce-eps on raw, 2 variants; a single variant by its name."""
    if len(cases) == 1:
        return cases[0].name
    who, normalizations = cases[0].settings["loss"], {case.settings["normalization"] for case in cases}
    if len(normalizations) == 1 and len({settings["normalization"] for settings in variants.values()}) > 1:
        who += f" on {normalizations.pop()}"
    return f"{who}, {len(cases):,} variants"


def _why_diverged(cases: list[Case], chart: LossChart | None) -> str:
    autopsies = [case.first.autopsy for case in cases]
    first = autopsies[0]
    what = CAUSES.get(first.cause, "the loss is not finite")
    if first.culprits:
        expression, past = f"`{first.culprits[0].expression}`", _past(autopsies, chart)
        if first.cause == "gradient":
            what = f"the derivative of {expression} is not finite{past}"
        else:
            what = f"{expression} is {_held(autopsies)}{past}"
            what += f": {CAUSES[first.cause]}" if first.cause in CAUSES else ""
    epochs = sorted({min(model.autopsy.epoch for model in case.models) for case in cases})
    first = "first at" if any(len(case.models) > 1 for case in cases) else "at"
    if len(epochs) > NAMED_EPOCHS:
        return f"{what}; {first} epochs {epochs[0]:,} to {epochs[-1]:,}"
    named = [f"{epoch:,}" for epoch in epochs]
    return f"{what}; {first} {'epoch' if len(named) == 1 else 'epochs'} {best.names(named)}"


def _held(autopsies: list[Autopsy]) -> str:
    counts = [count for one in autopsies for count in one.culprits[0].holds.values()]
    kinds = [kind for kind in ("nan", "+inf", "-inf") if any(count.get(kind) for count in counts)]
    return " or ".join(symbol(float(kind)) for kind in kinds) or "not finite"


def _past(autopsies: list[Autopsy], chart: LossChart | None) -> str:
    """Past which logit, if it is the same one for all, and the images concerned do lie beyond."""
    edges = [edge for edge in limits(chart).values() if edge is not None] if chart else []
    found = set()
    for autopsy in autopsies:
        logit = autopsy.image and autopsy.image.logit
        if not isinstance(logit, float):
            return ""
        passed = [edge for edge in edges if edge * logit > 0 and abs(logit) >= abs(edge)]
        found.add(f"{passed[0]:.4g}".replace("-", "−") if passed else "")
    return f" past logit {found.pop()}" if len(found) == 1 and "" not in found else ""
