"""Arguments of torch.optim's optimizers beside their defaults."""

import inspect
import math

import torch


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


def distance_from_default(name: str, argument: str, value) -> float:
    """In powers of ten, of a share below 1 also of what is left of 1; of a default of 0, at least 3, but for a momentum
    below 1; 0 of a switch."""
    usual = _default(name, argument)
    pairs = list(zip(value, usual, strict=True)) if isinstance(usual, tuple) else [(value, usual)]
    return max(_decades(argument, *pair) for pair in pairs)


def _decades(argument: str, value: float, usual: float) -> float:
    if isinstance(value, bool) or value == usual:
        return 0.0
    if argument == "weight_decay" or (argument == "momentum" and value >= 1):
        return 100.0  # they are known to break trainings
    if not value or not usual:
        return 1.0 if argument == "momentum" else 3.0
    found = abs(math.log10(abs(value / usual)))
    return max(found, abs(math.log10((1 - value) / (1 - usual)))) if 0 < value < 1 and 0 < usual < 1 else found
