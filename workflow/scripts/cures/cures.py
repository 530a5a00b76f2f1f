"""What makes a training that went wrong go well: changes of its settings, each tried from the start, in full.

A trial is a training as any other, judged as any other; nothing is advised that was not tried, and was good.
"""

from collections.abc import Callable
from dataclasses import replace

from msgspec import structs

from common.errors import UserError
from cures.attempt import Attempt, is_clearly_better
from cures.change import SettingsChange
from cures.changes import WAYS, ways_for
from cures.search import changes_to_try
from cures.snippets import snippet
from findings.evidence import Retrained
from findings.findings import findings, verdict
from findings.judging import Judged, Train, judged
from findings.task import changed_task
from records.metrics import Finding, Outcome, Trial


def cured(patient: Judged, trials: int, train: Train, normalized: Callable[[list], dict]) -> Outcome:
    """The outcome of a model that is not good, with what cures it and what does not.

    trials: at most so many are trained. normalized: the data of a task under a normalization_definition.
    """
    tried: list[Attempt] = []
    for change in changes_to_try(patient, tried):
        made = _made(patient, change, train, normalized)
        if made is not None:
            tried.append(Attempt(change, patient.evidence, made))
        if len(tried) == trials:
            break
    evidence = replace(patient.evidence, retrained=tuple(map(_retrained, tried)))
    found = findings(evidence)
    return structs.replace(
        patient.outcome,
        verdict=verdict(evidence, found),
        findings=found,
        cures=[_trial(attempt, patient.outcome) for attempt in _ranked(tried, found)],
        tried=[_trial(attempt, patient.outcome) for attempt in tried if not attempt.is_cure],
    )


def _made(patient: Judged, change: SettingsChange, train: Train, normalized: Callable[[list], dict]) -> Judged | None:
    """None where the change overflows the optimizer."""
    before = patient.evidence.task
    settings = before.settings | change.settings
    pixels = change.settings.get("normalization_definition")
    data = normalized(pixels) if pixels else before.data
    try:
        trained = train(settings, patient.outcome.seed, data)
    except (ArithmeticError, UserError):
        return None
    return judged(trained, changed_task(before, settings, data), train)


def _retrained(attempt: Attempt) -> Retrained:
    evidence = attempt.made.evidence
    return Retrained(
        ways=attempt.change.ways,
        settings=evidence.task.settings,
        fails=attempt.made.outcome.verdict == "fails",
        right=(evidence.trained.yhat > 0.5) == (evidence.y == 1),
        test_right=evidence.right_test_images,
    )


def _trial(attempt: Attempt, before: Outcome) -> Trial:
    told, change = attempt.made.outcome, attempt.change
    left = next((finding for finding in told.findings if finding.alarm), None)
    settings = attempt.patient.task.settings
    has_both = attempt.gains and None not in (before.test_correct, told.test_correct)
    lines = snippet(settings["variant"], before.seed, settings, change.settings, change.suffix)
    return Trial(
        change=change.words,
        ways=list(change.ways),
        same_function=change.is_same_function,
        verdict=told.verdict,
        correct=told.correct,
        test_correct=told.test_correct,
        p_value=attempt.gains[1].p_value if has_both else None,
        finding=left.kind if left else None,
        count=left.count if left else None,
        snippet=lines if attempt.is_cure else None,
    )


def _ranked(tried: list[Attempt], found: list[Finding]) -> list[Attempt]:
    """The cures: first those of what was found first, but for a rate with which clearly fewer images are right than
    with another; of these the same function, unless another is clearly better; then those with most images right, of
    training and test; then the smallest change."""
    order, cures = list(WAYS), [attempt for attempt in tried if attempt.is_cure]

    def rank(attempt: Attempt) -> tuple:
        ways = attempt.change.ways
        is_beaten = any(is_clearly_better(other, attempt) for other in cures)
        mends_first = ways[0] in ways_for(attempt.patient, found[0].kind) and not (ways[0] == "rate" and is_beaten)
        is_equal = attempt.change.is_same_function and not is_beaten
        return not mends_first, not is_equal, -attempt.right, len(ways), [order.index(way) for way in ways]

    return sorted(cures, key=rank)
