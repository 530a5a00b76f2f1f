"""The optimizer of a variant: one of torch.optim's."""

import torch

from training.fast import Adam


def build_optimizer(definition: list, lr: float, parameters) -> Adam | torch.optim.Optimizer:
    name, arguments = definition
    cls = Adam if name == "Adam" else getattr(torch.optim, name)
    return cls(parameters, lr=lr, **dict(arguments))
