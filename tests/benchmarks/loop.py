"""One training of the pipeline, as its train job does it, in a process of its own.

    python loop.py NORMALIZED.pt THREADS SETTINGS_JSON [TRICK_TO_LEAVE_OUT]

Prints the seconds of the training loop, and of the training with all that is found out about it, both with the packing
of its pixels.
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

from training import fast, loop, loss, network, optimizer

if without == "bags":
    train.pack = lambda x: x
elif without == "blocks":
    fast.BLOCK = 1 << 30
elif without == "Adam":
    optimizer.Adam = torch.optim.Adam

torch.set_num_threads(int(threads))
chosen = json.loads(settings) | {"classes": [0, 1], "trials": 0, "variant": "one"}
data = torch.load(normalized, weights_only=True)
start = time.perf_counter()
data["x_packed"] = train.pack(data["x_train"])
packing = time.perf_counter() - start
if without == "diagnosis":
    net = network.build_network(data["x_train"].shape[1], chosen["hidden"], chosen["activation"], 12345)
    step = optimizer.build_optimizer(chosen["optimizer"], chosen["lr"], net.parameters())
    function = loss.build_loss(chosen["loss_definition"])
    start = time.perf_counter()
    loop.train(net, step, function, data["x_packed"], data["y_train"], chosen["epochs"])
    seconds = whole = time.perf_counter() - start
else:
    start = time.perf_counter()
    seconds = train.train_seed(12345, train.task(chosen, data)).outcome.seconds
    whole = time.perf_counter() - start
print(packing + seconds, packing + whole)
