"""Which sub-expressions broke a tree's value or its gradient, and what each of them held.

The tree is walked from the broken value inwards, along the places that broke it, to the sub-expressions whose own
inputs were still finite.
"""

import math

import torch

from formulas.language import OVER_SAMPLES, Node, apply
from records.metrics import Input, Range, Step
from records.strict import number


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


def kinds_by_label(value: torch.Tensor, y: torch.Tensor) -> dict[str, dict[str, int]]:
    """`kinds` per label where there is a value per image, else of `all`; y: labels (n, 1)."""
    if value.shape[:1] != y.shape[:1]:
        return {"all": kinds(value)}
    return {str(label): kinds(value[(y == label).flatten()]) for label in (0, 1)}


def span(value: torch.Tensor) -> Range:
    """Smallest and largest, NaN left aside."""
    value = value[~value.isnan()]
    if not value.numel():
        return Range(min=None, max=None)
    return Range(min=number(value.min().item()), max=number(value.max().item()))


def went_in(expression: str, value: torch.Tensor) -> Input:
    ends = span(value[value.isfinite()])
    holds = {kind: count for kind, count in kinds(value).items() if count}
    return Input(expression=expression, min=ends.min, max=ends.max, holds=holds)


def step(node: Node, trace: dict, y: torch.Tensor) -> Step:
    """What one sub-expression holds, by class where it has a value per image, and what went into it."""
    return Step(
        expression=node.text,
        operation=node.operation,
        start=node.start,
        holds=kinds_by_label(trace[node], y),
        inputs=[
            went_in(argument.text, trace[argument].flatten())
            for argument in node.arguments
            if argument.operation != "number"
        ],
    )
