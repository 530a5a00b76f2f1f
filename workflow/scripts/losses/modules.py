"""The formulas of torch.nn's losses, as its documentation has them."""

from formulas.float32 import LARGEST, SMALLEST
from formulas.language import Node
from formulas.parsing import parse_loss
from training.loss import ModuleLoss

# The formulas in torch's documentation of each, for y in {0, 1}: KLDivLoss has y log(y) = 0 there, and the Stirling
# term of PoissonNLLLoss is 0 up to y = 1. MultiLabelSoftMarginLoss is a mean over the classes, of which there is one.
MODULES = {
    "BCELoss": lambda m: "-(y * log(input) + (1 - y) * log(1 - input))",
    "BCEWithLogitsLoss": lambda m: (
        f"{'' if m.pos_weight is None else 'pos_weight * '}y * softplus(-input) + (1 - y) * softplus(input)"
    ),
    "HuberLoss": lambda m: (
        "where(abs(input - y) < delta, 0.5 * (input - y) ** 2, delta * (abs(input - y) - 0.5 * delta))"
    ),
    "KLDivLoss": lambda m: "exp(y) * (y - input)" if m.log_target else "0 - y * input",
    "L1Loss": lambda m: "abs(input - y)",
    "MSELoss": lambda m: "(input - y) ** 2",
    "MultiLabelSoftMarginLoss": lambda m: "softplus(input) - y * input",
    "PoissonNLLLoss": lambda m: "exp(input) - y * input" if m.log_input else "input - y * log(input + eps)",
    "SmoothL1Loss": lambda m: (
        "where(abs(input - y) < beta, 0.5 * (input - y) ** 2 / beta, abs(input - y) - 0.5 * beta)"
        if m.beta
        else "abs(input - y)"
    ),
}


def module_formula(loss: ModuleLoss) -> Node:
    """The tree of the mean that a module computes, whatever its reduction.

    BCELoss is the cross-entropy that it approximates, without the -100 at which it cuts its logarithms off.
    """
    module = loss.each
    text = MODULES[type(module).__name__](module)
    numbers = {name: getattr(module, name, 0.0) for name in ("beta", "delta", "eps")}
    if getattr(module, "pos_weight", None) is not None:
        numbers["pos_weight"] = module.pos_weight.item()
    # What float32 does not have, no formula may hold.
    numbers = {name: min(value, LARGEST) if value >= SMALLEST else 0.0 for name, value in numbers.items()}
    return parse_loss(f"mean({text.replace('input', loss.fed)})", numbers)
