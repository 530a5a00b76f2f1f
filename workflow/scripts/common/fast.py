"""The ways of computing the same thing faster; train.py would be right without them.

Gains are of the 200 epochs of one variant of the default config, one thread, with all the others in place, measured by
`python tests/benchmarks/benchmark.py tricks` on an Intel Xeon at 2.8 GHz.
"""

import ctypes
import sys

import torch
from torch.optim.adam import adam


def keep_memory() -> None:
    """Let glibc keep what an epoch frees for the next one.

    By default it may hand each 3 MB temporary back to the kernel, which zeroes it anew. Whether it does depends on what
    was freed before: from nothing (where this was measured) to a third of the loop (AMD EPYC, 5.1 s against 3.5 s).
    Elsewhere (macOS, Windows, musl) there is nothing to do.
    """
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None)
    if hasattr(libc, "gnu_get_libc_version"):
        m_trim_threshold, m_mmap_threshold = -1, -3  # malloc.h
        libc.mallopt(m_mmap_threshold, 1 << 30)
        libc.mallopt(m_trim_threshold, (1 << 31) - 1)


class Pixels:
    """x (n, inputs), float32, ready for the first layer's products, which are nearly all the work of an epoch.

    In oneDNN's layout once instead of in every epoch, and transposed as well, so that the weights' gradient is a
    forward product too: 21 %. Without the pixels that are 0 in every image (a fifth of MNIST's zeros and ones,
    as long as the normalization leaves them 0), whose weights no gradient reaches: 11 %.
    """

    def __init__(self, x: torch.Tensor):
        self.columns = (x != 0).any(0).nonzero().flatten()
        used = x[:, self.columns]
        self.rows, self.transposed = used.to_mkldnn(), used.t().contiguous().to_mkldnn()

    def linear(self, weight: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        """torch.nn.functional.linear(x, weight, bias), up to the last bits."""
        return _Linear.apply(weight[:, self.columns], bias, self)


class _Linear(torch.autograd.Function):
    @staticmethod
    def forward(context, weight, bias, pixels):
        context.pixels = pixels
        return torch.nn.functional.linear(pixels.rows, weight, bias).to_dense()

    @staticmethod
    def backward(context, gradient):
        turned = torch.nn.functional.linear(context.pixels.transposed, gradient.t().contiguous())
        return turned.to_dense().t(), gradient.sum(0), None


def pack(x: torch.Tensor) -> Pixels | torch.Tensor:
    """Pixels of x; x itself where there is no oneDNN (macOS on Arm), or nothing but zeros."""
    return Pixels(x) if torch.backends.mkldnn.is_available() and x.any() else x


class Adam:
    """torch.optim.Adam by its functional form, the same bytes: constructing the class imports torch._dynamo, 1.0 s.

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
