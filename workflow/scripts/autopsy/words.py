"""The autopsy in words: sentences that a student understands, from the tensors that broke."""

import math
from itertools import pairwise

import torch

from common.english import symbol
from formulas.language import Node, walk

NUMBER_WORDS = {1: "one", 2: "two", 3: "three"}


def story(path: list[Node], broken, trace: dict, y, yhat, logits, classes) -> str:
    """How one path out of the formula broke: which images, what float32 did, what it made of the loss."""
    node, value = path[0], trace[path[0]]
    place = int(broken.flatten().nonzero()[0])
    became = f"{quote(node.text)} became {symbol_at(value, place)}"
    ending = _turn(path, trace, place) or f"so the loss is {symbol_at(trace[path[-1]], 0)}"
    if not broken.ndim:
        return f"{became}: {explain(node, trace, broken)}; {ending}."
    images = who(broken, y, yhat, logits, classes)
    edge = yhat[broken]
    is_rounded = bool((edge == edge[0]).all()) and float(edge[0]) in (0.0, 1.0)
    if is_rounded and any(inner.text == "yhat" for inner in walk(node)):
        return f"the network was sure of {images}: float32 rounded ŷ to exactly {int(edge[0])}, {became}, {ending}."
    return f"{became} for {images}: {explain(node, trace, broken)}; {ending}."


def rounded(node: Node, trace: dict, broken: torch.Tensor) -> list[str]:
    """What float32 rounds away inside the sub-expression that broke: constants, and what is added to a number that is
    too large to notice it."""
    place = int(broken.flatten().nonzero()[0])
    found = []
    for inner in walk(node):
        value = trace[inner].flatten()
        if inner.operation == "number":
            if value.item() != inner.value and value.item() == round(inner.value):
                found.append(f"float32 rounds {quote(inner.text)} to {value.item():g}")
        elif inner.operation in ("+", "-") and value.numel() > 1:
            a, b = inner.arguments
            constant, other = (a, b) if a.operation == "number" else (b, a)
            at = trace[other].flatten()[place]
            is_lost = constant.operation == "number" and constant.value != 0 and at.isfinite()
            if is_lost and value[place] == (at if other is a or inner.operation == "+" else -at):
                found.append(
                    f"in float32 {quote(inner.text)} is {quote(other.text)} itself where that is {at.item():g}"
                )
    return list(dict.fromkeys(found))


def who(broken, y, yhat, logits, classes) -> str:
    """'one correct 1 (logit 16.65)': how many images of which class, right or wrong, and their logits."""
    parts = []
    for label in (0, 1):
        mine = broken & (y == label)
        count = int(mine.sum())
        if not count:
            continue
        right = (yhat[mine] > 0.5) == (label == 1)
        kind = "correct " if right.all() else "wrong " if not right.any() else ""
        found = logits[mine]
        logit = f"logit {short(found[0])}" if count == 1 else f"logits {short(found.min())} to {short(found.max())}"
        plural = "" if count == 1 else "s"
        parts.append(f"{NUMBER_WORDS.get(count, f'{count:,}')} {kind}{classes[label]}{plural} ({logit})")
    return " and ".join(parts)


def short(value: torch.Tensor) -> str:
    """A logit for the reader."""
    return f"{value.item():.2f}" if abs(value.item()) < 1e4 else f"{value.item():.3g}"


def _turn(path: list[Node], trace: dict, place: int) -> str:
    """'and 0 · −∞ is NaN', where an infinity on the path out turned into NaN."""
    for inner, outer in pairwise(path):
        before, after = trace[inner], trace[outer]
        if before.ndim != after.ndim or not before.ndim:
            return ""
        if before.flatten()[place].isinf() and after.flatten()[place].isnan():
            values = [float(trace[a].expand(after.shape).flatten()[place]) for a in outer.arguments]
            shown = [f"{v:.4g}" if math.isfinite(v) else symbol(v, plus="+") for v in values]
            sign = {"*": "·", "-": "−"}.get(outer.operation, outer.operation)
            return f"and {f' {sign} '.join(shown)} is NaN"
    return ""


def symbol_at(value: torch.Tensor, place: int) -> str:
    """NaN, +∞ or −∞."""
    return symbol(value.flatten()[place].item(), plus="+")


def quote(text: str) -> str:
    return f"`{text}`"


def explain(node: Node, trace: dict, broken: torch.Tensor) -> str:
    """Why one operation on finite arguments gave no finite number, at the first of the broken places."""
    value = trace[node]
    place = int(broken.flatten().nonzero()[0])
    arguments = [float(trace[a].expand(value.shape).flatten()[place]) for a in node.arguments if _fits(trace[a], value)]
    first = arguments[0] if arguments else math.nan
    a = node.arguments[0].text if node.arguments else ""
    match node.operation:
        case "log" | "log1p":
            edge = 0 if node.operation == "log" else -1
            word = node.operation
            if first == edge:
                return f"{a} was exactly {edge}, and {word}({edge}) is −∞"
            return f"{a} was {first:.4g}, and {word} is not defined below {edge}"
        case "sqrt":
            return f"{a} was {first:.4g}, and the square root of a negative number is NaN"
        case "exp" | "expm1":
            return f"{a} was {first:.4g}, and {node.operation} overflows float32 beyond 88.7"
        case "/":
            if arguments[1] == 0:
                return f"{node.arguments[1].text} was exactly 0, and {first:.4g} / 0 is {symbol_at(value, place)}"
        case "**":
            power = arguments[1]
            if first < 0 and power != int(power):
                return f"{a} was {first:.4g}, and a negative number to the power {power:.4g} is NaN"
            if first == 0:
                return f"{a} was exactly 0, and 0 to the power {power:.4g} is {symbol_at(value, place)}"
        case "mean" | "sum":
            return f"the {node.operation} of {a} is beyond float32's largest number, 3.4e38"
    return f"its value is beyond float32's largest number, 3.4e38 ({', '.join(f'{v:.4g}' for v in arguments)})"


def _fits(value: torch.Tensor, into: torch.Tensor) -> bool:
    return value.ndim <= into.ndim
