"""What another training of the same images gains and loses, and whether that is more than luck."""

from dataclasses import dataclass

import torch

from comparing.statistics import BEYOND_LUCK, SIGNIFICANT, mcnemar


@dataclass(frozen=True)
class Gains:
    """gained, lost: how many images only the second of two models gets right, and only the first."""

    gained: int
    lost: int

    @property
    def p_value(self) -> float:
        """Of McNemar's exact test."""
        return mcnemar(self.gained, self.lost)

    @property
    def is_gain(self) -> bool:
        return self.gained > self.lost and self.p_value < BEYOND_LUCK

    @property
    def is_loss(self) -> bool:
        return self.lost > self.gained and self.p_value < SIGNIFICANT


def gains(before: torch.Tensor, after: torch.Tensor) -> Gains:
    """before, after: which images are right, bool (n, 1)."""
    return Gains(int((after & ~before).sum()), int((before & ~after).sum()))
