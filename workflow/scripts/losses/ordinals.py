"""All float32 numbers in order: the ordinal of 0.0 is 0, of -0.0 it is -1, and of the next larger number 1 more."""

import numpy as np
import torch

OCTAVE = 2**23  # float32 numbers from one power of two to the next


def logits_at(ordinals: np.ndarray) -> torch.Tensor:
    """float32, of the shape of the ordinals, which are int64."""
    bits = np.where(ordinals >= 0, ordinals, ~(ordinals + 2**31))
    return torch.from_numpy(bits.astype(np.int32).view(np.float32))


def logit_at(ordinal: int) -> float:
    return logits_at(np.array([ordinal])).item()


def ordinal_of(logit: float) -> int:
    """Of a logit, rounded to float32."""
    bits = int(np.array(logit, np.float32).view(np.int32))
    return bits if bits >= 0 else -1 - (bits & 0x7FFFFFFF)
