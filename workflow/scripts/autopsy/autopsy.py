"""Why a loss stopped being finite: the forward pass at the first non-finite loss, taken apart.

Where the weights that produced it or the pixels are to blame, that is said; else the tree of the loss is walked, with
the logits that training had, to the sub-expressions that broke (see culprits.py).
"""

import math
from collections.abc import Callable

import torch
from msgspec.structs import replace

from autopsy.culprits import culprits, gradient_culprit, kinds_by_label, span, step, went_in
from autopsy.steps import broken_by_optimizer, growth
from autopsy.words import quote, rounded, short, story, symbol_at, who
from common.english import counted, symbol
from formulas.language import Node, evaluate
from records.metrics import Autopsy, BrokenNormalization, Image, Step
from records.strict import Number, number
from training.history import Row
from training.loss import FormulaLoss, Loss, ModuleLoss
from training.network import build_network, forward
from training.trained import Trained

MODEST_LOGIT = 1000.0  # more than any sigmoid can tell apart, less than any formula of sane scale overflows at


def autopsy(trained: Trained, loss: Loss, data: dict, settings: dict, train: Callable) -> Autopsy:
    """The facts about a divergence, and a sentence that says them.

    data: x_train (n, 784), the same as x_packed, and `broken` if the normalization broke x_train. settings: of the
    variant, with its optimizer, its lr, and its classes, which are what y = 0 and y = 1 are called. train: see
    train.py.
    """
    x, packed, y = data["x_train"], data["x_packed"], data["y_train"]
    epoch, largest_weight = trained.diverged_epoch, trained.record.largest_weight
    logits, yhat = trained.broke
    facts = _facts(epoch, largest_weight, y, yhat, logits)
    if not x.isfinite().all():
        facts = _normalization(facts, x, y, yhat, logits, data.get("broken"))
    elif not math.isfinite(float(largest_weight)):
        network = build_network(x.shape[1], settings["hidden"], settings["activation"], 0)
        network.load_state_dict(trained.last_finite)
        facts = _step(facts, network, loss, packed, y, trained.history)
        if facts.cause == "step" and epoch:
            broken = broken_by_optimizer(settings, trained.record.seed, data, epoch, train)
            facts = replace(facts, cause="optimizer", sentence=f"{_after(epoch)}: {broken}.") if broken else facts
    elif not logits.isfinite().all():
        facts = _network(facts, y, yhat, logits)
    elif (here := loss(y, yhat, logits)).isfinite():
        facts = _device(facts, trained.history[epoch].loss, here.item())
    else:
        facts = _loss(facts, loss, y, yhat, logits, settings["classes"])
    if facts.cause in ("step", "network") or (facts.cause == "gradient" and not facts.path):
        facts = _not_the_rate(facts, x, logits, settings)
    return replace(facts, sentence=f"At epoch {epoch} {facts.sentence}")


def _after(epoch: int) -> str:
    return f"loss and gradient were finite, but the arithmetic of step {epoch - 1} was not"


def _not_the_rate(facts: Autopsy, x: torch.Tensor, logits: torch.Tensor, settings: dict) -> Autopsy:
    """Where weights, logits or a loss overflowed: was it the learning rate, or what no learning rate would mend?"""
    if facts.epoch == 0:
        expression = facts.culprits[0].expression
        sentence = (
            f"before any step, the pixels were too large: they reach {short(x.abs().max())}, the logits went from "
        )
        sentence += f"{short(logits.min())} to {short(logits.max())}, and {quote(expression)} overflowed float32."
        return replace(facts, cause="normalization", sentence=sentence)
    reason = growth(settings)
    if reason is None:
        return facts
    cause, factor, why = reason
    sentence = f"the weights had grown to {facts.largest_weight:.3g}" if isinstance(facts.largest_weight, float) else ""
    sentence = f"{sentence or 'the weights had grown beyond what float32 holds'}: {why}."
    return replace(facts, cause=cause, factor=factor, sentence=sentence)


