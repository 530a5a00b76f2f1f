"""One training of the pipeline, as its train job does it, in a process of its own.

    python loop.py NORMALIZED.pt THREADS SETTINGS_JSON [TRICK_TO_LEAVE_OUT]

Prints the seconds of the training loop, with the packing of its pixels.
"""

import json
import sys
import time
from pathlib import Path
from types import SimpleNamespace

sys.path.append(str(Path(__file__).resolve().parents[2] / "workflow/scripts"))
normalized, threads, settings, *left_out = sys.argv[1:]
without = left_out[0] if left_out else None

if without == "startup":
    import torch

    sys.modules["common.startup"] = SimpleNamespace(torch=torch)
else:
    from common.startup import torch

import train

from training import fast, optimizer

if without == "bags":
    train.pack = lambda x: x
elif without == "blocks":
    fast.BLOCK = 1 << 30
elif without == "Adam":
    optimizer.Adam = torch.optim.Adam

torch.set_num_threads(int(threads))
data = torch.load(normalized, weights_only=True)
packing = time.perf_counter()
data["x_packed"] = train.pack(data["x_train"])
packing = time.perf_counter() - packing
outcome = train.train_seed(12345, json.loads(settings), data).outcome
print(packing + outcome.seconds)
