"""One training of the pipeline, as its jobs train and diagnose a model, in a process of its own.

    python loop.py NORMALIZED.pt THREADS SETTINGS_JSON [TRICK_TO_LEAVE_OUT]

Prints the seconds of the training loop, and of the training with all that is found out about it, both with the packing
of its pixels. Without `diagnosis`, both are those of the loop and of its rows of history.
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

from train import train

from findings.judging import judged
from findings.task import task
from training import data, fast, optimizer
from training.history import Row, measure_epoch
from training.loss import build_loss
from training.network import build_network, forward

SEED = 12345


def undiagnosed(chosen: dict, parts: dict) -> list[Row]:
    """The loop of train.py, of which only history is seen."""
    network = build_network(parts["x_train"].shape[1], chosen["hidden"], chosen["activation"], SEED)
    loss_function = build_loss(chosen["loss_definition"])
    steps = optimizer.build_optimizer(chosen["optimizer"], chosen["lr"], network.parameters())
    x, y, rows = parts["x_packed"], parts["y_train"], []
    for _ in range(chosen["epochs"]):
        logits, yhat = forward(network, x)
        loss = loss_function(y, yhat, logits)
        with torch.no_grad():
            rows.append(measure_epoch(loss, logits, yhat, y))
        steps.zero_grad()
        loss.backward()
        steps.step()
    return rows


if without == "bags":
    data.pack = lambda x: x
elif without == "blocks":
    fast.BLOCK = 1 << 30
elif without == "Adam":
    optimizer.Adam = torch.optim.Adam

torch.set_num_threads(int(threads))
chosen = json.loads(settings) | {"classes": [0, 1], "variant": "one", "code": "0123456789"}
tensors = torch.load(normalized, weights_only=True)
start = time.perf_counter()
parts = data.packed(tensors)
packing = time.perf_counter() - start
start = time.perf_counter()
if without == "diagnosis":
    undiagnosed(chosen, parts)
    seconds = whole = time.perf_counter() - start
else:
    model = train(chosen, SEED, parts)
    seconds = model.record.seconds
    judged(model, task(chosen, parts), train)
    whole = time.perf_counter() - start
print(packing + seconds, packing + whole)
