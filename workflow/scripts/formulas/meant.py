"""Another loss, which may be the one that was meant: without its guards, with another sign, for both classes alike.

Each is given in its best words (see formulas/rewriting.py). No torch here.
"""

import re
from collections.abc import Callable
from dataclasses import replace

from formulas.algebra import (
    LOGITS,
    ONE,
    Expression,
    call,
    coefficient_of,
    from_tree,
    multiply,
    negative,
    numeral,
    replaced,
    substituted,
)
from formulas.language import Node, walk
from formulas.rewriting import NO_WORDS, by_label, over_images, simplified, together
from formulas.writing import text

SMALL = 0.001  # a number that is added is a guard up to here
OFF = "1e-7"  # what a label is kept off 0 by
GUARDED = {"log": 0, "log1p": 0, "sqrt": 0, "/": 1}  # which argument may have one
GUARDS = {"clamp": (0,), "minimum": (0, 1), "maximum": (0, 1)}  # which may be what is bounded


def unguarded(tree: Node) -> tuple[str, list[str]] | None:
    """The loss without what only keeps it off its edges, in its best words, and what that is: a small number added
    inside a logarithm, a root or a divisor; a bound on something. None where there is none."""
    instead: dict[Node, Node] = {}
    guards: dict[str, None] = {}
    for node in walk(tree):
        if node.operation in GUARDED:
            instead |= _without_small(node.arguments[GUARDED[node.operation]], guards)
        for place in GUARDS.get(node.operation, ()):
            typed = ["…" if at == place else one.text for at, one in enumerate(node.arguments)]
            bounds = [one for at, one in enumerate(node.arguments) if at != place]
            if all(one.operation == "number" for one in bounds) and any(one.value for one in bounds):
                instead[node] = node.arguments[place]
                guards[f"{node.operation}({', '.join(typed)})"] = None
    found = _reworded(tree, instead=instead) if instead else None
    return found and (found, list(guards))


def _without_small(node: Node, guards: dict[str, None]) -> dict[Node, Node]:
    """{a + small number: a} in sums, products and quotients, {1.000001: 1} in numbers; guards: receives
    '+ small number'."""
    if node.operation == "number":
        return _without_rest(node, guards)
    if node.operation not in ("+", "-", "*", "/", "negative"):
        return {}
    found: dict[Node, Node] = {}
    for argument in node.arguments:
        found |= _without_small(argument, guards)
    if node.operation in ("+", "-"):
        a, b = node.arguments
        for kept, dropped in ((a, b), (b, a)):
            is_small = dropped.operation == "number" and 0 < abs(dropped.value) <= SMALL
            if is_small and (node.operation == "+" or kept is a):
                found[node] = kept
                guards[f"{node.operation} {dropped.text}"] = None
    return found


def _without_rest(node: Node, guards: dict[str, None]) -> dict[Node, Node]:
    """{1.000001: 1}: a number that is all but whole, as 1 + eps is."""
    whole = round(node.value)
    rest = node.value - whole
    if not whole or not 0 < abs(rest) <= SMALL:
        return {}
    typed = re.fullmatch(rf"{whole} *([+-]) *(\S+)", node.text)
    guard = typed.groups() if typed else ("+" if rest > 0 else "-", f"{abs(rest):.3g}".replace("e-0", "e-"))
    guards[" ".join(guard)] = None
    return {node: replace(node, text=str(whole), value=float(whole), folded=None)}


def negated(tree: Node, labels: set[int]) -> str | None:
    """The loss with another sign for images of these labels."""

    def flipped(inside: Expression) -> Expression:
        halves = by_label(inside)
        return together(*(negative(half) if label in labels else half for label, half in enumerate(halves)))

    return _reworded(tree, flipped)


def mirrored(tree: Node, label: int, is_negated: bool = False) -> str | None:
    """The loss in which images of the other label have what those of `label` have, at the opposite logit; is_negated:
    both with another sign."""

    def mirror(inside: Expression) -> Expression:
        half = by_label(inside)[label]
        half = negative(half) if is_negated else half
        other = simplified(substituted(half, "logits", negative(LOGITS)))
        return together(half, other) if label == 0 else together(other, half)

    return _reworded(tree, mirror)


def weighed(tree: Node, weak: int, times: float) -> str | None:
    """The loss in which images of label `weak` count so many times as much: without the factors of both classes, where
    these make the difference, else with one more."""

    def evened(inside: Expression) -> Expression:
        halves = by_label(inside)
        (weak_size, weak_rest), (size, rest) = (coefficient_of(halves[label]) for label in (weak, 1 - weak))
        if 0.9 < float(abs(size / weak_size)) / times < 1.1:
            of_weak, other = (
                part if factor > 0 else negative(part) for factor, part in ((weak_size, weak_rest), (size, rest))
            )
        else:
            of_weak, other = multiply(numeral(times), halves[weak]), halves[1 - weak]
        return together(of_weak, other) if weak == 0 else together(other, of_weak)

    return _reworded(tree, evened)


def guarded(tree: Node) -> str | None:
    """The loss with what labels alone decide kept off 0 in each logarithm; None where there is none."""

    def kept_off(part: Expression) -> Expression | None:
        if part.operation != "log" or not part.has("y") or part.has("yhat", "logits"):
            return None
        (inside,) = part.arguments
        return call("log", call("clamp", inside, numeral(OFF), ONE))

    try:
        before = from_tree(tree)
        after = replaced(before, kept_off)
        return None if after == before else text(after)
    except NO_WORDS:
        return None


def _reworded(
    tree: Node,
    change: Callable[[Expression], Expression] = lambda inside: together(*by_label(inside)),
    instead: dict[Node, Node] | None = None,
) -> str | None:
    try:
        return text(over_images(from_tree(tree, instead), change))
    except NO_WORDS:
        return None
