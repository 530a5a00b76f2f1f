"""What cures a variant that is not good, in a sentence and as lines for config.yaml; else what was tried, and what it
changed; else what may be typed better."""

from dataclasses import dataclass

import yaml

from common.english import clause, counted, first_few
from cures.snippets import as_lines, as_typed, same_function
from findings.catalogue import OF_TEST_IMAGES
from records.losses import LossFile
from records.metrics import Metrics, Outcome, Trial

NAMED_CHANGES = 4  # changes in vain that the sentence names; the card lists all
# What is counted of the kinds of which the count is what is wrong; that of others, slow say, is of another kind.
NOUNS = {
    "equal-images": "image",
    "conflicting-images": "image",
    "stuck-images": "image",
    "wrong-way": "wrong image",
    "unequal-weights": "wrong image",
    "frozen": "wrong image",
    "cycle": "wrong image",
    "overfit": "wrong test image",
    "does-not-generalize": "wrong test image",
    "dead-units": "unit",
    "unchanged": "weight",
}


@dataclass(frozen=True)
class Cure:
    """A change that helped: its lines for config.yaml, and the sections of config.yaml that they belong under."""

    trial: Trial
    lines: str
    sections: list[str]


@dataclass(frozen=True)
class Untried:
    """A better form of a loss that was not tried: in words, and as the line under `losses:` that takes its place."""

    words: str
    line: str


@dataclass(frozen=True)
class Tried:
    """What a card says of the changes that were tried with one seed.

    in_vain: those that are no cures, each with what it changed, in words; empty where the sentence names them all.
    untried: what is offered where nothing was tried. general: what its first alarm means, and what helps in general;
    '' where a change helped.
    """

    outcome: Outcome
    sentence: str
    cures: list[Cure]
    in_vain: list[str]
    untried: Untried | None
    general: str


def on_card(entry: Metrics, loss: LossFile | None, name: str, trials: int, kinds: dict, defaults: dict) -> Tried | None:
    """None for a good variant. loss: its own, of this name; trials: how many changes may be tried; kinds: as the page
    explains them; defaults: the effective ones, as `without_defaults` takes them."""
    if entry.word == "good":
        return None
    one = tried_seed(entry) or next(model for model in entry.seeds if model.word == entry.word)
    cures = [
        Cure(trial, without_defaults(trial.snippet, defaults), list(yaml.safe_load(trial.snippet)))
        for trial in one.cures
    ]
    all_named = not cures and len(one.tried) <= NAMED_CHANGES
    offered = untried(one, loss, name, trials)
    return Tried(
        outcome=one,
        sentence=sentence(entry) or (f"Better typed as {offered.words}." if offered else ""),
        cures=cures,
        in_vain=[] if all_named else _in_vain(one),
        untried=offered,
        general="" if cures else _general(one, kinds),
    )


def sentence(entry: Metrics) -> str:
    """What cures the variant, and to what; or what was tried in vain; '' where nothing was tried."""
    one = tried_seed(entry)
    if one is None:
        return ""
    seed = seed_in_words(entry, one)
    if one.cures:
        return f"Cure{f' of {seed}' if seed else ''}: {reached(one.cures[0], one)}."
    return f"Nothing that was tried cures {seed or 'it'}: {first_few(_in_vain(one), NAMED_CHANGES)}."


def reached(cure: Trial, one: Outcome) -> str:
    """'`x / 255`: 795 → 800 of 800 right'; of what diverged, which has no count, only what the change reaches."""
    counts = f"{cure.correct:,} of {one.n:,} right" if one.correct is None else _counts(cure, one)
    return f"{cure.change}: {counts}"


def seed_in_words(entry: Metrics, one: Outcome) -> str:
    """'' of the only one; of several with its word, where another one is worse."""
    if len(entry.seeds) == 1:
        return ""
    return f"seed {one.seed}" + (f" ({one.word})" if one.word != entry.word else "")


def tried_seed(entry: Metrics) -> Outcome | None:
    """The one with which changes were tried."""
    return next((model for model in entry.seeds if model.cures or model.tried), None)


def without_defaults(snippet: str, defaults: dict) -> str:
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


def untried(one: Outcome, loss: LossFile | None, name: str, trials: int) -> Untried | None:
    """The better form of its loss, which has this name; None where changes are tried, where there is no better form, or
    where the test images are to blame."""
    kinds = {finding.kind for finding in one.findings}
    if trials or one.cures or one.tried or loss is None or loss.better is None or kinds & OF_TEST_IMAGES:
        return None
    form = loss.better
    constants = "".join(f", {constant} = {value}" for constant, value in form.constants.items())
    words = f"`{form.formula}`{constants}, {same_function(loss.definition)}; not tried: diagnosis.trials is 0"
    typed = {"formula": form.formula, **form.constants} if form.constants else form.formula
    return Untried(words, as_lines({"losses": {name: typed}}))


def _in_vain(one: Outcome) -> list[str]:
    return [f"{trial.change} ({_did(trial, one)})" for trial in one.tried]


def _did(trial: Trial, one: Outcome) -> str:
    """What a change that is no cure changed: '541 → 798 of 800 right; now stuck-images, 1 image'."""
    if trial.verdict == "good":
        return _lost(trial, one)
    return "; ".join(part for part in (_counts(trial, one), _left(trial, one)) if part)


def _counts(trial: Trial, one: Outcome) -> str:
    if trial.correct is None:
        return "still diverged" if one.correct is None else f"{one.correct:,} of {one.n:,} right → diverged"
    if one.correct is None:
        return f"{one.word} → {trial.correct:,} of {one.n:,} right"
    if trial.correct == one.correct:
        return f"{one.correct:,} of {one.n:,} right, as before"
    return f"{one.correct:,} → {trial.correct:,} of {one.n:,} right"


def _left(trial: Trial, one: Outcome) -> str:
    """The fault that is left; `still` stands before one that the seed had without the change, too."""
    what = trial.finding or trial.verdict
    if trial.correct is None and what in ("diverged", "fails"):
        return ""  # the counts say so
    before = {finding.kind for finding in one.findings if finding.alarm} | {one.verdict}
    found = f"{'still' if what in before else 'now'} {what}"
    noun = NOUNS.get(what)
    return f"{found}, {counted(trial.count, noun)}" if noun and trial.count else found


def _lost(trial: Trial, one: Outcome) -> str:
    """Why a trial that is good is no cure."""
    if trial.correct < one.correct:
        return f"{_counts(trial, one)}, loses images"
    return f"{one.test_correct:,} → {trial.test_correct:,} of {one.test_n:,} test images right, loses images"


def _general(one: Outcome, kinds: dict) -> str:
    alarm = next((finding.kind for finding in one.findings if finding.alarm), None)
    if alarm is None:
        return ""
    return f"{alarm} means: {clause(kinds[alarm]['means'])}. What helps in general: {kinds[alarm]['helps']}."
