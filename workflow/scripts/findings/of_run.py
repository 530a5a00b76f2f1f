"""Findings about how a seed trained."""

import math

import torch

from common.english import counted
from findings.evidence import Evidence
from findings.kinds import kind
from formulas.float32 import SMALLEST_NORMAL
from losses.exact import REACH
from losses.facts import logit_text
from losses.one_image import OneImage, one_image
from records.metrics import Finding, finding
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
    means="the run ended well, but if it went on as it did, the loss would become NaN or infinite",
    why="the surest images come near the logit at which the loss or its gradient is not finite",
    helps="the same loss typed as a function of the logits; fewer epochs only hide it",
    alarm="where even the late end of the range is within twice the epochs",
    tries=("rewrite", "unguarded", "standard loss"),
)
def will_diverge(evidence: Evidence) -> Finding | None:
    found, epochs = evidence.forecast, evidence.task.settings["epochs"]
    if found is None or found.epoch is None:
        return None
    is_soon = found.high is not None and found.high <= 2 * epochs
    extreme, grows = ("largest", "grows") if found.side == "upper" else ("smallest", "falls")
    logits = evidence.run.logits
    now = logit_text((logits.max() if found.side == "upper" else logits.min()).item())
    until = "or later" if found.high is None else f"to {found.high:,}"
    when = f"at about epoch {found.epoch:,} ({found.low:,} {until})"
    sentence = (
        f"Trained on like this, the loss is no longer finite {when}: the {extreme} logit is {now} and {grows}, and "
    )
    sentence += f"at {logit_text(found.limit)} this loss or its gradient is not finite."
    return finding("will-diverge", sentence, alarm=is_soon, epoch=found.epoch, value=found.limit)


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


def _exact(evidence: Evidence, chosen: torch.Tensor) -> list[float | None] | None:
    """The exact gradient of the loss of each of the first chosen images, with respect to its own logit, None where that
    is too far out to say; None for all where the loss is not one of single images."""
    image = one_image(evidence.task.loss)
    if image.why_not is not None:
        return None
    logits, y = evidence.end.logits[chosen][:SHOWN].tolist(), evidence.y[chosen][:SHOWN].tolist()
    return [_slope(image, label, logit) for label, logit in zip(y, logits, strict=True)]


def _slope(image: OneImage, label: float, logit: float) -> float | None:
    """Beyond REACH only a gradient that has settled is known: one that is the same at half of it, or as good as 0."""
    edge = math.copysign(min(abs(logit), REACH), logit)
    there = float(image.exactly(label, edge).slope)
    if abs(logit) > REACH and abs(there) >= SMALLEST_NORMAL:
        half_way = float(image.exactly(label, edge / 2).slope)
        return there if math.isclose(there, half_way, rel_tol=1e-6) else None
    return there


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
