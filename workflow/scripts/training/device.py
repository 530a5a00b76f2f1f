"""Where a network is trained: on the CPU, or on an accelerator, whose products and sums have other last bits."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from common.errors import UserError


def available() -> list[str]:
    """The devices of this machine that torch can train on, the CPU first."""
    accelerators = {"cuda": torch.cuda.is_available, "mps": torch.backends.mps.is_available}
    return ["cpu", *(name for name, is_there in accelerators.items() if is_there())]


def chosen(asked: str) -> torch.device:
    """The device of that name; for `auto` an accelerator, the CPU where there is none. Raises UserError where there is
    no such device."""
    there = available()
    if asked == "auto":
        asked = next((name for name in there if name != "cpu"), "cpu")
    if asked not in there:
        raise UserError(f"device: found {asked}, expected one of: {', '.join(there)}")
    return torch.device(asked)


def name_of(device: torch.device) -> str:
    """Its name, and that of the accelerator where torch knows it."""
    return f"cuda ({torch.cuda.get_device_name(device)})" if device.type == "cuda" else device.type


@contextmanager
def kept_random_state(device: torch.device) -> Iterator[None]:
    """What is drawn in here, on this device or the CPU, is not missing outside."""
    accelerator = None if device.type == "cpu" else getattr(torch, device.type, None)
    state = accelerator and accelerator.get_rng_state()
    try:
        with torch.random.fork_rng(devices=[]):
            yield
    finally:
        if accelerator:
            accelerator.set_rng_state(state)