def _facts(epoch: int, largest_weight: Number, y, yhat, logits) -> Autopsy:
    """What can be said whatever the cause."""
    return Autopsy(
        epoch=epoch,
        cause="loss",
        sentence="",
        largest_weight=largest_weight,
        logits={str(label): span(logits[y == label]) for label in (0, 1)},
        yhat_zeros={str(label): int((yhat[y == label] == 0).sum()) for label in (0, 1)},
        yhat_ones={str(label): int((yhat[y == label] == 1).sum()) for label in (0, 1)},
        culprits=[],
        path=[],
        image=None,
    )


def _image(broken: torch.Tensor, y, yhat, logits) -> Image | None:
    """The first image at which something is broken; broken: (n, 1), or () where it is none in particular."""
    if not broken.ndim or not broken.any():
        return None
    index = int(broken.flatten().nonzero()[0])
    return Image(index=index, y=int(y[index]), yhat=number(yhat[index].item()), logit=number(logits[index].item()))


def _loss(facts: Autopsy, loss: Loss, y, yhat, logits, classes) -> Autopsy:
    if isinstance(loss, ModuleLoss):
        facts = _module(facts, loss, y, yhat, logits, classes)
    else:
        facts = _formula(facts, loss.tree, y, yhat, logits, classes)
    # Would it have been finite at logits that a network can have? Then their size is to blame, not the loss.
    modest = logits.clamp(-MODEST_LOGIT, MODEST_LOGIT)
    if not loss(y, modest.sigmoid(), modest).isfinite():
        return facts
    expression = facts.culprits[0].expression
    return replace(
        facts,
        cause="network",
        sentence=f"the network exploded: its largest weight was {facts.largest_weight:.3g}, its logits went from "
        f"{short(logits.min())} to {short(logits.max())}, and {quote(expression)} overflowed float32. "
        "The learning rate is too large for this loss.",
    )


def _formula(facts: Autopsy, tree: Node, y, yhat, logits, classes) -> Autopsy:
    trace: dict = {}
    evaluate(tree, {"y": y, "yhat": yhat, "logits": logits}, trace=trace)
    paths = culprits(tree, trace)
    path, broken = paths[0]
    sentence = story(path, broken, trace, y, yhat, logits, classes)
    lost = rounded(path[0], trace, broken) if broken.ndim else []
    if lost:
        sentence += f" {'; '.join(lost)[0].upper()}{'; '.join(lost)[1:]}."
    others = list(dict.fromkeys(other[0].text for other, _ in paths[1:] if other[0].text != path[0].text))
    if others:
        sentence += f" {', '.join(map(quote, others))} broke too."
    return replace(
        facts,
        cause="loss",
        culprits=[step(other[0], trace, y) for other, _ in paths],
        path=[step(node, trace, y) for node in path],
        image=_image(broken, y, yhat, logits),
        sentence=sentence,
    )


def _module(facts: Autopsy, loss: ModuleLoss, y, yhat, logits, classes) -> Autopsy:
    fed = yhat if loss.fed == "yhat" else logits
    each = loss.each(fed, y)
    broken = ~each.isfinite()
    is_per_image = each.shape == y.shape and bool(broken.any())
    if is_per_image:
        images = who(broken, y, yhat, logits, classes)
        sentence = f"{quote(loss.text)} became {symbol_at(each[broken], 0)} for {images}."
    else:
        sentence = f"{quote(loss.text)} was beyond float32's largest number, 3.4e38, over all images together."
    whole = Step(
        expression=loss.text,
        operation=loss.text.split("(")[0],
        start=0,
        holds=kinds_by_label(each, y),
        inputs=[went_in(loss.fed, fed)],
    )
    image = _image(broken, y, yhat, logits) if is_per_image else None
    return replace(facts, cause="loss", culprits=[whole], path=[whole], image=image, sentence=sentence)


