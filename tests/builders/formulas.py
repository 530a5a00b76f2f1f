"""Formulas at random, of which each is one that a user may type."""

import random

from hypothesis import strategies as st

from experiment.definitions import loss_definition
from formulas.parsing import parse_loss

BEST = "mean(softplus((1 - 2 * y) * logits))"  # of the cross-entropy, however it is typed


def tree(formula: str):
    return parse_loss(formula, {})


def call(function, *arguments):
    texts, references = zip(*arguments, strict=True)
    return f"{function}({', '.join(texts)})", f"{function}({', '.join(references)})"


def binary(a, operator, b):
    # A comparison is 0 or 1 in a formula, and a truth value in NumPy.
    cast = "FLOAT" if operator in ("<", "<=", ">", ">=", "==", "!=") else ""
    return f"({a[0]} {operator} {b[0]})", f"{cast}({a[1]} {operator} {b[1]})"


def expressions():
    """Formulas of one value per sample, each as a user may type it and as NumPy code."""
    names = st.sampled_from([(name, name) for name in ("y", "yhat", "logits")])
    numbers = st.sampled_from([(number, f"FLOAT({number})") for number in ("1", "0.5", "2", "3.25e-1")])
    one = st.sampled_from(["log", "log1p", "exp", "expm1", "sqrt", "abs", "sigmoid", "softplus", "relu", "tanh", "-"])
    two = st.sampled_from(["minimum", "maximum"])
    three = st.sampled_from(["clamp", "where"])
    operator = st.sampled_from(["+", "-", "*", "/", "**", "<", "<=", ">", ">=", "==", "!="])

    def grow(inner):
        return st.one_of(
            st.tuples(one, inner).map(lambda parts: call(*parts)),
            st.tuples(two, inner, inner).map(lambda parts: call(*parts)),
            st.tuples(three, inner, inner, inner).map(lambda parts: call(*parts)),
            st.tuples(inner, operator, inner).map(lambda parts: binary(*parts)),
        )

    return st.recursive(st.one_of(names, numbers), grow, max_leaves=8)


def random_losses(start: int, stop: int) -> list[str]:
    """Those places of a sequence of losses that is the same each time."""
    chance, found = random.Random(14), []
    while len(found) < stop:
        text = f"mean({random_formula(chance, chance.randint(1, 4))})"
        if isinstance(loss_definition(text), list):
            found.append(text)
    return found[start:]


def random_formula(chance: random.Random, depth: int) -> str:
    if not depth:
        return chance.choice(["y", "yhat", "logits", "yhat", "logits", "(1 - yhat)", "(2 * y - 1)", "0.3", "2", "1e-7"])
    a, b = random_formula(chance, depth - 1), random_formula(chance, chance.randrange(depth))
    functions = ["log", "log1p", "exp", "expm1", "sqrt", "abs", "sigmoid", "softplus", "relu", "tanh"]
    return chance.choice(
        [f"({a} {chance.choice('+-*/')} {b})"] * 10
        + [f"{chance.choice(functions)}({a})"] * 8
        + [f"({a}) ** {chance.choice(['2', '3', '0.5'])}", f"clamp({a}, 0.1, 2)", f"minimum({a}, {b})"]
        + [f"maximum({a}, {b})", f"where(y == 1, {a}, {b})", f"-({a})"]
    )
