"""Findings about how a seed trained."""

import math

import torch

from common.english import counted
from findings.evidence import Evidence
from findings.finders import finds
from findings.forecast import is_soon
from findings.of_answers import find_chance_level, find_one_class
from formulas.float32 import SMALLEST_NORMAL
from losses.exact import REACH
from losses.facts import logit_text
from losses.one_image import OneImage, one_image
from records.metrics import Finding, finding
from training.repeats import has_no_memory

FAINT = 0.001  # of the last layer's movement: hardly any
NAMED_IMAGES = 50  # images that a finding names; its count is always whole


def first_images(chosen: torch.Tensor) -> list[int]:
    """The first places where bool (n, 1) is true."""
    return chosen.flatten().nonzero().flatten()[:NAMED_IMAGES].tolist()


def per_layer(values: list) -> str:
    """'12' of one layer, '3, 0 and 12' of three."""
    texts = [str(value) for value in values]
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}"


@finds("diverged")
def find_diverged(evidence: Evidence) -> Finding | None:
    found = evidence.autopsy
    return found and finding("diverged", found.sentence, epoch=found.epoch)


@finds("will-diverge")
def find_will_diverge(evidence: Evidence) -> Finding | None:
    found, epochs = evidence.forecast, evidence.task.settings["epochs"]
    if found is None or found.epoch is None:
        return None
    extreme, grows = ("largest", "grows") if found.side == "upper" else ("smallest", "falls")
    logits = evidence.trained.logits
    now = logit_text((logits.max() if found.side == "upper" else logits.min()).item())
    until = "or later" if found.high is None else f"to {found.high:,}"
    when = f"at about epoch {found.epoch:,} ({found.low:,} {until})"
    sentence = (
        f"Trained on like this, the loss is no longer finite {when}: the {extreme} logit is {now} and {grows}, and "
    )
    sentence += f"at {logit_text(found.limit)} this loss or its gradient is not finite."
    return finding("will-diverge", sentence, alarm=is_soon(found, epochs), epoch=found.epoch, value=found.limit)


@finds("stuck-images")
def find_stuck_images(evidence: Evidence) -> Finding | None:
    wrong = evidence.wrong
    stuck = wrong & (evidence.end.pull == 0)
    starved = wrong & ~stuck & _starved(evidence)
    count, few, of = int(stuck.sum()), int(starved.sum()), int(wrong.sum())
    if not count:
        return None
    verb = "has" if count == 1 else "have"
    sentence = f"{count:,} of {counted(of, 'wrong image')} {verb} a gradient of exactly 0"
    sentence += f", and {few:,} less than half of what the formula has without rounding." if few else "."
    facts = {"count": count, "of": of, "images": first_images(stuck), "exact": _exact(evidence, stuck)}
    return finding("stuck-images", sentence, **facts)


def _exact(evidence: Evidence, chosen: torch.Tensor) -> list[float | None] | None:
    """The exact gradient of the loss of each of the first chosen images, with respect to its own logit, None where that
    is too far out to say; None for all where the loss is not one of single images."""
    image = one_image(evidence.task.loss)
    if image.why_not is not None:
        return None
    logits, y = evidence.end.logits[chosen][:NAMED_IMAGES].tolist(), evidence.y[chosen][:NAMED_IMAGES].tolist()
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


@finds("frozen")
def find_frozen(evidence: Evidence) -> Finding | None:
    since, wrong = evidence.trained.zero_since, int(evidence.wrong.sum())
    if since is None or not wrong:
        return None
    sentence = f"From epoch {since} on every gradient is exactly 0, with {counted(wrong, 'image')} still wrong."
    return finding("frozen", sentence, epoch=since, count=wrong, of=len(evidence.y))


@finds("unchanged")
def find_unchanged(evidence: Evidence) -> Finding | None:
    if not all(map(torch.equal, evidence.start.weights, evidence.end.weights)):
        return None
    count = sum(weight.numel() for weight in evidence.end.weights)
    steps = counted(evidence.task.settings["epochs"], "step")
    sentence = f"After {steps} not one bit of one of the {count:,} weights has moved."
    return finding("unchanged", sentence, count=count)


