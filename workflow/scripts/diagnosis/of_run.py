"""Findings about how a seed trained."""

import math

import torch

from common.english import counted
from diagnosis.evidence import Evidence
from diagnosis.exact import REACH, exact, formula
from diagnosis.kinds import kind
from diagnosis.records import Finding, finding
from training.repeats import has_no_memory

SHOWN = 50  # images that a finding names; its count is always whole


def images(chosen: torch.Tensor) -> list[int]:
    """The first places where bool (n, 1) is true."""
    return chosen.flatten().nonzero().flatten()[:SHOWN].tolist()


def per_layer(values: list) -> str:
    """'12' of one layer, '3, 0 and 12' of three."""
    texts = [str(value) for value in values]
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}"


@kind(
    "diverged",
    means="the loss became NaN or infinite",
    why="some operation was given a number for which float32 has no answer; the autopsy names it",
    helps="what the autopsy's cause asks for: another way to type the same loss, or smaller steps",
)
def diverged(evidence: Evidence) -> Finding | None:
    found = evidence.autopsy
    return found and finding("diverged", found.sentence, epoch=found.epoch)


@kind(
    "will-diverge",
    means="the run ended well, but at its pace the loss will be NaN or infinite before it has trained twice as long",
    why="the surest images come near the logit at which the loss or its gradient is not finite",
    helps="the same loss typed as a function of the logits; fewer epochs only hide it",
    tries=("rewrite", "unguarded", "standard loss"),
)
def will_diverge(evidence: Evidence) -> Finding | None:
    found, epochs = evidence.forecast, evidence.task.settings["epochs"]
    if found is None or found.epoch is None or found.epoch > 2 * epochs:
        return None
    extreme = "largest" if found.side == "upper" else "smallest"
    sentence = f"At this pace the loss is not finite at about epoch {found.epoch}: the {extreme} logit nears "
    sentence += f"{found.limit:.3f}, where this loss or its gradient is not."
    return finding("will-diverge", sentence, epoch=found.epoch, value=found.limit)


@kind(
    "stuck-images",
    means="images are wrong, and the loss has a gradient of exactly 0 for them: they contribute nothing to any step, "
    "and only what is learned from others can mend them. Beside these, starved ones have less than half of the "
    "gradient that the formula has without rounding",
    why="float32 rounds ŷ to exactly 0 or 1, or a clamp, an epsilon or a flat piece of the loss swallows the slope",
    helps="the same loss typed as a function of the logits; pixels scaled down, so that no image starts out saturated",
    of_finished=True,
    tries=("rewrite", "unguarded", "standard loss"),
)
def stuck_images(evidence: Evidence) -> Finding | None:
    wrong = evidence.wrong
    stuck = wrong & (evidence.end.pull == 0)
    starved = wrong & ~stuck & _starved(evidence)
    count, few, of = int(stuck.sum()), int(starved.sum()), int(wrong.sum())
    if not count:
        return None
    verb = "has" if count == 1 else "have"
    sentence = f"{count:,} of {counted(of, 'wrong image')} {verb} a gradient of exactly 0"
    sentence += f", and {few:,} less than half of what the formula has without rounding." if few else "."
    facts = {"count": count, "of": of, "images": images(stuck), "exact": _exact(evidence, stuck)}
    return finding("stuck-images", sentence, **facts)


def _exact(evidence: Evidence, chosen: torch.Tensor) -> list[float] | None:
    """The exact gradient of the loss of each of the first chosen images, with respect to its own logit; None where the
    loss is not one of single images."""
    if not evidence.task.chart.per_image:
        return None
    tree = formula(evidence.task.loss)
    logits, y = evidence.end.logits[chosen][:SHOWN].tolist(), evidence.y[chosen][:SHOWN].tolist()
    found = [exact(tree, label, max(-REACH, min(REACH, logit))) for label, logit in zip(y, logits, strict=True)]
    return [float(one.slope) for one in found]


