"""Train one variant with one seed: full-batch gradient descent, as the notebook has it.

Epoch e is the forward pass with the weights before step e; predictions and model.pt are those after the last step. A
loss that is not finite is a result, not an error: the job goes on and records it.
"""

from common.startup import torch

from collections.abc import Callable
from pathlib import Path

from common.errors import logged
from common.params import read_params
from training.data import read_data
from training.device import chosen
from training.ending import came_to, ended
from training.history import Row
from training.loss import build_loss
from training.network import build_network, forward
from training.observer import Observer
from training.optimizer import build_optimizer
from training.progress import progress
from training.rehearsal import rehearse
from training.trained import Trained, save


def train(settings: dict, seed: int, data: dict, tell: Callable[[int, Row], None] | None = None) -> Trained:
    """settings: those of a variant, with its name, the classes and the digest of the code. data: x_train (n, 784), the
    same packed as x_packed, y_train (n, 1), x_test (m, 784), y_test (m, 1). tell: called with each epoch and its row.

    Raises UserError where this machine has no such device, ArithmeticError where an optimizer's settings overflow.
    """
    device = chosen(settings["device"])
    # As training sees them: packed on the CPU, plain on an accelerator.
    x = data["x_packed"] if device.type == "cpu" else data["x_train"].to(device)
    y, x_test, y_test = (data[name].to(device) for name in ("y_train", "x_test", "y_test"))

    # The first weights are drawn on the CPU: the same wherever it is trained.
    network = build_network(data["x_train"].shape[1], settings["hidden"], settings["activation"], seed).to(device)
    loss_function = build_loss(settings["loss_definition"])
    optimizer = build_optimizer(settings["optimizer"], settings["lr"], network.parameters())
    observe = Observer(network, loss_function, x, y, (x_test, y_test), settings, tell)

    for epoch in range(settings["epochs"]):
        logits, yhat = forward(network, x)
        loss = loss_function(y, yhat, logits)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if observe(epoch, loss, logits, yhat):  # all later epochs would only repeat earlier ones
            break

    return ended(observe, settings, seed, optimizer)


if __name__ == "__main__":
    with logged(snakemake.log[0]) as say:
        torch.set_num_threads(snakemake.threads)
        variant, seed = snakemake.wildcards.variant, int(snakemake.wildcards.seed)
        settings = {"variant": variant, **read_params(snakemake.params)}
        data = read_data(Path(snakemake.input.normalized))
        rehearse(settings, data)
        tell = progress(f"train  {variant} {seed}", settings["epochs"], len(data["y_train"]))
        trained = train(settings, seed, data, tell)
        save(trained, dict(snakemake.output.items()))
        say(came_to(trained))
