"""Why a loss stopped being finite: the forward pass at the first non-finite loss, taken apart.

The weights that produced it are put through the network again, and the tree of the formula is walked from the broken
loss inwards, along the samples that broke it, to the sub-expressions whose own inputs were still finite.
"""

import math

import torch

from diagnosis.words import explain, quote, short, story, symbol, who
from formulas.language import OVER_SAMPLES, Node, apply, evaluate
from training.loss import FormulaLoss, Loss, ModuleLoss
from training.network import forward

MODEST_LOGIT = 1000.0  # more than any sigmoid can tell apart, less than any formula of sane scale overflows at


def autopsy(network, loss: Loss, data: dict, epoch: int, weights: list, before: list | None, classes: list) -> dict:
    """The facts about a divergence, and a sentence that says them.

    data: x_train (n, 784), the same as x_packed, y_train (n, 1), and `broken` if the normalization broke x_train.
    weights: the parameters that gave the first non-finite loss, at `epoch`; before: those of the epoch before.
    classes: what y = 0 and y = 1 are called.

    cause is 'normalization' (x is not finite), 'gradient' (a finite loss with a gradient that is not), 'step' (finite
    loss and gradient, weights overflow), 'network' (weights finite, logits not) or 'loss'.
    """
    x, y = data["x_train"], data["y_train"]
    parameters = list(network.parameters())
    facts: dict = {"epoch": epoch}
    with torch.no_grad():
        _load(parameters, weights)
        logits, yhat = forward(network, data["x_packed"])
    facts["largest_weight"] = number(max(weight.abs().max().item() for weight in weights))
    facts["logits"] = {str(label): _range(logits[y == label]) for label in (0, 1)}
    facts["yhat_zeros"], facts["yhat_ones"] = (
        {str(label): int((yhat[y == label] == edge).sum()) for label in (0, 1)} for edge in (0, 1)
    )
    if not x.isfinite().all():
        details = _normalization(x, y, data.get("broken"))
    elif not all(weight.isfinite().all() for weight in weights):
        details = _step(network, parameters, loss, data["x_packed"], y, before, epoch)
    elif not logits.isfinite().all():
        details = _network(logits, y, facts["largest_weight"])
    else:
        details = _loss(loss, y, yhat, logits, classes, facts["largest_weight"])
    sentence = details.pop("sentence")
    index = details.pop("index", None)
    image = None if index is None else _image(index, y, yhat, logits)
    return {**facts, **details, "image": image, "sentence": f"At epoch {epoch} {sentence}"}


def culprits(tree: Node, trace: dict) -> list[tuple[list[Node], torch.Tensor]]:
    """Paths from each innermost sub-expression that broke the tree's value out to the tree, and where it is broken.

    Descends from the root to every argument that is not finite where its parent is not, so that what a `where` left
    aside is not blamed; and where a mean or sum is NaN, along its NaN only: an infinite loss of a wrong image would
    have left it infinite.
    """
    paths = []

    def descend(node: Node, broken: torch.Tensor, path: list[Node]) -> None:
        blamed = []
        for place, argument in enumerate(node.arguments):
            value = trace[argument]
            bad = ~value.isfinite()
            if node.operation in OVER_SAMPLES:
                if trace[node].isnan().any() and value.isnan().any():
                    bad = value.isnan()
            else:
                reached = broken
                if node.operation == "where" and place:
                    taken = trace[node.arguments[0]] != 0
                    reached = broken & (taken if place == 1 else ~taken)
                bad = bad & (reached.float().sum_to_size(value.shape) > 0)
            if bad.any():
                blamed.append((argument, bad))
        for argument, bad in blamed:
            descend(argument, bad, [argument, *path])
        if not blamed:
            paths.append((path, broken))

    descend(tree, ~trace[tree].isfinite(), [tree])
    # The one that most places share tells the story.
    return sorted(paths, key=lambda found: -int(found[1].sum()))


def gradient_culprit(tree: Node, trace: dict) -> Node | None:
    """The innermost sub-expression whose derivative turned a finite gradient into one that is not.

    trace: of an evaluation in which yhat or logits require a gradient.
    """
    nodes = [node for node, value in trace.items() if value.requires_grad]
    gradients = dict(
        zip(nodes, torch.autograd.grad(trace[tree], [trace[n] for n in nodes], allow_unused=True), strict=True)
    )
    for node in reversed(nodes):
        incoming = torch.ones_like(trace[node]) if node is tree else gradients[node]
        if not node.arguments or incoming is None or not incoming.isfinite().all():
            continue
        inputs = [trace[argument].detach().requires_grad_() for argument in node.arguments]
        outgoing = torch.autograd.grad(apply(node, inputs), inputs, incoming, allow_unused=True)
        for argument, gradient in zip(node.arguments, outgoing, strict=True):
            if gradient is not None and trace[argument].requires_grad and not gradient.isfinite().all():
                return node
    return None


