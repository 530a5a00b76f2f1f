"""The loss of one image, φ: as float32 computes it, exactly, and as a formula.

φ is the loss itself, called with one image: a mean or a sum over one image is that image's. Many logits are one call,
for a formula's shapes broadcast: where training has (n, 1) tensors, n images of one data set, there are (1, n) here,
one image each of n data sets. So every number is what training would see, but for the 1 / n of a mean.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch

from formulas.language import OVER_SAMPLES, Node, evaluate, walk
from formulas.parsing import parse_loss
from losses.exact import Dual, exact, of_labels
from losses.modules import module_formula
from training.loss import FormulaLoss, Loss, ModuleLoss

# A kernel of torch computes what does not fill its vectors by other code, whose last bits may differ: fill them.
VECTOR = 64


class NotPerImage(ValueError):
    """A loss is no sum or mean over images: says why."""


@dataclass(frozen=True, eq=False)
class OneImage:
    """The loss of one image; `one_image` makes it.

    tree: of the loss as typed, or of the mean that a module of torch.nn computes. own: the same without the terms that
    labels alone decide, which are no image's. why_not: why the loss is no sum, or no mean, over images, in words; None
    where it is one. weights: the reductions in `own` that labels alone decide, inner ones first; none where the loss is
    no sum or mean. reduction: mean or sum, the one over images; None where there is none.

    What labels alone decide, mean(y) as a factor say, is that of a data set with one image of either class. Where the
    loss is no sum or mean over images, float32 sees each image in the company of two undecided ones, one of either
    class, and there is nothing exact.
    """

    loss: Loss
    tree: Node
    own: Node
    why_not: str | None = None
    weights: tuple[Node, ...] = ()
    reduction: str | None = None

    def in_float32(self, y: torch.Tensor, logits: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Value and gradient with respect to the logit, each (n,), for n images that are each alone: labels (n,) and
        logits (n,), float32."""
        n, missing = len(logits), -len(logits) % VECTOR
        y, z = (torch.cat([each, each[-1:].expand(missing)]) for each in (y, logits))
        z.requires_grad_()
        value = self._values(y, z)
        gradient = None
        if value.requires_grad:  # a comparison, say, has none
            # Of the sum: given ones in its place, torch imports sympy, half a second.
            (gradient,) = torch.autograd.grad(value.sum(), z, allow_unused=True)
        gradient = torch.zeros_like(z) if gradient is None else gradient
        return value.detach()[:n], gradient.detach()[:n]

    def in_float64(self, label: float, logits: np.ndarray) -> np.ndarray:
        """Value for n images of one label that are each alone; logits: (n,)."""
        z = torch.from_numpy(np.ascontiguousarray(logits, np.float64))
        with torch.no_grad():
            return self._values(torch.full_like(z, label), z).numpy()

    def _values(self, y: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        if isinstance(self.loss, ModuleLoss):
            z = z.unsqueeze(1)
            return self.loss.each(z.sigmoid() if self.loss.fed == "yhat" else z, y.unsqueeze(1)).reshape(-1)
        y, z = y.unsqueeze(0), z.unsqueeze(0)
        if self.why_not is not None:
            y = torch.cat([y, torch.zeros_like(y), torch.ones_like(y)])
            z = torch.cat([z, torch.zeros_like(y[1:])])
        value = evaluate(self.own, {"y": y, "yhat": z.sigmoid(), "logits": z}, self._weights_in_float32)
        return value.expand(y.shape[1])

    @functools.cached_property
    def _weights_in_float32(self) -> dict[Node, torch.Tensor]:
        known: dict[Node, torch.Tensor] = {}
        for node in self.weights:
            known[node] = evaluate(node, {"y": torch.tensor([[0.0], [1.0]])}, known)
        return known

    def exactly(self, label: float, logit: float, times: int = 1, is_limit: bool = False) -> Dual:
        """Value and derivative with respect to the logit, at most REACH from 0, without float32 (see losses/exact.py,
        also for times and is_limit).

        Raises NotPerImage where the loss is no sum or mean over images.
        """
        if self.why_not is not None:
            raise NotPerImage(self.why_not)
        return exact(self.own, label, logit, self._weights_exactly, times, is_limit)

    @functools.cached_property
    def _weights_exactly(self) -> dict[Node, Dual]:
        return of_labels(self.weights, (0, 1))

    @functools.cached_property
    def constants(self) -> dict[str, float]:
        """The constants that its formula may name."""
        if isinstance(self.loss, FormulaLoss):
            return dict(self.loss.constants)
        numbers = (node for node in walk(self.tree) if node.operation == "number")
        return {node.text: node.value for node in numbers if node.text.isidentifier()}

    @functools.cached_property
    def written(self) -> Node:
        """The tree as config.yaml could have it: as typed, or what a module computes, with its own reduction."""
        if isinstance(self.loss, ModuleLoss) and self.loss.module.reduction == "sum":
            return parse_loss(f"sum{self.tree.text.removeprefix('mean')}", self.constants)
        return self.tree


@functools.lru_cache(maxsize=64)  # charts, rewrites, findings and trials all ask for it
def one_image(loss: Loss) -> OneImage:
    """The loss of one image, made once for each loss.

    A loss is a sum or a mean over images where it adds terms in which a mean, or a sum, of what single images have
    stands by itself or is multiplied or divided by what the labels alone decide: 2 * mean(f) + mean(g) + 1,
    mean(f) / mean(y).
    """
    if isinstance(loss, ModuleLoss):
        tree = module_formula(loss)
        return OneImage(loss, tree, tree, reduction=loss.module.reduction)
    weights: list[Node] = []
    own = _without_labels_alone(loss.tree)
    try:
        reductions = _reductions(own, weights)
        if len(reductions) > 1:
            raise NotPerImage("a mean beside a sum: how much each counts depends on the number of images")
    except NotPerImage as error:
        return OneImage(loss, loss.tree, loss.tree, str(error))
    return OneImage(loss, loss.tree, own, None, tuple(weights), *reductions)


def _without_labels_alone(node: Node) -> Node:
    """A node of shape () without the terms that name y, but no answer. The text of what is changed stays as typed."""
    inner = [argument for argument in node.arguments if _depends(argument)]
    if node.operation in ("+", "-") and len(inner) == 1:
        (rest,) = (argument for argument in node.arguments if argument is not inner[0])
        if any(part.text == "y" for part in walk(rest)):
            is_taken_away = node.operation == "-" and inner[0] is node.arguments[1]
            left = _without_labels_alone(inner[0])
            return replace(node, operation="negative", arguments=(left,)) if is_taken_away else left
    if node.operation in ("+", "-", "*", "/", "negative"):
        arguments = (_without_labels_alone(each) if each in inner else each for each in node.arguments)
        return replace(node, arguments=tuple(arguments))
    return node


def _reductions(node: Node, weights: list[Node]) -> set[str]:
    """Which of mean and sum the logits go through in a node of shape (). weights: receives those of labels alone."""
    if not _depends(node):
        return set()
    inner = [argument for argument in node.arguments if _depends(argument)]
    rest = [argument for argument in node.arguments if argument not in inner]
    match node.operation:
        case "mean" | "sum":
            for part in walk(node.arguments[0]):
                if part.operation in OVER_SAMPLES and _depends(part):
                    raise NotPerImage(f"'{part.text}' makes each image's part depend on all others")
                if part.operation in OVER_SAMPLES:
                    weights.append(part)
            return {node.operation}
        case "+" | "-" | "negative":
            return set().union(*(_reductions(argument, weights) for argument in inner))
        case "*" | "/" if len(inner) == 1 and (node.operation == "*" or inner[0] is node.arguments[0]):
            weights += [part for argument in rest for part in walk(argument) if part.operation in OVER_SAMPLES]
            return _reductions(inner[0], weights)
    raise NotPerImage(f"'{node.text}' is no sum or mean over images")


def _depends(node: Node) -> bool:
    return any(part.operation == "variable" and part.text in ("yhat", "logits") for part in walk(node))


@dataclass(frozen=True)
class OneLabel:
    """φ of the images of one label."""

    image: OneImage
    label: int

    def in_float32(self, logits: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Value and gradient, each (n,), at logits (n,)."""
        return self.image.in_float32(torch.full_like(logits, self.label), logits)

    @functools.cached_property
    def exactly(self) -> Callable[[float], Dual]:
        """`OneImage.exactly` as a function of the logit that remembers what it gave: a search comes back to a logit."""
        return functools.cache(functools.partial(self.image.exactly, self.label))
