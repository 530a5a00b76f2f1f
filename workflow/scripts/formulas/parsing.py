"""Text into a tree of the language, or a complaint that says where in the text, and why."""

import ast
import keyword
import math
import unicodedata
import warnings
from dataclasses import replace

from common.errors import UserError, nearest
from formulas.float32 import LARGEST, SMALLEST
from formulas.language import (
    ARITHMETIC,
    COMPARISONS,
    FUNCTIONS,
    IMAGES,
    LOSS_VARIABLES,
    NORMALIZATION_VARIABLES,
    NUMBER,
    OVER_SAMPLES,
    PER_PIXEL,
    Node,
    walk,
)

MAX_LENGTH = 2000
MAX_DEPTH = 60


class FormulaError(UserError):
    """A formula that is refused: says where in it, and why."""


def parse_loss(text: str, constants: dict[str, float] | None = None) -> Node:
    """A formula over y, yhat and logits that gives one number per model. Raises FormulaError."""
    tree = parse(text, LOSS_VARIABLES, constants or {})
    if tree.shape != NUMBER:
        raise FormulaError(
            f"a loss is one number per model, shape (), but '{tree.text}' has shape {_shape(tree.shape)}, "
            f"one value per sample: wrap it in mean(…) or sum(…)"
        )
    if not any(node.operation == "variable" and node.text in ("yhat", "logits") for node in walk(tree)):
        raise FormulaError(f"a loss must depend on yhat or logits, but '{tree.text}' does not")
    if not _has_gradient(tree):
        raise FormulaError(
            f"'{tree.text}' cannot be trained: a comparison has no gradient, and yhat and logits stand in nothing else"
        )
    return tree


def _has_gradient(node: Node) -> bool:
    """Whether yhat or logits reach the tree other than through a comparison or the condition of a `where`."""
    if node.operation == "variable":
        return node.text in ("yhat", "logits")
    if node.operation in {symbol for symbol, _ in COMPARISONS.values()}:
        return False
    return any(map(_has_gradient, node.arguments[1 if node.operation == "where" else 0 :]))


def parse_normalization(text: str, constants: dict[str, float] | None = None) -> Node:
    """A formula over x and the training set's statistics that keeps the shape of x. Raises FormulaError."""
    tree = parse(text, NORMALIZATION_VARIABLES, constants or {})
    if tree.shape != IMAGES:
        raise FormulaError(
            f"a normalization keeps the shape of x, {_shape(IMAGES)}, but '{tree.text}' has shape {_shape(tree.shape)}"
        )
    return tree


def parse(text: str, variables: dict, constants: dict) -> Node:
    text = " ".join(str(text).split())
    if not text:
        raise FormulaError("the formula is empty")
    if len(text) > MAX_LENGTH:
        raise FormulaError(f"the formula has {len(text)} characters, more than {MAX_LENGTH}")
    if "#" in text:
        raise FormulaError(f"unexpected '#' at column {text.index('#') + 1}")
    for name, value in constants.items():
        _check_constant(name, value, variables)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text, mode="eval").body
    except SyntaxError as error:
        if not error.offset:
            raise FormulaError(f"cannot be read: something is missing after '{text[-40:]}'") from None
        column = min(max(error.offset, 1), len(text))
        why = error.msg.replace("forgot a comma", "forgot an operator")
        raise FormulaError(f"cannot be read at column {column}, near '{_clip(text[column - 1 :])}': {why}") from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise FormulaError(f"cannot be read: {str(error) or 'nested too deeply'}") from None
    return _Parser(text, variables, constants).node(tree, 0)