def kinds(value: torch.Tensor) -> dict[str, int]:
    """How many NaN, +inf and -inf a tensor holds."""
    return {
        "nan": int(value.isnan().sum()),
        "+inf": int((value == math.inf).sum()),
        "-inf": int((value == -math.inf).sum()),
    }


def number(value: float) -> float | str:
    """A number that strict JSON can hold: 'nan', 'inf' and '-inf' are text."""
    return value if math.isfinite(value) else str(value)


def _load(parameters: list, weights: list) -> None:
    for parameter, weight in zip(parameters, weights, strict=True):
        parameter.data.copy_(weight)


def _range(value: torch.Tensor) -> dict:
    """Smallest and largest, NaN left aside; None where there is nothing else."""
    value = value[~value.isnan()]
    if not value.numel():
        return {"min": None, "max": None}
    return {"min": number(value.min().item()), "max": number(value.max().item())}


def _image(index: int, y, yhat, logits) -> dict:
    return {
        "index": index,
        "y": int(y[index]),
        "yhat": number(yhat[index].item()),
        "logit": number(logits[index].item()),
    }


def _describe(node: Node, trace: dict, y: torch.Tensor) -> dict:
    """What one sub-expression holds, by class where it has a value per sample, and what went into it."""
    value = trace[node]
    by_class = value.shape[:1] == y.shape[:1]
    return {
        "expression": node.text,
        "operation": node.operation,
        "start": node.start,
        "holds": {str(label): kinds(value[(y == label).flatten()]) for label in (0, 1)}
        if by_class
        else {"all": kinds(value)},
        "inputs": [
            {"expression": argument.text, **_range(trace[argument].flatten())}
            for argument in node.arguments
            if argument.operation != "number"
        ],
    }


def _loss(loss: Loss, y, yhat, logits, classes, largest_weight) -> dict:
    if isinstance(loss, ModuleLoss):
        details = _module(loss, y, yhat, logits, classes)
    else:
        details = _formula(loss.tree, y, yhat, logits, classes)
    # Would it have been finite at logits that a network can have? Then their size is to blame, not the loss.
    modest = logits.clamp(-MODEST_LOGIT, MODEST_LOGIT)
    if loss(y, modest.sigmoid(), modest).isfinite():
        expression = details["culprits"][0]["expression"]
        details |= {
            "cause": "network",
            "sentence": f"the network exploded: its largest weight was {largest_weight:.3g}, its logits went from "
            f"{short(logits.min())} to {short(logits.max())}, and {quote(expression)} overflowed float32. "
            "The learning rate is too large for this loss.",
        }
    return details


def _formula(tree: Node, y, yhat, logits, classes) -> dict:
    trace: dict = {}
    evaluate(tree, {"y": y, "yhat": yhat, "logits": logits}, trace=trace)
    paths = culprits(tree, trace)
    path, broken = paths[0]
    sentence = story(path, broken, trace, y, yhat, logits, classes)
    others = list(dict.fromkeys(other[0].text for other, _ in paths[1:] if other[0].text != path[0].text))
    if others:
        sentence += f" {', '.join(map(quote, others))} broke too."
    return {
        "cause": "loss",
        "culprits": [_describe(other[0], trace, y) for other, _ in paths],
        "path": [_describe(node, trace, y) for node in path],
        "index": int(broken.flatten().nonzero()[0]) if broken.ndim else None,
        "sentence": sentence,
    }


def _module(loss: ModuleLoss, y, yhat, logits, classes) -> dict:
    each = loss.each(yhat if loss.fed == "yhat" else logits, y)
    fed = yhat if loss.fed == "yhat" else logits
    holds = {str(label): kinds(each[y == label]) for label in (0, 1)} if each.shape == y.shape else {"all": kinds(each)}
    step = {
        "expression": loss.text,
        "operation": loss.text.split("(")[0],
        "start": 0,
        "holds": holds,
        "inputs": [{"expression": loss.fed, **_range(fed)}],
    }
    broken = ~each.isfinite()
    if each.shape == y.shape and broken.any():
        index = int(broken.flatten().nonzero()[0])
        images = who(broken, y, yhat, logits, classes)
        sentence = f"{quote(loss.text)} became {symbol(each, index)} for {images}."
    else:
        index = None
        sentence = f"{quote(loss.text)} was beyond float32's largest number, 3.4e38, over all images together."
    return {"cause": "loss", "culprits": [step], "path": [step], "index": index, "sentence": sentence}


