"""What helps the variants of one cause: one change, on how many of them it was tried, how many it cures, and the lines
that do it."""

from dataclasses import dataclass

import yaml

from common.english import counted, first_few
from cures.snippets import as_lines, as_typed
from records.losses import LossFile
from records.metrics import Finding, Metrics, Outcome, Trial
from reporting import cures

NAMED_VARIANTS = 6  # of those that are not cured; the rest are counted


@dataclass(frozen=True)
class Case:
    """A variant that does not train well: settings, its own; models, those of its seeds that have the same fault;
    first, one of these: the one with which changes were tried, else the one that broke first."""

    entry: Metrics
    settings: dict
    models: list[Outcome]
    first: Outcome

    @property
    def name(self) -> str:
        return self.entry.variant

    @property
    def finding(self) -> Finding:
        return self.first.findings[0]

    @property
    def best(self) -> Trial | None:
        return self.first.cures[0] if self.first.cures else None


@dataclass(frozen=True)
class Lines:
    """For config.yaml. whose: of the variant or loss whose place they take; where they go, in words."""

    text: str
    whose: str
    where: str


@dataclass(frozen=True)
class Remedy:
    """What cures variants, or may; or that nothing does.

    sentence: the whole in words; seed: the one that it was tried with, of several, else ''; words: what and how far,
    without a full stop; cured: how many variants. lines: None where nothing helps.
    """

    sentence: str
    seed: str = ""
    words: str = ""
    cured: int = 0
    lines: Lines | None = None


def remedy(cases: list[Case], variants: dict, loss: LossFile | None, trials: int, defaults: dict) -> Remedy | None:
    """What helps variants of one loss with one fault, all that are cured by the same change; None where nothing was
    tried and nothing is offered. loss: theirs; trials: how many changes may be tried."""
    cured = [case for case in cases if case.best]
    one = len(cases) == 1 and cures.tried_seed(cases[0].entry)
    if one:
        seed = cures.seed_in_words(cases[0].entry, one)
        sentence = cures.sentence(cases[0].entry)
        if not one.cures:
            return Remedy(sentence)
        return Remedy(sentence, seed, cures.reached(one.cures[0], one), 1, _own_lines(cases[0].entry, one, defaults))
    if cured:
        words = _of_several(cases, cured)
        return Remedy(f"Cure: {words}.", "", words, len(cured), _lines(cured, variants, defaults))
    tried = [case.name for case in cases if case.first.tried]
    if tried:
        whom = "them" if len(tried) == len(cases) else first_few(tried, NAMED_VARIANTS)
        return Remedy(f"Nothing that was tried cures {whom}.")
    name = cases[0].settings["loss"]
    offers = [cures.untried(case.first, loss, name, trials) for case in cases]
    if any(offer is None for offer in offers):
        return None
    where = _in_place(name, variants, {case.name for case in cases})
    return Remedy(f"Better typed as {offers[0].words}.", "", offers[0].words, 0, Lines(offers[0].line, name, where))


def _of_several(cases: list[Case], cured: list[Case]) -> str:
    best = cured[0].best
    right = sorted({case.best.correct for case in cured})
    span = f"{right[0]:,}" if len(right) == 1 else f"{right[0]:,} to {right[-1]:,}"
    tried = [case for case in cases if any(best.change == one.change for one in [*case.first.cures, *case.first.tried])]
    words = f"{best.change}: {span} of {cured[0].first.n:,} right; tried on {len(tried):,}, cures {len(cured):,}"
    if any(len(case.entry.seeds) > 1 for case in tried):
        words += ", with one seed of each"
    rest = [case for case in cases if not case.best]
    failed, untried = ([case.name for case in rest if bool(case.first.tried) is is_tried] for is_tried in (True, False))
    words += f"; not cured: {first_few(failed, NAMED_VARIANTS)}" if failed else ""
    return f"{words}; no such seed was tried of {first_few(untried, NAMED_VARIANTS)}" if untried else words


def _lines(cured: list[Case], variants: dict, defaults: dict) -> Lines:
    """The one line that cures them all, where only the loss changes; else those of the first, for a pattern."""
    first, *others = cured
    own = _own_lines(first.entry, first.first, defaults)
    if not others:
        return own
    losses = [_only_loss(case) for case in cured]
    if losses[0] is not None and all(loss == losses[0] for loss in losses):
        name = first.settings["loss"]
        where = _in_place(name, variants, {case.name for case in cured})
        return Lines(as_lines({"losses": {name: losses[0]}}), name, where)
    alike = first_few([case.name for case in others], NAMED_VARIANTS)
    return Lines(own.text, first.name, f"{own.where} Change {alike} alike.")


def _own_lines(entry: Metrics, one: Outcome, defaults: dict) -> Lines:
    seed = ", with the seed that was tried" if len(entry.seeds) > 1 else ""
    where = f"For config.yaml, in place of {entry.variant}{seed}."
    return Lines(cures.without_defaults(one.cures[0].snippet, defaults), entry.variant, where)


def _in_place(name: str, variants: dict, meant: set[str]) -> str:
    others = sum(settings["loss"] == name and variant not in meant for variant, settings in variants.items())
    also = f"; {counted(others, 'other variant')} {'has' if others == 1 else 'have'} this loss, too" if others else ""
    return f"In config.yaml, in place of `{name}` under `losses:`{also}."


def _only_loss(case: Case) -> str | dict | None:
    """The loss as its cure types it; None where that changes anything else."""
    sections = yaml.safe_load(case.best.snippet)
    if "losses" not in sections:
        return None
    for typed in sections.get("variants", {}).values():
        for key, value in typed.items():
            own = case.settings.get(key, value)
            own = as_typed(own) if key in ("activation", "optimizer") and isinstance(own, list) else own
            if key not in ("loss", "seeds") and value != own:
                return None
    return next(iter(sections["losses"].values()))