@finds("cycle")
def find_cycle(evidence: Evidence) -> Finding | None:
    if evidence.trained.cycle is None or not has_no_memory(evidence.task.settings["optimizer"]):
        return None
    epoch, period = evidence.trained.cycle
    wrong = int(evidence.wrong.sum())
    sentence = f"From epoch {epoch} on the weights come back every {period} epochs, to the last bit."
    if period == 1:
        sentence = f"From epoch {epoch} on no step moves a bit of a weight."
    return finding("cycle", sentence, alarm=wrong > 0, epoch=epoch, period=period, count=wrong)


@finds("dead-layer")
def find_dead_layer(evidence: Evidence) -> Finding | None:
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


@finds("dead-units")
def find_dead_units(evidence: Evidence) -> Finding | None:
    dead = [int(units.sum()) for units in evidence.end.dead]
    if not any(dead) or any(units.all() for units in evidence.end.dead):
        return None
    is_most = any(2 * int(units.sum()) > len(units) for units in evidence.end.dead)
    is_cause = is_most and bool(find_one_class(evidence) or find_chance_level(evidence))
    of = sum(len(units) for units in evidence.end.dead)
    where = f" ({per_layer(dead)}, layer by layer)" if len(dead) > 1 else ""
    verb = "is" if sum(dead) == 1 else "are"
    sentence = f"{sum(dead)} of {of} hidden units {verb} dead for all images{where}."
    layers = [float(count) for count in dead]
    return finding("dead-units", sentence, alarm=is_cause, count=sum(dead), of=of, layers=layers)


@finds("worse-than-start")
def find_worse_than_start(evidence: Evidence) -> Finding | None:
    if not evidence.end.loss > evidence.start.loss:
        return None
    sentence = f"Its loss went from {evidence.start.loss:.4g} to {evidence.end.loss:.4g} after the last step."
    facts = {"value": evidence.end.loss, "against": evidence.start.loss}
    return finding("worse-than-start", sentence, **facts)


@finds("bad-start")
def find_bad_start(evidence: Evidence) -> Finding | None:
    start, coin = evidence.start, evidence.task.coin
    saturated = start.wrong(evidence.y) & ((start.yhat == 0) | (start.yhat == 1))
    count, without = int(saturated.sum()), int((saturated & (start.pull == 0)).sum())
    is_worse = 0 < coin < math.inf and start.loss >= 2 * coin
    if not (count or is_worse):
        return None
    parts = []
    again = None
    if is_worse:
        again = next((epoch for epoch, row in enumerate(evidence.trained.history) if row.loss <= coin), None)
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


@finds("vanishing")
def find_vanishing(evidence: Evidence) -> Finding | None:
    first, last = evidence.moved[0], evidence.moved[-1]
    does_reach = bool((evidence.start.logits != evidence.start.logits[0]).any())
    # What no bit of a step is left of is not small where its gradient is large: its square overflowed in the optimizer.
    gradients = [gradient.norm().item() for gradient in evidence.first_gradients[::2]]
    if len(evidence.moved) < 2 or first is None or not last or not does_reach or not gradients[0] < gradients[-1]:
        return None
    went = evidence.went
    if first < 0.5:
        shares = [0.0 if share is None else share for share in evidence.moved]
        shown = per_layer([f"{share:.0%}" for share in shares])
        sentence = (
            f"Of the first layer's weights {1 - first:.0%} have not moved by a bit; layer by layer {shown} moved."
        )
        return finding("vanishing", sentence, value=first, layers=shares)
    subject = "The weights of the first layer moved"
    if not went[0] <= FAINT * went[-1] and evidence.avoids < 0.5 and evidence.has_plain_steps:
        # On its way out of such a start it has learned little. A plain step is as long as its gradient.
        pairs = zip(gradients, (weights.norm().item() for weights in evidence.start.layers), strict=True)
        lr = evidence.task.settings["lr"]
        went, subject = [lr * gradient / weights for gradient, weights in pairs], f"{subject} in the first step"
    if not went[0] <= FAINT * went[-1]:
        return None
    sentence = f"{subject} by {went[0]:.2g} of what they were, those of the last by {went[-1]:.2g}."
    return finding("vanishing", sentence, value=went[0], against=went[-1], layers=went)
