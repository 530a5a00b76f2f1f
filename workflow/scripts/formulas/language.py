"""The language of formulas: its variables, operators and functions, and how a tree of them is evaluated on tensors.

A formula is data, never code: a tree holds only what the tables below name, and nothing is ever executed. Training
evaluates the tree, and the diagnosis walks the same tree to see which sub-expression stopped being finite first.
This module imports no torch (the Snakefile checks formulas with it): every operation is a method of the tensors.
"""

import ast
import operator
from dataclasses import dataclass

# A shape is written as the user reads it. The longer one wins when two meet, as in broadcasting.
NUMBER, PER_PIXEL = (), ("784",)
PER_SAMPLE, IMAGES = ("n", "1"), ("n", "784")

LOSS_VARIABLES = {"y": PER_SAMPLE, "yhat": PER_SAMPLE, "logits": PER_SAMPLE}
NORMALIZATION_VARIABLES = {
    "x": IMAGES,
    "mean": NUMBER,
    "std": NUMBER,
    "min": NUMBER,
    "max": NUMBER,
    "pixel_mean": PER_PIXEL,
    "pixel_std": PER_PIXEL,
}

# Python's operator, its function on tensors (and, for arithmetic, on the plain numbers of a constant expression).
ARITHMETIC = {
    ast.Add: ("+", operator.add),
    ast.Sub: ("-", operator.sub),
    ast.Mult: ("*", operator.mul),
    ast.Div: ("/", operator.truediv),
    ast.Pow: ("**", operator.pow),
}
COMPARISONS = {
    ast.Lt: ("<", operator.lt),
    ast.LtE: ("<=", operator.le),
    ast.Gt: (">", operator.gt),
    ast.GtE: (">=", operator.ge),
    ast.Eq: ("==", operator.eq),
    ast.NotEq: ("!=", operator.ne),
}


def _wide(a, lo, hi):
    """a, in the shape of the longest of the three: torch does not clamp one number between many."""
    longest = max((a, lo, hi), key=lambda one: one.ndim)
    return a if a.ndim == longest.ndim else a.expand_as(longest)


# name -> (arguments, function on tensors). mean and sum run over the samples, the first axis.
OVER_SAMPLES = {
    "mean": ("a", lambda a: a.mean(0).squeeze()),
    "sum": ("a", lambda a: a.sum(0).squeeze()),
}
FUNCTIONS = OVER_SAMPLES | {
    "log": ("a", lambda a: a.log()),
    "log1p": ("a", lambda a: a.log1p()),
    "exp": ("a", lambda a: a.exp()),
    "expm1": ("a", lambda a: a.expm1()),
    "sqrt": ("a", lambda a: a.sqrt()),
    "abs": ("a", lambda a: a.abs()),
    "sigmoid": ("a", lambda a: a.sigmoid()),
    "softplus": ("a", lambda a: a.logaddexp(a.new_zeros(()))),
    "relu": ("a", lambda a: a.relu()),
    "tanh": ("a", lambda a: a.tanh()),
    "clamp": ("a, lo, hi", lambda a, lo, hi: _wide(a, lo, hi).clamp(lo, hi)),
    "minimum": ("a, b", lambda a, b: a.minimum(b)),
    "maximum": ("a, b", lambda a, b: a.maximum(b)),
    "where": ("condition, a, b", lambda condition, a, b: a.where(condition != 0, b)),
}

_OPERATIONS = (
    {name: function for name, (_, function) in FUNCTIONS.items()}
    | dict(ARITHMETIC.values())
    # A comparison is 1 where it holds and 0 elsewhere, so that every value in a tree is a float tensor.
    | {s: lambda a, b, f=f: f(a, b).to((a if a.ndim else b).dtype) for s, f in COMPARISONS.values()}
    | {"negative": operator.neg}
)


@dataclass(frozen=True, eq=False)
class Node:
    """One sub-expression: `text` as typed, `operation` ('number', 'variable', or a key of the tables), `arguments`.

    start: where `text` begins in the formula, its white space folded. folded: of a number that is arithmetic with
    constants that have names, such as 1 - eps, that arithmetic.
    """

    text: str
    operation: str
    shape: tuple[str, ...]
    start: int
    arguments: tuple["Node", ...] = ()
    value: float = 0.0
    folded: "Node | None" = None


def evaluate(node: Node, values: dict, known: dict | None = None, trace: dict | None = None):
    """The value of a tree, as a tensor.

    values: a float tensor per variable, of the shapes in LOSS_VARIABLES or NORMALIZATION_VARIABLES.
    known: {node: tensor}, sub-expressions that are not evaluated again (see `statistics`).
    trace: a dict that receives {node: tensor} for every sub-expression, innermost first.
    """
    if known and node in known:
        result = known[node]
    elif node.operation == "number":
        result = next(iter(values.values())).new_tensor(node.value)
    elif node.operation == "variable":
        result = values[node.text]
    else:
        arguments = [evaluate(argument, values, known, trace) for argument in node.arguments]
        result = apply(node, arguments)
    if trace is not None:
        trace[node] = result
    return result


def apply(node: Node, arguments: list):
    """The operation of one node on given tensors, alone."""
    return _OPERATIONS[node.operation](*arguments)


def walk(node: Node):
    """Every node of a tree, innermost first, in the order of evaluation."""
    for argument in node.arguments:
        yield from walk(argument)
    yield node


def statistics(tree: Node, train_values: dict) -> dict:
    """{node: value} of each mean(…) and sum(…) on the training set, so that test pixels are normalized with these."""
    trace: dict = {}
    evaluate(tree, train_values, trace=trace)
    return {node: value for node, value in trace.items() if node.operation in OVER_SAMPLES}
