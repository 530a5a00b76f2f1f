"""Facts about the pixels that a network is given, whatever it is and however it is trained."""

from dataclasses import dataclass

import torch

STRIDE = 13  # of the pixels by which most images are told apart already
FAR = 1.0  # of the training pixels' range: what lies farther outside than the range is wide


@dataclass(frozen=True)
class PixelFacts:
    """Normalized images, looked at once for all seeds of a variant.

    n: training images of y = 0 and y = 1. equal: the classes (0, 1) whose training images are all the same; all_equal:
    whether those of both are. conflicting: how many training images equal one of the other class. most_right: how many
    training images a function of the pixels can get right. test_broken, test_far: how many test images have a pixel
    that is not finite, or farther outside the range of all training pixels than that range is wide; odd_pixels: which
    pixels that is.
    """

    n: tuple[int, int]
    equal: list[int]
    all_equal: bool
    conflicting: int
    most_right: int
    test_broken: int
    test_far: int
    odd_pixels: list[int]


def look(x: torch.Tensor, y: torch.Tensor, x_test: torch.Tensor) -> PixelFacts:
    """x (n, 784) and y (n, 1) of the training images, x_test (m, 784)."""
    counts = _copies(x, y)
    low, high = x.min(), x.max()
    reach = FAR * (high - low)
    broken = far = torch.zeros(1, 1, dtype=torch.bool)
    if not (low - reach <= x_test.min() and x_test.max() <= high + reach):  # mostly, and where none is NaN, they do
        broken = ~x_test.isfinite()
        far = torch.maximum(low - x_test, x_test - high) > reach
    return PixelFacts(
        n=tuple(sum(pair[label] for pair in counts) for label in (0, 1)),
        equal=[label for label in (0, 1) if sum(pair[label] > 0 for pair in counts) == 1],
        all_equal=len(counts) == 1,
        conflicting=sum(sum(pair) for pair in counts if all(pair)),
        most_right=sum(map(max, counts)),
        test_broken=int(broken.any(1).sum()),
        test_far=int(far.any(1).sum()),
        odd_pixels=(broken | far).any(0).nonzero().flatten().tolist(),
    )


def _copies(x: torch.Tensor, y: torch.Tensor) -> list[list[int]]:
    """How often each different image stands there with y = 0 and with y = 1."""
    labels = y.flatten().int().tolist()
    alike: dict[bytes, list[int]] = {}
    for place, some in enumerate(_bytes(x[:, ::STRIDE])):
        alike.setdefault(some, []).append(place)
    counts: dict[bytes | int, list[int]] = {}
    for places in alike.values():
        # Of images that differ in some pixels, the others need not be looked at.
        whole = _bytes(x[places]) if len(places) > 1 else places
        for place, image in zip(places, whole, strict=True):
            counts.setdefault(image, [0, 0])[labels[place]] += 1
    return list(counts.values())


def _bytes(x: torch.Tensor) -> list[bytes]:
    """Of each row; what is equal has equal bytes, once -0 is 0."""
    return [row.tobytes() for row in (x + 0.0).numpy()]
