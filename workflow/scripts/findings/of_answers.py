"""Findings about what came out: the answers, right or wrong, and the loss that they have."""

import math

from comparing.statistics import BEYOND_LUCK, SIGNIFICANT, at_least, fisher, interval
from findings.evidence import Evidence
from findings.finders import finds
from records.metrics import Finding, finding

HARDLY = 0.1  # of the errors of always naming the larger class: who avoids less hardly learned anything


@finds("one-class")
def find_one_class(evidence: Evidence) -> Finding | None:
    ones = int((evidence.end.yhat > 0.5).sum())
    if ones not in (0, len(evidence.y)):
        return None
    label = int(ones > 0)
    n = len(evidence.y)
    sentence = f"It calls all {n:,} images {evidence.task.classes[label]}."
    return finding("one-class", sentence, labels=[label], count=n)


@finds("chance-level")
def find_chance_level(evidence: Evidence) -> Finding | None:
    n, right, answers_one = evidence.task.pixels.n, evidence.right, evidence.end.yhat > 0.5
    ones = [int((answers_one & (evidence.y == label)).sum()) for label in (0, 1)]
    if sum(ones) in (0, sum(n)):  # see one-class
        return None
    sentence = f"{right:,} of {sum(n):,} training images are right; always naming the larger class gets {max(n):,}"
    facts = {"count": right, "of": sum(n), "against": max(n)}
    if evidence.avoids < HARDLY:
        return finding("chance-level", f"{sentence}.", **facts)
    p = fisher(ones[1], n[1], ones[0], n[0])
    can_be_told = fisher(n[1], n[1], 0, n[0]) < BEYOND_LUCK
    # Of a few images, a few errors are enough for it: where most errors are avoided, it is not asked.
    if evidence.avoids >= 0.5 or p < BEYOND_LUCK or not can_be_told:
        return None
    sentence += f"; answers at random are as good with a probability of {p:.2g}."
    return finding("chance-level", sentence, value=p, **facts)


@finds("does-not-generalize")
def find_does_not_generalize(evidence: Evidence) -> Finding | None:
    avoids, n = evidence.test_avoids, evidence.task.test_n
    if avoids is None or avoids >= 0.5 or evidence.avoids - avoids <= 0.25:
        return None
    wrong, of, wrong_in_training = sum(n) - evidence.test_right, sum(n), int(evidence.wrong.sum())
    if at_least(wrong, of, min(n) / sum(n) / 5) >= BEYOND_LUCK:
        return None
    low, high = (round(100 * share) for share in interval(wrong, of))
    verb = "is" if wrong == 1 else "are"
    sentence = f"{wrong:,} of {of:,} test images {verb} wrong (on others like these {low} to {high} of 100), "
    sentence += (
        f"{f'{wrong_in_training:,}' if wrong_in_training else 'none'} of the {len(evidence.y):,} training images."
    )
    return finding("does-not-generalize", sentence, count=wrong, of=of, value=avoids, against=evidence.avoids)


@finds("no-better-than-constant")
def find_no_better_than_constant(evidence: Evidence) -> Finding | None:
    if not evidence.is_no_better_than_constant:
        return None
    least = evidence.task.constant
    loss, best = f"{evidence.end.loss + 0.0:.4g}", f"{least + 0.0:.4g}"
    sentence = f"Its loss, {loss}, is no less than that of the best single answer for all images, {best}."
    if loss == best:
        sentence = f"Its loss is that of the best single answer for all images, {best}."
    elif evidence.avoids >= 0.9:
        sentence = "The answers are right, but the loss is larger than a constant's: some sure mistakes. "
        sentence += f"It is {loss}; the best single answer for all images has {best}."
    facts = {"value": evidence.end.loss, "against": least}
    return finding("no-better-than-constant", sentence, alarm=not evidence.is_right, **facts)


@finds("little-progress")
def find_little_progress(evidence: Evidence) -> Finding | None:
    progress = evidence.progress
    if progress is None:
        if evidence.avoids >= 0.5 or find_one_class(evidence) or find_chance_level(evidence):
            return None
        n = evidence.task.pixels.n
        sentence = f"{evidence.right:,} of {sum(n):,} training images are right; always naming the larger class gets "
        sentence += f"{max(n):,}."
        return finding("little-progress", sentence, count=evidence.right, of=sum(n), against=max(n))
    if not 0 < progress < 0.5 or evidence.is_no_better_than_constant:
        return None
    sentence = (
        f"Its loss has come {progress:.2g} of the way from the best single answer for all images to the best of all."
    )
    return finding("little-progress", sentence, alarm=not evidence.is_right, value=progress)


@finds("overfit")
def find_overfit(evidence: Evidence) -> Finding | None:
    tested = [look for look in evidence.trained.tested if math.isfinite(float(look.loss))]
    wrong, n = int(evidence.wrong.sum()), len(evidence.y)
    test_wrong = int(((evidence.test_yhat > 0.5) != (evidence.task.data["y_test"] == 1)).sum())
    test_n = len(evidence.test_yhat)
    best = min(tested, key=lambda one: one.loss, default=None)
    last = evidence.test_loss
    # Above its floor, which no training takes away.
    floor = evidence.task.floor or 0.0
    is_worse = best and test_wrong >= best.wrong and last - floor >= 2 * (best.loss - floor) > 0
    if not is_worse or fisher(test_wrong, test_n, wrong, n) >= SIGNIFICANT:
        return None
    then = f"{best.loss:.4g} with {best.wrong:,} of {test_n:,} test images wrong, at about epoch {best.epoch}"
    now = f"{last:.4g} now, with {test_wrong:,}"
    sentence = f"The test loss was least, {then}; it is {now}. Of the {n:,} training images {wrong:,} are wrong."
    return finding("overfit", sentence, epoch=best.epoch, value=last, against=best.loss)
