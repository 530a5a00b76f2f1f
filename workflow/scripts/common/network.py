"""The network, its loss and its optimizer, built from the settings of a variant."""

from dataclasses import dataclass

import torch

from common.fast import Adam, Pixels
from common.formula import Node, evaluate, parse_loss


@dataclass(frozen=True)
class FormulaLoss:
    """A typed loss: called with y, yhat and logits, each (n, 1), it gives the loss, ()."""

    text: str
    tree: Node

    def __call__(self, y: torch.Tensor, yhat: torch.Tensor, logits: torch.Tensor) -> torch.Tensor:
        return evaluate(self.tree, {"y": y, "yhat": yhat, "logits": logits})


@dataclass(frozen=True)
class ModuleLoss:
    """A torch.nn loss, fed yhat or logits: called as a FormulaLoss is."""

    text: str
    module: torch.nn.Module
    each: torch.nn.Module  # the same without reduction: the loss of every sample
    fed: str

    def __call__(self, y: torch.Tensor, yhat: torch.Tensor, logits: torch.Tensor) -> torch.Tensor:
        value = yhat if self.fed == "yhat" else logits
        try:
            return self.module(value, y)
        except RuntimeError:
            # BCELoss raises for NaN where every other loss is NaN. A loss that is not finite is a result here.
            if value.isnan().any():
                return value.mean()
            raise


Loss = FormulaLoss | ModuleLoss


def build_network(inputs: int, hidden: list[int], activation: list, seed: int) -> torch.nn.Sequential:
    """x (n, inputs) → Linear → activation → … → Linear → Sigmoid → yhat (n, 1), initialised right after the seed.

    `network[:-1]` gives the logits, the input of the sigmoid; `forward` gives both.
    """
    name, arguments = activation
    torch.manual_seed(seed)
    layers: list[torch.nn.Module] = []
    for width in hidden:
        layers += [torch.nn.Linear(inputs, width), getattr(torch.nn, name)(**dict(arguments))]
        inputs = width
    return torch.nn.Sequential(*layers, torch.nn.Linear(inputs, 1), torch.nn.Sigmoid())


def forward(network: torch.nn.Sequential, x: Pixels | torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """logits and yhat, each (n, 1), of x (n, inputs), packed (see common/fast.py) or plain.

    The last bits of a product depend on the way it is computed: whoever asks what training saw must ask with packed x.
    """
    layer = network[0]
    logits = network[1:-1](x.linear(layer.weight, layer.bias) if isinstance(x, Pixels) else layer(x))
    return logits, network[-1](logits)


def build_loss(definition: list) -> Loss:
    """The loss that `loss_definition` describes (see common/config.py)."""
    if definition[0] == "formula":
        _, text, constants = definition
        return FormulaLoss(text, parse_loss(text, dict(constants)))
    _, name, arguments, fed = definition
    arguments = dict(arguments)
    if "pos_weight" in arguments:
        arguments["pos_weight"] = torch.tensor(arguments["pos_weight"])
    cls = getattr(torch.nn, name)
    return ModuleLoss(f"{name}({fed}, y)", cls(**arguments), cls(**arguments | {"reduction": "none"}), fed)


def build_optimizer(definition: list, lr: float, parameters) -> Adam | torch.optim.Optimizer:
    name, arguments = definition
    cls = Adam if name == "Adam" else getattr(torch.optim, name)
    return cls(parameters, lr=lr, **dict(arguments))
