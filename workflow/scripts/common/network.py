"""The network, its loss and its optimizer, built from the settings of a variant."""

from collections.abc import Callable

import torch

from common.formula import evaluate, parse_loss

Loss = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]


def build_network(inputs: int, hidden: list[int], activation: list, seed: int) -> torch.nn.Sequential:
    """x (n, inputs) → Linear → activation → … → Linear → Sigmoid → yhat (n, 1), initialised right after the seed.

    `network[:-1]` gives the logits, the input of the sigmoid.
    """
    name, arguments = activation
    torch.manual_seed(seed)
    layers: list[torch.nn.Module] = []
    for width in hidden:
        layers += [torch.nn.Linear(inputs, width), getattr(torch.nn, name)(**dict(arguments))]
        inputs = width
    return torch.nn.Sequential(*layers, torch.nn.Linear(inputs, 1), torch.nn.Sigmoid())


def build_loss(definition: list) -> Loss:
    """A function of y, yhat and logits, each (n, 1), that gives the loss, ()."""
    if definition[0] == "formula":
        _, text, constants = definition
        tree = parse_loss(text, dict(constants))
        return lambda y, yhat, logits: evaluate(tree, {"y": y, "yhat": yhat, "logits": logits})
    _, name, arguments, fed = definition
    arguments = dict(arguments)
    if "pos_weight" in arguments:
        arguments["pos_weight"] = torch.tensor(arguments["pos_weight"])
    module = getattr(torch.nn, name)(**arguments)
    return lambda y, yhat, logits: module(yhat if fed == "yhat" else logits, y)


def build_optimizer(definition: list, lr: float, parameters) -> torch.optim.Optimizer:
    name, arguments = definition
    return getattr(torch.optim, name)(parameters, lr=lr, **dict(arguments))
