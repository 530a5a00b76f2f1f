"""The ways of computing the same thing faster; train.py would be right without them.

Gains are of a process that trains 200 epochs of one variant, one thread, with all the others in place, measured by
`python tests/benchmarks/benchmark.py tricks` on an AMD EPYC (Zen 4). One more is in common/startup.py.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch.optim.adam import adam

BLOCK = 1024  # images; their gradients are 256 KB for 64 hidden units


class Pixels:
    """x (n, inputs), float32, ready for the first layer's products, which are nearly all the work of an epoch.

    An image is a bag of its lit pixels. x is a background, the commonest value of each pixel, and what is left of an
    image beyond it: 17 % of MNIST's zeros and ones, whatever the normalization. torch's embedding bag sums the weights
    of those alone: 55 %. The weights' gradient is the sum over the images in which a pixel is lit, a block of images
    at a time whose gradients the processor's cache holds: 6 %.
    """

    def __init__(self, x: torch.Tensor, background: torch.Tensor):
        self.background = background
        # A last pixel, lit in every image, stands for the bias.
        lit = torch.cat([x - background, torch.ones(len(x), 1)], dim=1)
        self.pixels_of_images = Bags.of(lit)
        self.images_of_pixels = [Bags.of(block.t().contiguous()) for block in lit.split(BLOCK)]

    def linear(self, weight: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        """torch.nn.functional.linear(x, weight, bias), up to the last bits; NaN or infinite where that is either."""
        # In float64: an error in here would be the same for all images, and cancel in no sum over them.
        last = (bias.double() + weight.double() @ self.background.double()).float()
        return _Products.apply(torch.cat([weight.t(), last.unsqueeze(0)]), self)


@dataclass(frozen=True)
class Bags:
    """A matrix (rows, columns) by its nonzero values and their columns, row by row; each row begins at its start."""

    column: torch.Tensor
    start: torch.Tensor
    value: torch.Tensor

    @classmethod
    def of(cls, matrix: torch.Tensor) -> "Bags":
        """By numpy: matrix.to_sparse_csr() takes twice as long."""
        values = matrix.numpy()
        is_lit = values != 0
        place = np.flatnonzero(is_lit)
        start = np.append(0, np.count_nonzero(is_lit, axis=1).cumsum())
        parts = (place % values.shape[1]).astype(np.int32), start.astype(np.int32), values.ravel()[place]
        return cls(*map(torch.from_numpy, parts))

    def times(self, table: torch.Tensor) -> torch.Tensor:
        """The matrix times table (columns, width): (rows, width)."""
        return torch.nn.functional.embedding_bag(
            self.column, table, self.start, mode="sum", per_sample_weights=self.value, include_last_offset=True
        )


class _Products(torch.autograd.Function):
    @staticmethod
    def forward(context, table, pixels):
        context.pixels = pixels
        return pixels.pixels_of_images.times(table)

    @staticmethod
    def backward(context, gradient):
        parts = zip(context.pixels.images_of_pixels, gradient.contiguous().split(BLOCK), strict=True)
        return sum(images.times(part) for images, part in parts), None


def pack(x: torch.Tensor) -> Pixels | torch.Tensor:
    """Pixels of x, or x itself where that is not faster: on other processors than x86-64's, whose kernels torch brings
    along, and where a third of x is lit. (Of networks, only one with a single unit first would rather have x itself.)
    """
    if torch.backends.cpu.get_cpu_capability() not in ("AVX2", "AVX512"):
        return x
    some = x[:: -(-len(x) // 300)]
    background = background_of(some)
    return Pixels(x, background) if 0 < (some != background).float().mean() < 1 / 3 else x


def background_of(x: torch.Tensor) -> torch.Tensor:
    """The commonest value of each pixel, (inputs,); 0, which takes nothing from the pixel's other values, where their
    difference from the commonest would drown them: where that is much larger than they, or not finite."""
    commonest = x.mode(dim=0).values
    is_lit = x != commonest
    largest = torch.where(is_lit, x.abs(), 0).amax(dim=0)
    keeps = commonest.isfinite() & (~is_lit.any(dim=0) | (commonest.abs() <= 2 * largest))
    return torch.where(keeps, commonest, 0)


class Adam:
    """torch.optim.Adam by its functional form, the same bytes: constructing the class imports torch._dynamo: 20 %.

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
