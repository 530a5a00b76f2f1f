"""When a training can only repeat itself: its weights come back to what they were, or nothing moves them any more."""

import hashlib

import torch


class Repeats:
    """Watches the weights of a training, epoch by epoch.

    cycle: (epoch, period) from which on every epoch is that of `period` before, once it is known; a period of 1 is a
    training that stands still. zero_since: the first of the latest epochs in a row at whose weights every gradient was
    exactly 0; None where the latest gradient was not.
    """

    def __init__(self, network: torch.nn.Sequential, optimizer: list):
        """optimizer: [name, [[argument, value], …]], as the config has it."""
        self.parameters = list(network.parameters())
        # RReLU draws its slopes anew at each forward pass.
        is_random = any(isinstance(layer, torch.nn.RReLU) for layer in network)
        self.has_no_memory = not is_random and has_no_memory(optimizer)
        self.comes_to_rest = not is_random and comes_to_rest(optimizer)
        self.seen: dict[bytes, int] = {}
        self.zero_since: int | None = None
        self.cycle: tuple[int, int] | None = None

    def look(self, epoch: int, before: list[torch.Tensor] | None) -> None:
        """Called before the step of each epoch; before: the weights one epoch ago, None at epoch 0."""
        if self.cycle:
            return
        if self.has_no_memory:
            digest = hashlib.blake2b(digest_size=16)
            for parameter in self.parameters:
                digest.update(parameter.detach().cpu().numpy())
            first = self.seen.setdefault(digest.digest(), epoch)
            if first < epoch:
                self.cycle = first, epoch - first
        elif self.comes_to_rest and self.zero_since is not None and _equal(self.parameters, before):
            self.cycle = epoch - 1, 1

    def look_at_gradient(self, epoch: int) -> None:
        """Called after the step of each epoch, before `look` at what it left."""
        is_zero = all(parameter.grad is None or not parameter.grad.any() for parameter in self.parameters)
        if not is_zero:
            self.zero_since = None
        elif self.zero_since is None:
            self.zero_since = epoch


def _equal(some: list[torch.Tensor], others: list[torch.Tensor]) -> bool:
    return all(torch.equal(one, other) for one, other in zip(some, others, strict=True))


def has_no_memory(optimizer: list) -> bool:
    """Whether a step depends on nothing but the weights: plain SGD."""
    name, arguments = optimizer
    return name == "SGD" and not dict(arguments).get("momentum")


def comes_to_rest(optimizer: list) -> bool:
    """Whether, once a gradient of exactly 0 moved no bit of any weight, none that follows it will.

    Without a gradient these optimizers take steps that only shrink: momentum decays, and faster than what Adam and
    Adamax divide it by; the others do not move at all. Weight decay would go on.
    """
    name, arguments = optimizer
    settings = dict(arguments)
    if settings.get("weight_decay", 0.01 if name == "AdamW" else 0) or settings.get("momentum", 0) >= 1:
        return False
    match name:
        case "Adam" | "AdamW":
            first, second = settings.get("betas", (0.9, 0.999))
            return first**2 <= second
        case "Adamax":
            first, second = settings.get("betas", (0.9, 0.999))
            return first <= second
        case "RMSprop":
            return not settings.get("centered")
    return name in ("SGD", "Adagrad")
