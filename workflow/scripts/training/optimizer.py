"""The optimizer of a variant: one of torch.optim's."""

import inspect

import torch

from training.fast import Adam


def build_optimizer(definition: list, lr: float, parameters) -> Adam | torch.optim.Optimizer:
    name, arguments = definition
    cls = Adam if name == "Adam" else getattr(torch.optim, name)
    return cls(parameters, lr=lr, **dict(arguments))


def _default(name: str, argument: str):
    """Of an argument of one of torch.optim's optimizers, as its signature has it."""
    return inspect.signature(getattr(torch.optim, name)).parameters[argument].default


def at_default(name: str, argument: str) -> str:
    """without `momentum`; with `weight_decay` at its default, 0.01"""
    value = _default(name, argument)
    if not value:
        return f"without `{argument}`"
    listed = f"({', '.join(f'{one:g}' for one in value)})" if isinstance(value, tuple) else f"{value:g}"
    return f"with `{argument}` at its default, {listed}"