def _starved(evidence: Evidence) -> torch.Tensor:
    """bool (n, 1): wrong images whose logit is where the computed gradient is less than half of the exact one."""
    zero, one = evidence.task.chart.labels
    logits, y = evidence.end.logits, evidence.y
    above = math.inf if zero.starved_above is None else zero.starved_above
    below = -math.inf if one.starved_below is None else one.starved_below
    return ((y == 0) & (logits >= above)) | ((y == 1) & (logits <= below))


@kind(
    "frozen",
    means="from some epoch on every gradient is exactly 0, while images are wrong. Under plain SGD nothing changes "
    "ever again; other optimizers only coast on their momentum",
    why="all images, right or wrong, lie where the loss is flat, or no unit lets a gradient through",
    helps="a loss with a slope wherever an image is wrong; smaller steps, or pixels scaled down, if it began well",
    of_finished=True,
    tries=("rewrite", "standard loss"),
)
def frozen(evidence: Evidence) -> Finding | None:
    since, wrong = evidence.run.zero_since, int(evidence.wrong.sum())
    if since is None or not wrong:
        return None
    sentence = f"From epoch {since} on every gradient is exactly 0, with {counted(wrong, 'image')} still wrong."
    return finding("frozen", sentence, epoch=since, count=wrong, of=len(evidence.y))


@kind(
    "unchanged",
    means="not one bit of one weight moved",
    why="no gradient at all, or steps below the weights' last bit",
    helps="a larger learning rate, or a loss with a gradient",
    of_finished=True,
    tries=("Adam", "rate"),
)
def unchanged(evidence: Evidence) -> Finding | None:
    if not all(map(torch.equal, evidence.start.weights, evidence.end.weights)):
        return None
    count = sum(weight.numel() for weight in evidence.end.weights)
    steps = counted(evidence.task.settings["epochs"], "step")
    sentence = f"After {steps} not one bit of one of the {count:,} weights has moved."
    return finding("unchanged", sentence, count=count)


@kind(
    "cycle",
    means="plain SGD came back to the very weights of some epochs before: it repeats them for ever",
    why="the step goes as far back as it came, or is too small to move a bit",
    helps="another learning rate",
    alarm="while an image is wrong",
    of_finished=True,
    tries=("rate",),
)
def cycle(evidence: Evidence) -> Finding | None:
    if evidence.run.cycle is None or not has_no_memory(evidence.task.settings["optimizer"]):
        return None
    epoch, period = evidence.run.cycle
    wrong = int(evidence.wrong.sum())
    sentence = f"From epoch {epoch} on the weights come back every {period} epochs, to the last bit."
    if period == 1:
        sentence = f"From epoch {epoch} on no step moves a bit of a weight."
    return finding("cycle", sentence, alarm=wrong > 0, epoch=epoch, period=period, count=wrong)


@kind(
    "dead-layer",
    means="the activation's derivative is exactly 0 for all units of a layer and all images: no gradient passes",
    why="one large step, or weight decay, pushed every unit to where the activation is flat",
    helps="a smaller learning rate; LeakyReLU or another activation without a flat side",
    of_finished=True,
    tries=("rate", "pixels", "Adam", "activation"),
)
def dead_layer(evidence: Evidence) -> Finding | None:
    whole = [bool(units.all()) for units in evidence.end.dead]
    if not any(whole):
        return None
    layer, units = whole.index(True), len(evidence.end.dead[whole.index(True)])
    epoch = evidence.since_logits_are_equal
    since = f", and every logit is the same{f' from epoch {epoch} on' if epoch else ''}" if epoch is not None else ""
    which = "the hidden layer" if len(whole) == 1 else f"hidden layer {layer + 1}"
    whole_layer = f"All {units} units" if units > 1 else "The one unit"
    verb = "are" if units > 1 else "is"
    sentence = f"{whole_layer} of {which} {verb} dead for all images: no gradient passes{since}."
    dead = [float(units.sum()) for units in evidence.end.dead]
    return finding("dead-layer", sentence, epoch=epoch, layers=dead)


