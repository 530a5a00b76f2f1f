"""The ways of computing the same thing faster; train.py would be right without them.

Gains are of the 200 epochs of one variant of the default config, one thread, measured by
`python tests/benchmarks/benchmark.py tricks`, each against all the others being in place.
"""

import ctypes
import sys

import torch
from torch.optim.adam import adam


def keep_memory() -> None:
    """Let glibc keep what an epoch frees for the next one.

    By default it hands each 3 MB temporary back to the kernel, which zeroes it anew: GAIN_MEMORY.
    Elsewhere (macOS, Windows, musl) there is nothing to do.
    """
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None)
    if hasattr(libc, "gnu_get_libc_version"):
        m_trim_threshold, m_mmap_threshold = -1, -3  # malloc.h
        libc.mallopt(m_mmap_threshold, 1 << 30)
        libc.mallopt(m_trim_threshold, (1 << 31) - 1)


def pack(x: torch.Tensor) -> torch.Tensor:
    """x (n, inputs) in oneDNN's layout, once instead of in every epoch: GAIN_PACK.

    Where there is no oneDNN (macOS on Arm), x itself.
    """
    return x.to_mkldnn() if torch.backends.mkldnn.is_available() else x


class Adam:
    """torch.optim.Adam by its functional form, the same bytes: constructing the class imports torch._dynamo, GAIN_ADAM.

    D. P. Kingma, J. Ba: Adam, a method for stochastic optimization. ICLR 2015.
    """

    def __init__(self, parameters, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, amsgrad=False):
        self.parameters = list(parameters)
        self.settings = {"lr": lr, "beta1": betas[0], "beta2": betas[1], "eps": eps, "weight_decay": weight_decay}
        self.settings |= {"amsgrad": amsgrad, "maximize": False, "foreach": False}
        self.steps = [torch.tensor(0.0) for _ in self.parameters]
        self.means, self.squares, self.largest = (
            [torch.zeros_like(parameter) for parameter in self.parameters] for _ in range(3)
        )

    def zero_grad(self) -> None:
        for parameter in self.parameters:
            parameter.grad = None

    @torch.no_grad()
    def step(self) -> None:
        # A parameter that the loss does not reach has no gradient, and stays.
        at = [place for place, parameter in enumerate(self.parameters) if parameter.grad is not None]
        lists = (self.parameters, [parameter.grad for parameter in self.parameters])
        lists += (self.means, self.squares, self.largest, self.steps)
        adam(*([values[place] for place in at] for values in lists), **self.settings)
