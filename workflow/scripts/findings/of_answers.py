"""Findings about what came out: the answers, right or wrong, and the loss that they have."""

from dataclasses import dataclass

from common.english import counted
from comparing.statistics import BEYOND_LUCK, at_least, fisher, interval, mcnemar
from findings.evidence import Evidence
from findings.finders import finds
from losses.one_image import one_image
from records.metrics import Finding, finding

LOST_IMAGES = 0.01  # a p-value below it: the test images that were right once
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


@finds("wrong-way-on-test")
def find_wrong_way_on_test(evidence: Evidence) -> Finding | None:
    n, right = evidence.task.test_n, evidence.test_right
    is_chance = right is None or at_least(sum(n) - right, sum(n), max(n) / sum(n)) >= BEYOND_LUCK
    if is_chance or evidence.avoids < 0.5 or find_test_unlike_training(evidence):
        return None
    sentence = f"{sum(n) - right:,} of {sum(n):,} test images are wrong, more than by always naming the smaller class, "
    sentence += f"and {evidence.right:,} of {len(evidence.y):,} training images are right: the classes of the test "
    return finding("wrong-way-on-test", f"{sentence}images seem exchanged.", count=sum(n) - right, of=sum(n))


@finds("test-unlike-training")
def find_test_unlike_training(evidence: Evidence) -> Finding | None:
    if find_does_not_generalize(evidence) is None:
        return None
    found = evidence.task.unlike()
    return found and finding("test-unlike-training", found.sentence, value=found.after, against=found.before)


@finds("does-not-generalize")
def find_does_not_generalize(evidence: Evidence) -> Finding | None:
    avoids, n = evidence.test_avoids, evidence.task.test_n
    if avoids is None or avoids >= 0.5 or evidence.avoids - avoids <= 0.25:
        return None
    wrong, of, wrong_in_training = sum(n) - evidence.test_right, sum(n), int(evidence.wrong.sum())
    # A class that is hard in training is as hard here, and may have more of these images.
    shares = [evidence.wrong[evidence.y == label].float().mean().item() for label in (0, 1)]
    as_in_training = sum(share * count for share, count in zip(shares, n, strict=True)) / of
    if at_least(wrong, of, max(min(n) / of / 5, min(as_in_training, 0.999))) >= BEYOND_LUCK:
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
        sentence = f"The answers are right, but the loss is larger than a constant's: {loss}, and {best} with the best "
        sentence += f"single answer for all images.{_sure_mistakes(evidence)}"
    facts = {"value": evidence.end.loss, "against": least}
    return finding("no-better-than-constant", sentence, alarm=not evidence.is_right, **facts)


def _sure_mistakes(evidence: Evidence) -> str:
    """' 3 wrong images have 98 % of it.'; '' unless wrong images have most of the loss."""
    image, wrong = one_image(evidence.task.loss), evidence.wrong.flatten()
    if image.why_not is not None or not wrong.any():
        return ""
    each = image.in_float32(evidence.y.flatten(), evidence.end.logits.flatten())[0].double()
    share = (each[wrong].sum() / each.sum()).item()
    if not (0.5 < share <= 1 and bool((each >= 0).all())):
        return ""
    verb = "has" if int(wrong.sum()) == 1 else "have"
    return f" {counted(int(wrong.sum()), 'wrong image')} {verb} {share:.0%} of it."


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


@dataclass(frozen=True)
class Earlier:
    """An earlier look at the test images at which significantly fewer of them were wrong: `wrong`, and of the training
    images `wrong_in_training`; now and now_in_training are those of the final weights."""

    epoch: int
    wrong: int
    wrong_in_training: int
    now: int
    now_in_training: int

    @property
    def sentence(self) -> str:
        verb = "was" if self.wrong == 1 else "were"
        text = (
            f"At epoch {self.epoch:,}, {counted(self.wrong, 'test image')} {verb} wrong, and {self.now:,} in the end; "
        )
        return (
            text + f"of the training images, {self.wrong_in_training:,} then and {self.now_in_training:,} in the end."
        )


def _earlier(evidence: Evidence) -> Earlier | None:
    """The look with the fewest wrong test images, if it is no guess and the last answers lost images against it: by
    McNemar's exact test, times the number of looks that it was chosen from (Bonferroni)."""
    epoch, history = evidence.trained.record.test_epoch, evidence.trained.history
    if epoch is None or evidence.test_right is None or history[epoch].accuracy is None:
        return None
    if find_wrong_way_on_test(evidence) or find_test_unlike_training(evidence):  # which explain what is wrong
        return None
    y = evidence.task.data["y_test"] == 1
    then, now = evidence.trained.test_answers == y, evidence.right_test_images
    looks = sum(row.test_wrong is not None for row in history)
    p = looks * mcnemar(int((then & ~now).sum()), int((now & ~then).sum()))
    right = int(then.sum())
    if p >= LOST_IMAGES or right <= evidence.test_right or evidence.is_guess(right):
        return None
    n = len(evidence.y)
    return Earlier(
        epoch=epoch,
        wrong=len(y) - right,
        wrong_in_training=n - round(history[epoch].accuracy * n),
        now=len(y) - evidence.test_right,
        now_in_training=n - evidence.right,
    )


@finds("overfit")
def find_overfit(evidence: Evidence) -> Finding | None:
    best = _earlier(evidence)
    if best is None or best.wrong_in_training < best.now_in_training:
        return None
    return finding("overfit", best.sentence, epoch=best.epoch, count=best.now, against=best.wrong)


@finds("was-better")
def find_was_better(evidence: Evidence) -> Finding | None:
    best = _earlier(evidence)
    if best is None or best.wrong_in_training >= best.now_in_training:
        return None
    return finding("was-better", best.sentence, alarm=False, epoch=best.epoch, count=best.now, against=best.wrong)