@kind(
    "dead-units",
    means="the activation's derivative is exactly 0 for some units and all images: they pass no gradient. Networks "
    "train well with most units dead",
    why="large steps; in deep networks also the first weights",
    helps="nothing is wrong in itself",
    alarm="never",
    of_finished=True,
)
def dead_units(evidence: Evidence) -> Finding | None:
    dead = [int(units.sum()) for units in evidence.end.dead]
    if not any(dead) or any(units.all() for units in evidence.end.dead):
        return None
    of = sum(len(units) for units in evidence.end.dead)
    where = f" ({per_layer(dead)}, layer by layer)" if len(dead) > 1 else ""
    verb = "is" if sum(dead) == 1 else "are"
    sentence = f"{sum(dead)} of {of} hidden units {verb} dead for all images{where}."
    layers = [float(count) for count in dead]
    return finding("dead-units", sentence, alarm=False, count=sum(dead), of=of, layers=layers)


@kind(
    "one-class",
    means="the model gives all images the same answer",
    why="a symptom: the other findings say of what",
    helps="what the other findings ask for",
    of_finished=True,
)
def one_class(evidence: Evidence) -> Finding | None:
    ones = int((evidence.end.yhat > 0.5).sum())
    if ones not in (0, len(evidence.y)):
        return None
    label = int(ones > 0)
    n = len(evidence.y)
    sentence = f"It calls all {n:,} images {evidence.task.classes[label]}."
    return finding("one-class", sentence, labels=[label], count=n)


@kind(
    "no-better-than-constant",
    means="its loss is no less than that of the best single answer for all images",
    why="nothing that distinguishes the images has reached the loss",
    helps="what the other findings ask for",
    of_finished=True,
)
def no_better_than_constant(evidence: Evidence) -> Finding | None:
    least = evidence.task.constant
    if least is None or not evidence.is_no_better_than_constant:
        return None
    loss, best = f"{evidence.end.loss + 0.0:.4g}", f"{least + 0.0:.4g}"
    sentence = f"Its loss, {loss}, is no less than that of the best single answer for all images, {best}."
    if loss == best:
        sentence = f"Its loss is that of the best single answer for all images, {best}."
    facts = {"value": evidence.end.loss, "against": least}
    return finding("no-better-than-constant", sentence, **facts)


@kind(
    "little-progress",
    means="its loss has come less than half of the way from that of the best single answer for all images to that of "
    "the best answers of all",
    why="too few epochs, steps too short, or something that holds the weights back, such as weight decay",
    helps="more epochs, a larger learning rate, less weight decay",
    of_finished=True,
    tries=("rate", "argument", "Adam"),
)
def little_progress(evidence: Evidence) -> Finding | None:
    progress = evidence.progress
    if progress is None or not 0 < progress < 0.5 or evidence.is_no_better_than_constant:
        return None
    sentence = (
        f"Its loss has come {progress:.2g} of the way from the best single answer for all images to the best of all."
    )
    return finding("little-progress", sentence, value=progress)


@kind(
    "worse-than-start",
    means="its loss is larger than before the first step",
    why="steps too long: each goes beyond the valley that it aims at",
    helps="a smaller learning rate",
    of_finished=True,
    tries=("rate", "Adam"),
)
def worse_than_start(evidence: Evidence) -> Finding | None:
    if not evidence.end.loss > evidence.start.loss:
        return None
    sentence = f"Its loss went from {evidence.start.loss:.4g} to {evidence.end.loss:.4g}."
    facts = {"value": evidence.end.loss, "against": evidence.start.loss}
    return finding("worse-than-start", sentence, **facts)


