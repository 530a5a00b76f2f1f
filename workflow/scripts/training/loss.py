"""The loss of a variant: a formula that was typed, or one of torch.nn's."""

import warnings
from dataclasses import dataclass

import torch

from formulas.language import Node, evaluate
from formulas.parsing import parse_loss


@dataclass(frozen=True)
class FormulaLoss:
    """A typed loss: called with y, yhat and logits, each (n, 1), it gives the loss, (). constants: (name, value)."""

    text: str
    tree: Node
    constants: tuple[tuple[str, float], ...] = ()

    @classmethod
    def of(cls, text: str, constants: dict[str, float]) -> "FormulaLoss":
        """Raises FormulaError."""
        return cls(text, parse_loss(text, constants), tuple(constants.items()))

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


def build_loss(definition: list) -> Loss:
    """The loss that `loss_definition` describes (see experiment/definitions.py)."""
    if definition[0] == "formula":
        _, text, constants = definition
        return FormulaLoss.of(text, dict(constants))
    _, name, arguments, fed = definition
    arguments = dict(arguments)
    if "pos_weight" in arguments:
        arguments["pos_weight"] = torch.tensor(arguments["pos_weight"])
    # KLDivLoss warns in each process that its 'mean' is no 'batchmean': with one logit per image they are the same.
    warnings.filterwarnings("ignore", message="reduction: 'mean' divides the total loss")
    cls = getattr(torch.nn, name)
    return ModuleLoss(f"{name}({fed}, y)", cls(**arguments), cls(**arguments | {"reduction": "none"}), fed)
