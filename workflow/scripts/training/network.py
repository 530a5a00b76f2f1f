"""The network of a variant, and its forward pass."""

import torch

from training.fast import Pixels


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
    """logits and yhat, each (n, 1), of x (n, inputs), packed (see training/fast.py) or plain.

    The last bits of a product depend on the way it is computed: whoever asks what training saw must ask with packed x.
    """
    layer = network[0]
    logits = network[1:-1](x.linear(layer.weight, layer.bias) if isinstance(x, Pixels) else layer(x))
    return logits, network[-1](logits)