class _Parser:
    """Turns Python's syntax tree into ours, refusing whatever the tables do not name."""

    def __init__(self, text: str, variables: dict, constants: dict):
        self.text, self.bytes = text, text.encode()
        self.variables, self.constants = variables, constants

    def source(self, tree) -> str:
        return self.bytes[tree.col_offset : tree.end_col_offset].decode()

    def refuse(self, tree, why: str) -> FormulaError:
        return FormulaError(f"column {self.start(tree) + 1}, '{_clip(self.source(tree))}': {why}")

    def start(self, tree) -> int:
        return len(self.bytes[: tree.col_offset].decode())

    def node(self, tree, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise self.refuse(tree, f"nested more than {MAX_DEPTH} deep")
        text, start = self.source(tree), self.start(tree)
        match tree:
            case ast.Constant(value=bool() | None) | ast.Constant(value=str() | bytes() | complex()):
                raise self.refuse(tree, "only numbers, names, functions and operators are allowed in a formula")
            case ast.Constant(value=int() | float() as value):
                return self.number(tree, lambda: float(value))
            case ast.Name(id=name):
                return self.name(tree, name)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                argument = self.node(operand, depth + 1)
                if argument.operation == "number":
                    return self.folded(tree, "negative", (argument,), lambda: -argument.value)
                return Node(text, "negative", argument.shape, start, (argument,))
            case ast.BinOp(op=op, left=left, right=right) if type(op) in ARITHMETIC:
                symbol, function = ARITHMETIC[type(op)]
                a, b = self.node(left, depth + 1), self.node(right, depth + 1)
                if a.operation == b.operation == "number":
                    return self.folded(tree, symbol, (a, b), lambda: function(a.value, b.value))
                return Node(text, symbol, max(a.shape, b.shape, key=len), start, (a, b))
            case ast.Compare(ops=[op], left=left, comparators=[right]) if type(op) in COMPARISONS:
                a, b = self.node(left, depth + 1), self.node(right, depth + 1)
                return Node(text, COMPARISONS[type(op)][0], max(a.shape, b.shape, key=len), start, (a, b))
            case ast.Call():
                return self.call(tree, depth)
        raise self.refuse(tree, _why_not(tree))

    def number(self, tree, compute) -> Node:
        try:
            value = compute()
        except (OverflowError, ZeroDivisionError):
            value = math.nan
        if isinstance(value, complex) or not abs(value) <= LARGEST:
            raise self.refuse(tree, "is not a finite number of float32, at most 3.4e38")
        if value and abs(value) < SMALLEST:
            raise self.refuse(tree, "is 0 in float32, whose smallest number is 1.4e-45")
        return Node(self.source(tree), "number", NUMBER, self.start(tree), value=value)

    def folded(self, tree, operation: str, arguments: tuple[Node, ...], compute) -> Node:
        """One number, which remembers the names in it."""
        number = self.number(tree, compute)
        if not any(argument.folded or argument.text.isidentifier() for argument in arguments):
            return number
        return replace(number, folded=replace(number, operation=operation, arguments=arguments))

    def name(self, tree, name: str) -> Node:
        if name in self.variables:
            return Node(name, "variable", self.variables[name], self.start(tree))
        if name in self.constants:
            return self.number(tree, lambda: float(self.constants[name]))
        if name in FUNCTIONS:
            raise self.refuse(tree, f"is a function: write {name}({FUNCTIONS[name][0]})")
        raise self.refuse(tree, f"unknown name{nearest(name, [*self.variables, *self.constants])}")

    def call(self, tree: ast.Call, depth: int) -> Node:
        if isinstance(tree.func, ast.Attribute) and tree.func.attr in FUNCTIONS:
            usage = f"{tree.func.attr}({FUNCTIONS[tree.func.attr][0]})"
            raise self.refuse(tree, f"functions stand alone here: write {usage}")
        if not isinstance(tree.func, ast.Name | ast.Attribute):
            raise self.refuse(tree, f"an operator is missing after '{_clip(self.source(tree.func))}'")
        if not isinstance(tree.func, ast.Name):
            raise self.refuse(tree, f"only these functions can be called: {', '.join(sorted(FUNCTIONS))}")
        name = tree.func.id
        if name not in FUNCTIONS and (name in self.variables or name in self.constants):
            raise self.refuse(tree, f"{name} is no function: write {name}, and an operator before what follows")
        if name not in FUNCTIONS:
            raise self.refuse(tree, f"unknown function '{_clip(name)}'{nearest(name, FUNCTIONS)}")
        usage = f"{name}({FUNCTIONS[name][0]})"
        if tree.keywords or any(isinstance(argument, ast.Starred) for argument in tree.args):
            raise self.refuse(tree, f"expected plain arguments: {usage}")
        expected = FUNCTIONS[name][0].count(",") + 1
        if len(tree.args) != expected:
            raise self.refuse(tree, f"found {len(tree.args)} arguments, expected {expected}: {usage}")
        arguments = tuple(self.node(argument, depth + 1) for argument in tree.args)
        shape = max((argument.shape for argument in arguments), key=len)
        if name in OVER_SAMPLES:
            if shape[:1] != ("n",):
                raise self.refuse(tree, f"{name} runs over the samples, but its argument has shape {_shape(shape)}")
            shape = PER_PIXEL if shape == IMAGES else NUMBER
        return Node(self.source(tree), name, shape, self.start(tree), arguments)


def _check_constant(name: str, value: object, variables: dict) -> None:
    if not isinstance(name, str) or not name.isidentifier() or keyword.iskeyword(name):
        raise FormulaError(f"constant '{name}': a constant's name is letters, digits and _, not first a digit")
    if (read := unicodedata.normalize("NFKC", name)) != name:  # as Python's parser does with every name
        raise FormulaError(f"constant '{name}': a formula reads this name as '{read}'")
    if name in variables or name in FUNCTIONS:
        raise FormulaError(f"constant '{name}': the name already means something in formulas")
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise FormulaError(f"constant '{name}': found {'nothing' if value is None else repr(value)}, expected a number")


def _why_not(tree) -> str:
    match tree:
        case ast.Attribute():
            return "attributes are not allowed: write log(x), not torch.log(x) or x.log()"
        case ast.BinOp(op=ast.BitXor()):
            return "^ is not allowed: a power is **"
        case ast.Compare(ops=[_, _, *_]):
            return "only one comparison at a time"
        case ast.UnaryOp(op=ast.UAdd()):
            return "a leading + is not allowed"
        case ast.IfExp() | ast.BoolOp():
            return "if, and, or are not allowed: use where(condition, a, b)"
    operators = " ".join(symbol for symbol, _ in [*ARITHMETIC.values(), *COMPARISONS.values()])
    return f"only numbers, names, functions and {operators} are allowed in a formula"


def _shape(shape: tuple[str, ...]) -> str:
    return f"({', '.join(shape)}{',' if len(shape) == 1 else ''})"


def _clip(text: str) -> str:
    return text if len(text) <= 40 else text[:39] + "…"
