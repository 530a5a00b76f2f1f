"""What cures a variant that is not good, in a sentence and as lines for config.yaml; and what was tried in vain."""

from dataclasses import dataclass

import yaml

from cures.snippets import as_lines, as_typed
from records.metrics import Metrics, Outcome, Trial

NAMED_CHANGES = 4  # changes in vain that the sentence names; the card lists all


@dataclass(frozen=True)
class Cure:
    """A change that helped: its lines for config.yaml, and the sections of config.yaml that they belong under."""

    trial: Trial
    lines: str
    sections: list[str]


@dataclass(frozen=True)
class Tried:
    """What a card says of the changes that were tried with one seed.

    in_vain: those that did not help, each with what is left, in words; empty where the sentence names them all.
    """

    outcome: Outcome
    sentence: str
    cures: list[Cure]
    in_vain: list[str]


def on_card(entry: Metrics, defaults: dict) -> Tried | None:
    """None where nothing was tried. defaults: the effective ones, as `shortened` takes them."""
    one = _tried(entry)
    if one is None:
        return None
    cures = [
        Cure(trial, shortened(trial.snippet, defaults), list(yaml.safe_load(trial.snippet))) for trial in one.cures
    ]
    all_named = not cures and len(one.tried) <= NAMED_CHANGES
    return Tried(one, sentence(entry), cures, [] if all_named else _in_vain(one))


def sentence(entry: Metrics) -> str:
    """What cures the variant, and to what; or what was tried in vain; '' where nothing was tried."""
    one = _tried(entry)
    if one is None:
        return ""
    of_many = len(entry.seeds) > 1
    if one.cures:
        best = one.cures[0]
        seed = f" of seed {one.seed}" if of_many else ""
        return f"Cure{seed}: {best.change}: {best.correct:,} of {one.n:,} right."
    words = _in_vain(one)
    rest = f" and {len(words) - NAMED_CHANGES} more" if len(words) > NAMED_CHANGES else ""
    cured = f"seed {one.seed}" if of_many else "it"
    return f"Nothing that was tried cures {cured}: {', '.join(words[:NAMED_CHANGES])}{rest}."


def shortened(snippet: str, defaults: dict) -> str:
    """The lines for config.yaml without what its `defaults` say anyway.

    defaults: the effective ones, in which an optimizer or activation is [name, [[argument, value], …]].
    """
    known = {key: as_typed(value) if key in ("activation", "optimizer") else value for key, value in defaults.items()}
    sections = yaml.safe_load(snippet)
    if "variants" in sections:
        sections["variants"] = {
            name: {key: value for key, value in settings.items() if key not in known or value != known[key]}
            for name, settings in sections["variants"].items()
        }
    return as_lines(sections)


def _tried(entry: Metrics) -> Outcome | None:
    return next((model for model in entry.seeds if model.cures or model.tried), None)


def _in_vain(one: Outcome) -> list[str]:
    """`still` stands before what the seed had without the change, too."""
    before = {finding.kind for finding in one.findings if finding.alarm} | {one.verdict}
    left = [(trial.change, trial.finding or trial.verdict) for trial in one.tried]
    return [f"{change} ({'still' if what in before else 'now'} {what})" for change, what in left]
