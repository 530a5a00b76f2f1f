"""What held the training back? Found by a training in full without it."""

from itertools import pairwise

from findings.arguments import at_default
from findings.evidence import Evidence, Retrained
from findings.finders import finds
from findings.gains import gains
from losses.constant import ROUNDING
from losses.one_image import one_image
from records.metrics import Finding, finding
from training.history import Row

EPS = {"Adam": 1e-8, "AdamW": 1e-8, "NAdam": 1e-8, "RAdam": 1e-8, "Adamax": 1e-8, "RMSprop": 1e-8, "Adagrad": 1e-10}
# Of a divergence, where an autopsy finds that the steps went too far.
OF_STEPS = ("step", "network", "optimizer", "decay", "momentum")


def rose(history: list[Row]) -> bool:
    """Whether the loss was larger after a step than before it, by more than float32 rounds."""
    return any(after.loss - before.loss > ROUNDING * abs(before.loss) for before, after in pairwise(history))


def _is_better(other: Retrained, evidence: Evidence) -> bool:
    """Whether it has more training images right beyond luck, and no fewer test images: what is learned by heart, wrong
    labels too, is no gain. Any training that does not fail is better than one whose steps made it diverge."""
    if other.fails:
        return False
    if evidence.end is None:
        return evidence.autopsy.cause in OF_STEPS
    return (
        gains(~evidence.wrong, other.right).is_gain and not gains(evidence.right_test_images, other.test_right).is_loss
    )


def _best(evidence: Evidence, way: str) -> Retrained | None:
    """Of what was tried in this way and is better, the one with most training images right."""
    better = [one for one in evidence.retrained if one.ways == (way,) and _is_better(one, evidence)]
    return max(better, key=lambda one: int(one.right.sum()), default=None)


@finds("held-back")
def find_held_back(evidence: Evidence) -> Finding | None:
    other = _best(evidence, "argument")
    if other is None:
        return None
    name, arguments = evidence.task.settings["optimizer"]
    left = dict(other.settings["optimizer"][1])
    n, right = len(evidence.y), int(other.right.sum())
    with_it = "the loss is not finite" if evidence.end is None else f"{evidence.right:,}"
    changed = [argument for argument, value in arguments if left.get(argument) != value]
    words = " and ".join(
        f"with `{argument}` {left[argument]:g}" if argument in left else at_default(name, argument)
        for argument in changed
    )
    sentence = f"{words[0].upper()}{words[1:]}, {name} gets {right:,} of {n:,} training images right, tried in full; "
    sentence += f"as it is, {with_it}."
    return finding("held-back", sentence, count=right, of=n, against=None if evidence.end is None else evidence.right)


@finds("rate-too-large")
def find_rate_too_large(evidence: Evidence) -> Finding | None:
    other, lr = _best(evidence, "rate"), evidence.task.settings["lr"]
    if other is None or other.settings["lr"] > lr:
        return None
    n, right = len(evidence.y), int(other.right.sum())
    sentence = "The loss rose after a step. " if rose(evidence.trained.history) else ""
    sentence += f"With the learning rate {other.settings['lr']:g} in place of {lr:g}, tried in full, {right:,} of "
    sentence += f"{n:,} training images are right in the end."
    if one_image(evidence.task.loss).reduction == "sum" and evidence.has_plain_steps:
        sentence += f" A sum over {n:,} images makes each step {n:,} times as long as a mean."
    facts = {"value": other.settings["lr"], "against": lr, "count": right, "of": n}
    return finding("rate-too-large", sentence, **facts)


@finds("slow")
def find_slow(evidence: Evidence) -> Finding | None:
    name, arguments = evidence.task.settings["optimizer"]
    eps = dict(arguments).get("eps", EPS.get(name, 0))
    largest = max(gradient.abs().max().item() for gradient in evidence.first_gradients)
    learned_little = evidence.progress is not None and evidence.progress < 0.5
    if learned_little and 0 < largest < eps / 10:
        sentence = (
            f"The largest gradient before the first step is {largest:.3g}, far below the eps of {name}, {eps:g}, "
        )
        sentence += "which is added to what a step is divided by: every step is that much shorter."
        return finding("slow", sentence, value=largest, against=eps)
    other, lr = _best(evidence, "rate"), evidence.task.settings["lr"]
    has_ended = evidence.trained.zero_since is not None  # no step is too short where every gradient is 0
    if other is None or other.settings["lr"] < lr or has_ended:
        return None
    n, right = len(evidence.y), int(other.right.sum())
    sentence = f"With the learning rate {other.settings['lr']:g} in place of {lr:g}, tried in full, {right:,} of "
    sentence += f"{n:,} training images are right in the end."
    facts = {"value": other.settings["lr"], "against": lr, "count": right, "of": n}
    return finding("slow", sentence, **facts)
