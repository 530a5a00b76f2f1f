"""Which change is tried next: single ones by what is found, then a second one beside the most promising."""

from collections.abc import Iterator

from cures.attempt import Attempt
from cures.change import SettingsChange, both
from cures.changes import is_same_training, ways_for, worth_trying
from cures.of_settings import rate_of
from findings.causes import CAUSE_KINDS
from findings.judging import Judged

CAUSE_NAMES = {kind.name for kind in CAUSE_KINDS}
# So few wrong images that no other change can have more right beyond luck (McNemar's exact test: 5 to 0 is p = 0.06).
FEW_WRONG = 5


def changes_to_try(patient: Judged, tried: list[Attempt]) -> Iterator[SettingsChange]:
    """Each function and each setting once, until a cure leaves few training images wrong. What the next alarm
    makes likely, only while nothing helps.

    tried: what was, which the caller keeps; a change that could not be trained with is not in it.
    """
    seen = [patient.evidence.task.settings]
    for group in worth_trying(patient.evidence, patient.outcome.findings):
        for change in _new(group, seen, patient):
            yield change
            attempt = _of(change, tried)
            if attempt and _shows_a_second_fault(attempt, patient):
                yield from _second(attempt, seen, tried)
            if any(map(_is_best, tried)):
                return
        if not _is_cured(tried):
            yield from _beside_the_most_promising(patient, seen, tried)
        if _is_cured(tried):
            yield from _refined(patient, seen, tried)
            return


def _new(changes: list[SettingsChange], seen: list[dict], start: Judged) -> Iterator[SettingsChange]:
    """Those that make another training than all before. start: what they change."""
    for change in changes:
        settings = start.evidence.task.settings | change.settings
        if not any(is_same_training(settings, other) for other in seen):
            seen.append(settings)
            yield change


def _of(change: SettingsChange, tried: list[Attempt]) -> Attempt | None:
    return tried[-1] if tried and tried[-1].change is change else None


def _is_best(attempt: Attempt) -> bool:
    outcome = attempt.made.outcome
    return attempt.is_cure and outcome.n - outcome.correct <= FEW_WRONG


def _is_cured(tried: list[Attempt]) -> bool:
    return any(attempt.is_cure for attempt in tried)


def _shows_a_second_fault(attempt: Attempt, patient: Judged) -> bool:
    """Whether what was found first is gone by another setting than the loss, and what is left is a cause that lies in
    the loss. Of any other, a single change may still be without."""
    is_of_loss = "loss_definition" in attempt.change.settings
    if is_of_loss or attempt.is_cure or attempt.loses_images or not attempt.alarms or not _is_mended(attempt, patient):
        return False
    ways = ways_for(attempt.made.evidence, attempt.alarms[0])
    return attempt.alarms[0] in CAUSE_NAMES and "standard loss" in ways and "rate" not in ways


def _is_mended(attempt: Attempt, patient: Judged) -> bool:
    """Whether the alarm that was first is gone."""
    first = next((finding.kind for finding in patient.outcome.findings if finding.alarm), None)
    return first not in attempt.alarms


def _beside_the_most_promising(patient: Judged, seen: list[dict], tried: list[Attempt]) -> Iterator[SettingsChange]:
    """A second change beside the single one in which the finding first named is gone, else beside the one with most
    images right beyond luck."""
    single = [attempt for attempt in tried if len(attempt.change.ways) == 1 and not attempt.loses_images]
    mended = [attempt for attempt in single if _is_mended(attempt, patient)]
    for group in (mended, [attempt for attempt in single if attempt.is_better]):
        if group:
            yield from _second(max(group, key=lambda attempt: attempt.right), seen, tried, ("pixels",))
            return


def _second(
    start: Attempt, seen: list[dict], tried: list[Attempt], also: tuple[str, ...] = ()
) -> Iterator[SettingsChange]:
    """Beside a change, what its own alarms make likely, in other settings. also: ways that are tried then."""
    *groups, general = list(worth_trying(start.made.evidence, start.made.outcome.findings)) or [[]]
    for group in [*groups, [change for change in general if change.ways[0] in also]]:
        others = [change for change in group if not change.settings.keys() & start.change.settings.keys()]
        for change in _new(others, seen, start.made):
            yield both(start.change, change)
            if any(map(_is_best, tried)):
                return
        if _is_cured(tried):
            return


def _refined(patient: Judged, seen: list[dict], tried: list[Attempt]) -> Iterator[SettingsChange]:
    """Three times the rate that cures best and a third of it, where other settings might do better."""
    best = max((attempt for attempt in tried if attempt.is_cure), key=lambda attempt: attempt.right)
    outcome = best.made.outcome
    if best.change.ways == ("rate",) and outcome.n - outcome.correct > FEW_WRONG:
        lr = best.change.settings["lr"]
        yield from _new([rate_of(patient.evidence, lr * factor) for factor in (3, 1 / 3)], seen, patient)
