"""What is seen of a training, epoch by epoch, and when all that is left can only repeat it. It changes no weight."""

import math
import time
from collections.abc import Callable
from typing import NamedTuple

import torch

from training.device import kept_random_state
from training.fast import Pixels
from training.history import Row, count_correct, measure_epoch
from training.loss import Loss
from training.network import forward
from training.repeats import Repeats

LOOKS_EVERY = 5  # epochs between looks at the test images: each takes a tenth of an epoch


def answers(network: torch.nn.Sequential, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits and yhat of the images x (m, 784), (m, 1) each. Draws no random numbers that training would."""
    with torch.no_grad(), kept_random_state(next(network.parameters()).device):  # RReLU's, at each forward pass
        return forward(network, x)


class Look(NamedTuple):
    """At the test images, with the weights before the step of an epoch.

    wrong: how many are, None where a yhat is NaN. loss: None where it is NaN. says_one: which are called y = 1, bool
    (m, 1).
    """

    wrong: int | None
    loss: float | None
    says_one: torch.Tensor


class Observer:
    """Called after the step of each epoch.

    history: a row per epoch. diverged_epoch: the first whose loss is not finite. broke: the logits and yhat of that
    loss, (n, 1) each. weights: those that gave it, and before: those of the epoch before it, None at epoch 0; without
    such an epoch, those after the last step and before it. test_epoch, test_answers: of the epochs at which the test
    images are looked at, the first with fewest of them wrong, and which were called y = 1, bool (m, 1). start: when it
    began.
    """

    def __init__(
        self,
        network: torch.nn.Sequential,
        loss: Loss,
        x: Pixels | torch.Tensor,
        y: torch.Tensor,
        test: tuple[torch.Tensor, torch.Tensor],
        settings: dict,
        tell: Callable[[int, Row], None] | None = None,
    ):
        """x: (n, 784); y: (n, 1). test: x (m, 784) and y (m, 1). settings: of the variant. tell: see train.py."""
        self.network, self.loss, self.x, self.y, self.test, self.tell = network, loss, x, y, test, tell
        self.epochs = settings["epochs"]
        self.parameters = list(network.parameters())
        self.repeats = Repeats(network, settings["optimizer"])
        self.history: list[Row] = []
        self.diverged_epoch: int | None = None
        self.broke: tuple[torch.Tensor, torch.Tensor] | None = None
        self.weights: list[torch.Tensor] = []
        self.before: list[torch.Tensor] | None = None
        self.test_epoch, self.test_answers, self.fewest = None, None, math.inf
        self.look: Look | None = None
        self.looks_in_cycle: dict[int, Look] = {}  # by the place in it
        self.start = time.perf_counter()
        self._look_at_weights(0)

    def __call__(self, epoch: int, loss: torch.Tensor, logits: torch.Tensor, yhat: torch.Tensor) -> bool:
        """loss: (); logits, yhat: (n, 1). Whether all later epochs can only repeat earlier ones."""
        with torch.no_grad():
            self.history.append(_with(measure_epoch(loss, logits, yhat, self.y), self.look))
        if self.tell:
            self.tell(epoch, self.history[-1])
        if self.diverged_epoch is None:
            self.repeats.look_at_gradient(epoch)
            if not math.isfinite(loss.item()):
                self.diverged_epoch, self.broke = epoch, (logits.detach(), yhat.detach())
        if self.diverged_epoch is None:
            self._look_at_weights(epoch + 1)
            return self._is_over(epoch + 1)
        self.look = None
        return self._is_lost(epoch + 1)

    def _is_lost(self, epoch: int) -> bool:
        """Whether the last bias is NaN, from which no step brings it back: every logit is NaN, and from this epoch on
        all are the same. Only a unit that no image lights would still move, by the optimizer's momentum, and it shows
        nowhere."""
        if not self.parameters[-1].isnan().all():
            return False
        if epoch < self.epochs:
            with torch.no_grad():
                logits, yhat = forward(self.network, self.x)
                self.history.append(measure_epoch(self.loss(self.y, yhat, logits), logits, yhat, self.y))
        return True

    def _look_at_weights(self, epoch: int) -> None:
        """At those with which an epoch begins, or which the last one left."""
        self.before, self.weights = self.weights or None, [one.detach().clone() for one in self.parameters]
        self.repeats.look(epoch, self.before)
        self.look = self._look_at_test_images(epoch) if epoch < self.epochs else None

    def _look_at_test_images(self, epoch: int) -> Look | None:
        """With the weights before that epoch's step; None where it is not one at which they are looked at."""
        is_due, cycle = self._is_due(epoch), self.repeats.cycle
        if not (is_due or cycle):
            return None
        x, y = self.test
        logits, yhat = answers(self.network, x)
        correct, loss = count_correct(yhat, y), self.loss(y, yhat, logits).item()
        wrong = None if correct is None else len(y) - correct
        look = Look(wrong, None if math.isnan(loss) else loss, yhat > 0.5)
        if cycle:
            self.looks_in_cycle[epoch % cycle[1]] = look
        if not is_due:
            return None
        self._keep_fewest(epoch, look)
        return look

    def _keep_fewest(self, epoch: int, look: Look) -> None:
        if look.wrong is not None and look.wrong < self.fewest:
            self.test_epoch, self.test_answers, self.fewest = epoch, look.says_one.cpu(), look.wrong

    def _is_due(self, epoch: int) -> bool:
        return epoch % LOOKS_EVERY == 0 or epoch == self.epochs - 1

    def _is_over(self, epoch: int) -> bool:
        """Whether the weights with which this epoch begins are those after the last step, and the test images of
        the whole cycle were looked at."""
        cycle = self.repeats.cycle
        return cycle is not None and len(self.looks_in_cycle) == cycle[1] and (self.epochs - epoch) % cycle[1] == 0

    def fill_in(self) -> None:
        """The rows of the epochs that were not computed, which may be the first with fewest wrong test images."""
        cycle = self.repeats.cycle if self.diverged_epoch is None else None
        for epoch in range(len(self.history), self.epochs):
            row, look = self.history[epoch - (cycle[1] if cycle else 1)], None
            if cycle and self._is_due(epoch):
                look = self.looks_in_cycle[epoch % cycle[1]]
                self._keep_fewest(epoch, look)
            self.history.append(_with(row, look))


def _with(row: Row, look: Look | None) -> Row:
    return row._replace(test_wrong=look and look.wrong, test_loss=look and look.loss)