def _normalization(facts: Autopsy, x, y, yhat, logits, why: BrokenNormalization | None) -> Autopsy:
    broken = ~x.isfinite()
    pixels, images, values = (int(part.sum()) for part in (broken.any(0), broken.any(1), broken))
    where = f"{values:,} of {x.numel():,} values ({100 * values / x.numel():.3g} %), at {pixels} of {x.shape[1]} pixels"
    return replace(
        facts,
        cause="normalization",
        culprits=why.culprits if why else [],
        path=why.path if why else [],
        image=_image(broken.any(1, keepdim=True), y, yhat, logits),
        sentence=f"the pixels themselves were not finite, before any training: {where}, "
        f"in {images:,} of {len(x):,} images{f': {why.why}' if why else ''}.",
    )


def _device(facts: Autopsy, there: float, here: float) -> Autopsy:
    """The CPU, on which all this is computed, finds another loss at the same logits than the accelerator found."""
    became = symbol(there)
    sentence = (
        f"the loss was {became} by the accelerator's arithmetic; by the CPU's it is {here:.4g} at the same logits."
    )
    return replace(facts, cause="device", sentence=sentence)


def _network(facts: Autopsy, y, yhat, logits) -> Autopsy:
    broken = ~logits.isfinite()
    count = int(broken.sum())
    whole = Step(expression="logits", operation="network", start=0, holds=kinds_by_label(logits, y), inputs=[])
    return replace(
        facts,
        cause="network",
        culprits=[whole],
        path=[whole],
        image=_image(broken, y, yhat, logits),
        sentence=f"the network itself overflowed: its weights had grown to {facts.largest_weight:.3g}, and "
        f"{counted(count, 'logit')} {'was' if count == 1 else 'were'} beyond float32's largest number, 3.4e38. "
        "The learning rate is too large for this loss.",
    )


def _step(facts: Autopsy, network, loss: Loss, x, y, history: list[Row]) -> Autopsy:
    """The weights broke in the step before: by a gradient that was not finite, or by a step that was too large."""
    parameters = list(network.parameters())
    logits, yhat = forward(network, x)
    trace: dict = {}
    if isinstance(loss, FormulaLoss):
        value = evaluate(loss.tree, {"y": y, "yhat": yhat, "logits": logits}, trace=trace)
    else:
        value = loss(y, yhat, logits)
    of_logits, *of_parameters = torch.autograd.grad(value, [logits, *parameters], retain_graph=True, allow_unused=True)
    of_parameters = [gradient for gradient in of_parameters if gradient is not None]
    last = history[facts.epoch - 1].loss
    where = f"the weights were broken by step {facts.epoch - 1}, whose loss was still finite ({last:.4g})"
    if all(gradient.isfinite().all() for gradient in [of_logits, *of_parameters] if gradient is not None):
        size = math.sqrt(sum(float(gradient.double().square().sum()) for gradient in of_parameters))
        return replace(
            facts,
            cause="step",
            gradient_norm=number(size),
            sentence=f"{where}: its gradient was finite too (norm {size:.3g}), and the step overflowed float32. "
            "The learning rate is too large.",
        )
    broken = torch.zeros_like(logits, dtype=torch.bool) if of_logits is None else ~of_logits.isfinite()
    return _gradient(facts, loss, trace, broken, f"{where}, but not its gradient", y, yhat, logits)


def _gradient(facts: Autopsy, loss: Loss, trace: dict, broken, where: str, y, yhat, logits) -> Autopsy:
    """broken: (n, 1), where the loss has no finite derivative with respect to the logit; all as before the step."""
    count = int(broken.sum())
    node = gradient_culprit(loss.tree, trace) if trace else None
    path, why = [], ""
    if node is not None:
        path = [step(node, {key: tensor.detach() for key, tensor in trace.items()}, y)]
        images = f", for {counted(count, 'image')}" if count else ""
        why = f": the derivative of {quote(node.text)} is not finite there{images}"
    elif not count:
        why = ": summed over the images, it is beyond float32's largest number, 3.4e38"
    return replace(
        facts,
        cause="gradient",
        culprits=path,
        path=path,
        image=_image(broken, y, yhat.detach(), logits.detach()),
        images={str(label): int(broken[y == label].sum()) for label in (0, 1)} if count else None,
        sentence=f"{where}{why}.",
    )
