"""Gather what is known of a seed when its training is over: state, forecast, autopsy."""

import torch

from autopsy.autopsy import autopsy
from findings.evidence import Evidence, Task, state
from findings.forecast import next_divergence
from training.loop import Run
from training.network import build_network


def gather(
    seed: int, network: torch.nn.Sequential, run: Run, test_yhat: torch.Tensor, test_loss: float, task: Task
) -> Evidence:
    """network: as the last step left it; test_yhat: (m, 1)."""
    settings, x, y = task.settings, task.data["x_packed"], task.data["y_train"]
    finished = run.diverged_epoch is None
    end = state(network, task.loss, x, y) if finished else None
    # The seed makes the same network again.
    fresh = build_network(task.data["x_train"].shape[1], settings["hidden"], settings["activation"], seed)
    return Evidence(
        task=task,
        run=run,
        start=state(fresh, task.loss, x, y),
        end=end,
        test_yhat=test_yhat,
        test_loss=test_loss,
        forecast=next_divergence(task.chart, run) if finished else None,
        autopsy=None if finished else autopsy(network, task.loss, task.data, run, settings, seed),
    )
