"""What is seen of a training, epoch by epoch, and when all that is left can only repeat it. It changes no weight."""

import math
import time
from collections.abc import Callable

import torch

from records.strict import number
from records.training import Tested
from training.device import kept_random_state
from training.fast import Pixels
from training.history import Row, count_correct, measure_epoch
from training.loss import Loss
from training.network import forward
from training.repeats import Repeats

TESTS = 6  # of a training: epochs at which the loss on the test images is kept
COUNTED_EVERY = 5  # epochs between counts of wrong test images: each takes a tenth of an epoch


def answers(network: torch.nn.Sequential, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits and yhat of the images x (m, 784), (m, 1) each. Draws no random numbers that training would."""
    with torch.no_grad(), kept_random_state(next(network.parameters()).device):  # RReLU's, at each forward pass
        return forward(network, x)


class Observer:
    """Called after the step of each epoch.

    history: a row per epoch. diverged_epoch: the first whose loss is not finite. broke: the logits and yhat of that
    loss, (n, 1) each. weights: those that gave it, and before: those of the epoch before it, None at epoch 0; without
    such an epoch, those after the last step and before it. tested: at some six epochs. test_epoch, test_answers: the
    first epoch with fewest wrong test images, and which of these were called y = 1, bool (m, 1). start: when it began.
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
        self.tested: list[Tested] = []
        self.test_epoch, self.test_answers, self.fewest = None, None, math.inf
        # Wrong test images, and the answers to all, by the place in the cycle.
        self.test_in_cycle: dict[int, tuple[int | None, torch.Tensor]] = {}
        self.start = time.perf_counter()
        self._look_at_weights(0)

    def __call__(self, epoch: int, loss: torch.Tensor, logits: torch.Tensor, yhat: torch.Tensor) -> bool:
        """loss: (); logits, yhat: (n, 1). Whether all later epochs can only repeat earlier ones."""
        with torch.no_grad():
            self.history.append(measure_epoch(loss, logits, yhat, self.y)._replace(test_wrong=self.test_wrong))
        if self.tell:
            self.tell(epoch, self.history[-1])
        if self.diverged_epoch is None:
            self.repeats.look_at_gradient(epoch)
            if not math.isfinite(loss.item()):
                self.diverged_epoch, self.broke = epoch, (logits.detach(), yhat.detach())
        if self.diverged_epoch is None:
            self._look_at_weights(epoch + 1)
            return self._is_over(epoch + 1)
        self.test_wrong = None
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
        self.test_wrong = self._wrong_test_images(epoch) if epoch < self.epochs else None

    def _wrong_test_images(self, epoch: int) -> int | None:
        """Of the weights before that epoch's step; None where a ŷ is NaN, or they are not counted at this epoch."""
        is_counted, is_tested = self._is_counted(epoch), epoch % -(-self.epochs // TESTS) == 0
        cycle = self.repeats.cycle
        if not (is_counted or is_tested or cycle):
            return None
        x, y = self.test
        logits, yhat = answers(self.network, x)
        says_one = yhat > 0.5
        correct = count_correct(yhat, y)
        wrong = None if correct is None else len(y) - correct
        if cycle:
            self.test_in_cycle[epoch % cycle[1]] = wrong, says_one
        if is_tested:
            loss = self.loss(y, yhat, logits).item()
            self.tested.append(Tested(epoch=epoch, loss=number(loss), wrong=int((says_one != (y == 1)).sum())))
        if is_counted:
            self._keep_fewest(epoch, wrong, says_one)
        return wrong if is_counted else None

    def _keep_fewest(self, epoch: int, wrong: int | None, says_one: torch.Tensor) -> None:
        if wrong is not None and wrong < self.fewest:
            self.test_epoch, self.test_answers, self.fewest = epoch, says_one.cpu(), wrong

    def _is_counted(self, epoch: int) -> bool:
        return epoch % COUNTED_EVERY == 0 or epoch == self.epochs - 1

    def _is_over(self, epoch: int) -> bool:
        """Whether the weights with which this epoch begins are those after the last step, and the wrong test images of
        the whole cycle were counted."""
        cycle = self.repeats.cycle
        return cycle is not None and len(self.test_in_cycle) == cycle[1] and (self.epochs - epoch) % cycle[1] == 0

    def fill_in(self) -> None:
        """The rows of the epochs that were not computed, which may be the first with fewest wrong test images."""
        cycle = self.repeats.cycle if self.diverged_epoch is None else None
        for epoch in range(len(self.history), self.epochs):
            row, wrong = self.history[epoch - (cycle[1] if cycle else 1)], None
            if cycle and self._is_counted(epoch):
                wrong, says_one = self.test_in_cycle[epoch % cycle[1]]
                self._keep_fewest(epoch, wrong, says_one)
            self.history.append(row._replace(test_wrong=wrong))
