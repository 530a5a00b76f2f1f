"""Read a .pt file that may be damaged."""

from common.startup import torch

import pickle
from pathlib import Path

from common.archives import check_archive
from common.files import damaged


def read_tensors(path: str | Path) -> dict:
    """What torch.save() put there. Raises UserError where it is damaged."""
    check_archive(path)
    try:
        found = torch.load(path, weights_only=True)
    except (AttributeError, EOFError, KeyError, OSError, RuntimeError, ValueError, pickle.UnpicklingError) as error:
        raise damaged(path, f"not what torch saved: {str(error).splitlines()[0]}") from None
    if not isinstance(found, dict):
        raise damaged(path, "not what torch saved")
    return found
