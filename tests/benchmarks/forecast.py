"""How often a forecast of divergence holds the truth: random trainings to the end, each cut at four places and asked.

    .venv/bin/python tests/benchmarks/forecast.py [--runs N] [--seed N] [--mnist FOLDER]

Losses, digits, pixels, rates, networks and optimizers are drawn at random. On the embedded sample; with --mnist, on the
raw files in that folder.
"""

import argparse
import random
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import torch

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1] / "workflow/scripts"), str(HERE.parent)]

import download
from diagnose import data_under
from train import train

from builders.digits import extracted
from builders.training import settings
from findings.forecast import is_soon, next_divergence
from losses.sign_chart import sign_chart
from records.losses import LossChart
from training.loss import build_loss
from training.trained import Trained

LOSSES = (
    "-mean(y * log(yhat) + (1 - y) * log(1 - yhat))",
    "-sum(y * log(yhat) + (1 - y) * log(1 - yhat))",
    "mean(where(y == 1, -log(yhat), -log(1 - yhat)))",
    "mean(softplus(-(2 * y - 1) * log(yhat / (1 - yhat))))",
    "-mean(log(1 - sigmoid(-(2 * y - 1) * logits)))",
    "-mean(y * log((tanh(logits) + 1) / 2) + (1 - y) * log((1 - tanh(logits)) / 2))",
    "-mean(y * log(yhat + 1e-9) + (1 - y) * log(1 + 1e-9 - yhat))",
    "-mean(y * (1 - yhat) ** 2 * log(yhat) + (1 - y) * yhat ** 2 * log(1 - yhat))",
)
PIXELS = ("x / 255", "(x - mean) / std", "x / 25")
OPTIMIZERS = (["Adam", []], ["AdamW", []], ["RMSprop", []], ["SGD", [["momentum", 0.9]]])
CUTS = (0.3, 0.5, 0.7, 0.9)  # of the epochs that a training had, or had until it diverged
FEWEST, EPOCHS = 50, 900


@dataclass
class Score:
    """cuts: of runs that diverge later; told: of these with a range; held: whose range has the true epoch. due: that
    diverge within twice the epochs; of these, noticed: with an alarm. alarms: all; refuted: the run went on beyond the
    late end and did not diverge within twice the epochs; open: the run ended before."""

    cuts: int = 0
    told: int = 0
    held: int = 0
    due: int = 0
    noticed: int = 0
    alarms: int = 0
    refuted: int = 0
    open: int = 0

    def ask(self, chart: LossChart, run: Trained, epochs: int) -> None:
        found, truth = next_divergence(chart, cut(run, epochs)), run.diverged_epoch
        is_alarm = is_soon(found, epochs)
        is_due = truth is not None and truth <= 2 * epochs
        self.due, self.noticed, self.alarms = (
            self.due + is_due,
            self.noticed + (is_due and is_alarm),
            self.alarms + is_alarm,
        )
        if is_alarm and not is_due:
            is_over = len(run.history) > found.high
            self.refuted, self.open = self.refuted + is_over, self.open + (not is_over)
        if truth is not None:
            self.cuts += 1
            self.told += found.epoch is not None
            self.held += found.epoch is not None and found.low <= truth <= (found.high or truth)


def cut(run: Trained, epochs: int) -> Trained:
    """What a run of so many epochs would have left, as far as a forecast looks at it."""
    row = run.history[epochs]
    after = torch.tensor([[row.min_logit], [row.max_logit]])
    return Trained(**vars(run) | {"history": run.history[:epochs], "logits": after})


def main(runs: int, seed: int, raw: Path | None) -> Score:
    chosen, score = random.Random(seed), Score()
    with tempfile.TemporaryDirectory() as folder:
        source = "mnist" if raw else "sample"
        if raw is None:
            raw = Path(folder) / "raw"
            download.main("sample", [], {}, "none", 2, raw, Path(folder) / "source.json")
        for number in range(runs):
            if number % 10 == 0:  # other digits
                extracted(source, raw, chosen.sample(range(10), 2), Path(folder))
            pixels = [chosen.choice(PIXELS), []]
            optimizer, lr = chosen.choice(OPTIMIZERS), chosen.choice((0.0005, 0.001, 0.002, 0.004, 0.01))
            loss = ["formula", chosen.choice(LOSSES), []]
            of_run = settings(
                hidden=chosen.choice(([], [16], [64], [32, 16])),
                activation=[chosen.choice(("ReLU", "Tanh", "GELU", "LeakyReLU")), []],
                optimizer=optimizer,
                lr=lr * (200 if optimizer[0] == "SGD" else 1),
                epochs=EPOCHS,
                loss_definition=loss,
            )
            run = train(of_run, chosen.randrange(10**6), data_under(Path(folder) / "digits.pt", pixels))
            end = run.diverged_epoch or len(run.history) - 1
            for epochs in (round(share * end) for share in CUTS):
                if epochs >= FEWEST:
                    score.ask(sign_chart(build_loss(loss)), run, epochs)
    return score


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--mnist", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print(main(arguments.runs, arguments.seed, arguments.mnist))