def broken_normalization(tree: Node, trace: dict, y: torch.Tensor) -> dict:
    """What made normalized training pixels NaN or infinite: culprits, path, and why in words."""
    paths = culprits(tree, trace)
    path, broken = paths[0]
    return {
        "culprits": [_describe(other[0], trace, y) for other, _ in paths],
        "path": [_describe(node, trace, y) for node in path],
        "why": f"in {quote(path[0].text)}, {explain(path[0], trace, broken)}",
    }


def _normalization(x, y, details: dict | None) -> dict:
    broken = ~x.isfinite()
    pixels, images = int(broken.any(0).sum()), int(broken.any(1).sum())
    details = dict(details or {"culprits": [], "path": []})
    why = details.pop("why", "")
    return {
        "cause": "normalization",
        **details,
        "index": int(broken.any(1).nonzero()[0]),
        "sentence": f"the pixels themselves were not finite, before any training: {pixels} of {x.shape[1]} pixels, "
        f"in {images:,} of {len(x):,} images{': ' * bool(why)}{why}.",
    }


def _network(logits, y, largest) -> dict:
    broken = ~logits.isfinite()
    step = {
        "expression": "logits",
        "operation": "network",
        "start": 0,
        "holds": {str(label): kinds(logits[y == label]) for label in (0, 1)},
        "inputs": [],
    }
    return {
        "cause": "network",
        "culprits": [step],
        "path": [step],
        "index": int(broken.flatten().nonzero()[0]),
        "sentence": f"the network itself overflowed: its weights had grown to {largest:.3g}, and {int(broken.sum()):,} "
        "logits were beyond float32's largest number, 3.4e38. The learning rate is too large for this loss.",
    }


def _step(network, parameters, loss: Loss, x, y, before, epoch: int) -> dict:
    """The weights broke in the step before: by a gradient that was not finite, or by a step that was too large."""
    if before is None:
        return {
            "cause": "step",
            "culprits": [],
            "path": [],
            "sentence": "the network's first weights were not finite.",
        }
    _load(parameters, before)
    logits, yhat = forward(network, x)
    trace: dict = {}
    if isinstance(loss, FormulaLoss):
        value = evaluate(loss.tree, {"y": y, "yhat": yhat, "logits": logits}, trace=trace)
    else:
        value = loss(y, yhat, logits)
    found = torch.autograd.grad(value, [logits, *parameters], retain_graph=True, allow_unused=True)
    gradients = [gradient for gradient in found if gradient is not None]
    where = f"the weights were broken by step {epoch - 1}, whose loss was still finite ({value.item():.4g})"
    if all(gradient.isfinite().all() for gradient in gradients):
        size = math.sqrt(sum(float(gradient.double().square().sum()) for gradient in gradients[1:]))
        return {
            "cause": "step",
            "culprits": [],
            "path": [],
            "gradient_norm": number(size),
            "sentence": f"{where}: its gradient was finite too (norm {size:.3g}), and the step overflowed float32. "
            "The learning rate is too large.",
        }
    details = {"cause": "gradient", "culprits": [], "path": [], "index": None}
    found_at = found[0] if found[0] is not None else torch.zeros_like(logits)
    broken = ~found_at.isfinite()
    if broken.any():
        details["index"] = int(broken.flatten().nonzero()[0])
        details["images"] = {str(label): int(broken[y == label].sum()) for label in (0, 1)}
    text = f"{where}, but not its gradient"
    node = gradient_culprit(loss.tree, trace) if trace else None
    if node is not None:
        detached = {key: tensor.detach() for key, tensor in trace.items()}
        details["culprits"] = details["path"] = [_describe(node, detached, y)]
        text += f": the derivative of {quote(node.text)} is not finite there"
        text += f", for {int(broken.sum()):,} images" if broken.any() else ""
    elif not broken.any():
        text += ": summed over the images, it is beyond float32's largest number, 3.4e38"
    return details | {"sentence": f"{text}."}