@kind(
    "bad-start",
    means="the first loss is at least twice that of a coin (every ŷ a half), or images are wrong and saturated before "
    "the first step: the training first has to undo that",
    why="large pixels make large logits",
    helps="pixels divided by 255, or standardized",
    alarm="never",
)
def bad_start(evidence: Evidence) -> Finding | None:
    start, coin = evidence.start, evidence.task.coin
    saturated = start.wrong(evidence.y) & ((start.yhat == 0) | (start.yhat == 1))
    count, without = int(saturated.sum()), int((saturated & (start.pull == 0)).sum())
    is_worse = 0 < coin < math.inf and start.loss >= 2 * coin
    if not (count or is_worse):
        return None
    parts = []
    again = None
    if is_worse:
        again = next((epoch for epoch, row in enumerate(evidence.run.history) if row.loss <= coin), None)
        reached = "a coin's is never reached" if again is None else f"a coin's is reached at epoch {again}"
        parts.append(f"the first loss is {start.loss:.4g}, a coin's {coin:.4g}; {reached}")
    if count:
        verb = "is" if count == 1 else "are"
        of_them = f"{without:,} of them " if count > 1 else ""
        gradient = f", {of_them}without a gradient" if without else ""
        parts.append(f"before the first step {counted(count, 'wrong image')} {verb} saturated{gradient}")
    text = "; ".join(parts)
    facts = {"epoch": again, "count": count, "value": start.loss, "against": coin}
    return finding("bad-start", f"{text[0].upper()}{text[1:]}.", alarm=False, **facts)


@kind(
    "vanishing",
    means="most weights of the first layer have not moved by a bit, while those of the last layer do",
    why="each layer on the way back shrinks the gradient, until a step is below the weights' last bit",
    helps="fewer layers; ReLU in place of Sigmoid; an optimizer that scales each step, such as Adam",
    of_finished=True,
    tries=("Adam", "activation"),
)
def vanishing(evidence: Evidence) -> Finding | None:
    first, last = evidence.moved[0], evidence.moved[-1]
    does_reach = bool((evidence.start.logits != evidence.start.logits[0]).any())
    if len(evidence.moved) < 2 or first is None or not first < 0.5 or not last or not does_reach:
        return None
    shares = [0.0 if share is None else share for share in evidence.moved]
    shown = per_layer([f"{share:.0%}" for share in shares])
    sentence = f"Of the first layer's weights {1 - first:.0%} have not moved by a bit; layer by layer {shown} moved."
    return finding("vanishing", sentence, value=first, layers=shares)


@kind(
    "overfit",
    means="the loss on the test images was least before the end and has doubled since, with no fewer of them wrong, "
    "and errors are significantly more frequent on them than on the training images (Fisher's exact test)",
    why="the network learns its training images by heart",
    helps="fewer epochs, fewer units, weight decay, or more images",
    of_finished=True,
    tries=("epochs",),
)
def overfit(evidence: Evidence) -> Finding | None:
    tested = [one for one in evidence.run.tested if math.isfinite(one.loss)]
    wrong, n = int(evidence.wrong.sum()), len(evidence.y)
    test_wrong = int(((evidence.test_yhat > 0.5) != (evidence.task.data["y_test"] == 1)).sum())
    test_n = len(evidence.test_yhat)
    best = min(tested, key=lambda one: one.loss, default=None)
    last = evidence.test_loss
    # Above its floor, which no training takes away.
    floor = evidence.task.floor or 0.0
    is_worse = best and test_wrong >= best.wrong and last - floor >= 2 * (best.loss - floor) > 0
    if not is_worse or fisher(test_wrong, test_n, wrong, n) >= 0.05:
        return None
    then = f"{best.loss:.4g} with {best.wrong:,} of {test_n:,} test images wrong, at about epoch {best.epoch}"
    now = f"{last:.4g} now, with {test_wrong:,}"
    sentence = f"The test loss was least, {then}; it is {now}. Of the {n:,} training images {wrong:,} are wrong."
    return finding("overfit", sentence, epoch=best.epoch, value=last, against=best.loss)


def fisher(wrong: int, n: int, others_wrong: int, others: int) -> float:
    """The one-sided p-value of Fisher's exact test: that `wrong` of n or more are, if both are wrong equally often.

    R. A. Fisher: Statistical methods for research workers, 5th edition, 1934, section 21.02.
    """
    bad, top = wrong + others_wrong, min(n, wrong + others_wrong)

    def log_ways(of: int, chosen: int) -> float:
        return math.lgamma(of + 1) - math.lgamma(chosen + 1) - math.lgamma(of - chosen + 1)

    every = log_ways(n + others, bad)
    first = max(wrong, bad - others)
    return sum(math.exp(log_ways(n, k) + log_ways(others, bad - k) - every) for k in range(first, top + 1))
