"""What makes a training that went wrong go well: single changes, each tried from the start, in full.

A trial is a training as any other, judged as any other; nothing is advised that was not tried, and was good.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

from msgspec import structs

from common.errors import UserError
from comparing.statistics import SIGNIFICANT, mcnemar
from cures.changes import WAYS, SettingsChange, worth_trying
from cures.snippets import snippet
from findings.evidence import Evidence, Retrained
from findings.findings import findings, verdict
from findings.judging import Judged, Train, judged
from findings.task import changed_task
from records.metrics import Outcome, Trial


def cured(first: Judged, trials: int, train: Train, normalized: Callable[[list], dict]) -> Outcome:
    """The outcome of a model that is not good, with what cures it and what does not.

    trials: at most so many are trained. normalized: the data of a task under a normalization_definition.
    """
    outcome, evidence = first.outcome, first.evidence
    before = evidence.task
    tried: list[tuple[SettingsChange, Judged]] = []
    for change in _each(evidence, outcome, tried):
        settings = before.settings | change.settings
        pixels = change.settings.get("normalization_definition")
        data = normalized(pixels) if pixels else before.data
        try:
            trained = train(settings, outcome.seed, data)
        except (ArithmeticError, UserError):  # the change overflows the optimizer
            continue
        tried.append((change, judged(trained, changed_task(before, settings, data), train)))
        if len(tried) == trials:
            break
    evidence = replace(evidence, retrained=tuple(_retrained(*one) for one in tried))
    found = findings(evidence)
    told = [(change, _trial(evidence, outcome, change, other), other) for change, other in tried]
    return structs.replace(
        outcome,
        verdict=verdict(evidence, found),
        findings=found,
        cures=_ranked([one for one in told if one[1].verdict == "good"]),
        tried=[trial for _, trial, _ in told if trial.verdict != "good"],
    )


def _each(evidence: Evidence, outcome: Outcome, tried: list[tuple[SettingsChange, Judged]]) -> Iterator[SettingsChange]:
    """Each change once, until one is found that nothing could rank before: the same function, or no image wrong. What
    the next alarm makes likely, only while nothing helps."""
    seen = [evidence.task.settings]
    for group in worth_trying(evidence, outcome.findings):
        for change in group:
            settings = evidence.task.settings | change.settings
            is_solved = any(one.way == change.way == "rate" and _is_good(other) for one, other in tried)
            if settings not in seen and not is_solved:
                seen.append(settings)
                yield change
                if tried and _is_best(*tried[-1]):
                    return
        if any(_is_good(other) for _, other in tried):
            return


def _is_good(other: Judged) -> bool:
    return other.outcome.verdict == "good"


def _is_best(change: SettingsChange, other: Judged) -> bool:
    return _is_good(other) and (change.is_same_function or other.outcome.correct == other.outcome.n)


def _retrained(change: SettingsChange, other: Judged) -> Retrained:
    evidence = other.evidence
    return Retrained(
        way=change.way,
        settings=evidence.task.settings,
        fails=other.outcome.verdict == "fails",
        right=(evidence.trained.yhat > 0.5) == (evidence.y == 1),
        test_right=evidence.right_test_images,
    )


def _trial(evidence: Evidence, outcome: Outcome, change: SettingsChange, other: Judged) -> Trial:
    told = other.outcome
    alarms = [finding for finding in told.findings if finding.alarm]
    settings = evidence.task.settings
    lines = snippet(settings["variant"], outcome.seed, settings, change.settings, change.suffix)
    return Trial(
        change=change.words,
        ways=[change.way],
        same_function=change.is_same_function,
        verdict=told.verdict,
        correct=told.correct,
        test_correct=told.test_correct,
        p_value=_p_value(evidence, other.evidence) if None not in (outcome.test_correct, told.test_correct) else None,
        finding=alarms[0].kind if alarms else None,
        count=alarms[0].count if alarms else None,
        snippet=lines if _is_good(other) else None,
    )


def _p_value(one: Evidence, other: Evidence) -> float:
    """Of McNemar's exact test on the test images."""
    right, also_right = one.right_test_images, other.right_test_images
    return mcnemar(int((right & ~also_right).sum()), int((also_right & ~right).sum()))


def _ranked(cures: list[tuple[SettingsChange, Trial, Judged]]) -> list[Trial]:
    """The same function before another; then what is not significantly worse than the most accurate; of these the
    smallest change."""
    found = []
    for is_same in (True, False):
        group = [trial for trial in cures if trial[0].is_same_function == is_same]
        group.sort(key=lambda one: list(WAYS).index(one[0].way))
        if group:
            most = max(group, key=lambda one: (one[1].test_correct, one[1].correct))
            worse = [one for one in group if _p_value(most[2].evidence, one[2].evidence) < SIGNIFICANT]
            worse.sort(key=lambda one: -one[1].test_correct)
            found += [one for one in group if one not in worse] + worse
    return [trial for _, trial, _ in found]
