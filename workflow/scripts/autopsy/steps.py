"""What an optimizer's own arithmetic did to the weights, where loss and gradient were finite."""

from collections.abc import Callable
from dataclasses import dataclass

import torch

from autopsy.words import quote
from common.english import counted
from training.fast import Adam


@dataclass(frozen=True)
class Division:
    """What an optimizer divides a step by, in words, and `decisive`: what it takes the square root of, if it does."""

    text: str
    root_of: str | None
    decisive: torch.Tensor
    eps: float


def growth(settings: dict) -> tuple[str, float, str] | None:
    """(cause, factor, why) where each step multiplies the weights, or the step before, by a factor beyond 1."""
    name, arguments = settings["optimizer"]
    arguments = dict(arguments)
    rate = settings["lr"] * arguments.get("weight_decay", 0)
    if name in ("SGD", "AdamW") and rate > 2:
        why = f"lr · weight_decay is {rate:.4g}, so that each step multiplies the weights by −{rate - 1:.4g}"
        return "decay", 1 - rate, why
    momentum = arguments.get("momentum", 0)
    if momentum >= 1:
        why = f"momentum is {momentum:g}, so that steps {'add up' if momentum == 1 else 'grow'} for ever"
        return "momentum", momentum, why
    return None


def broken_by_optimizer(settings: dict, seed: int, data: dict, steps: int, train: Callable) -> str | None:
    """Why the last of `steps` steps gave weights that are not finite; None where no division or root of the optimizer's
    own is to blame. The training is done again up to there, for what the optimizer then held.

    settings, data, train: see train.py.
    """
    trained = train(settings | {"epochs": steps, "device": "cpu"}, seed, data)
    broken = {called: ~weights.isfinite() for called, weights in trained.weights.items()}
    if not any(bad.any() for bad in broken.values()):  # it was trained on an accelerator
        return None
    called, place = next((called, place) for place, (called, bad) in enumerate(broken.items()) if bad.any())
    division = _division(settings["optimizer"], _state(trained.optimizer, place))
    if division is None:
        return None
    where = broken[called].nonzero()[0].tolist()
    value = division.decisive[tuple(where)].item()
    name, _ = settings["optimizer"]
    count = counted(sum(int(bad.sum()) for bad in broken.values()), "weight")
    example = f"for {count}, the first of them {called}{where}"
    if value < 0:
        return f"{name} takes the square root of {quote(division.root_of)}, which was {value:.3g} {example}: it is NaN"
    if value == 0 and division.eps == 0:
        return f"{name} divides by {quote(division.text)}, which was exactly 0 {example}; its eps is 0"
    return None


def _state(optimizer, place: int) -> dict:
    if isinstance(optimizer, Adam):
        return {"exp_avg_sq": optimizer.squares[place]}
    return optimizer.state[optimizer.param_groups[0]["params"][place]]


def _division(optimizer: list, state: dict) -> Division | None:
    name, arguments = optimizer
    eps = dict(arguments).get("eps", 1e-8)
    match name:
        case "Adam" | "AdamW" | "NAdam" | "RAdam":
            return Division("sqrt(exp_avg_sq) + eps", "exp_avg_sq", state["exp_avg_sq"], eps)
        case "Adamax":
            return Division("exp_inf", None, state["exp_inf"], eps)
        case "Adagrad":
            return Division("sqrt(sum) + eps", "sum", state["sum"], eps)
        case "Adadelta":
            return Division("sqrt(square_avg + eps)", "square_avg", state["square_avg"], eps)
        case "RMSprop" if dict(arguments).get("centered"):
            # As torch computes it, in one rounding.
            mean, text = state["grad_avg"], "square_avg - grad_avg ** 2"
            return Division(f"sqrt({text}) + eps", text, state["square_avg"].addcmul(mean, mean, value=-1), eps)
        case "RMSprop":
            return Division("sqrt(square_avg) + eps", "square_avg", state["square_avg"], eps)
    return None
