"""The training loop, as the notebook has it: full-batch gradient descent.

Epoch e is the forward pass with the weights before step e; what is left at the end are the weights after the last step.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import torch

from common.errors import UserError
from training.device import kept_random_state
from training.fast import Pixels
from training.history import Row, count_correct, measure
from training.loss import Loss
from training.network import forward
from training.repeats import Repeats


def descend(
    network: torch.nn.Sequential,
    optimizer: torch.optim.Optimizer,
    loss_function: Loss,
    x: Pixels | torch.Tensor,
    y: torch.Tensor,
    epochs: int,
    see: Callable[[int, torch.Tensor, torch.Tensor, torch.Tensor], bool],
) -> None:
    """Take `epochs` steps of gradient descent on x (n, 784), y (n, 1).

    see: called before each step with epoch, loss (), logits (n, 1) and yhat (n, 1); the step is not taken, and the
    training ends, where it says False. Raises UserError where the optimizer's settings overflow Python's own numbers.
    """
    for epoch in range(epochs):
        logits, yhat = forward(network, x)
        loss = loss_function(y, yhat, logits)
        if not see(epoch, loss, logits, yhat):
            break
        optimizer.zero_grad()
        loss.backward()
        try:
            optimizer.step()
        except ArithmeticError as error:  # ASGD's rate, which is a power
            name = type(optimizer).__name__
            raise UserError(f"{name} cannot take the step of epoch {epoch}: {error.args[-1]}") from None


TESTS = 6  # of a training: epochs at which the loss on the test images is kept
EVERY = 5  # epochs between counts of wrong test images: each takes a tenth of an epoch


class Tested(NamedTuple):
    """An epoch's loss on the test images, and how many of them are wrong."""

    epoch: int
    loss: float
    wrong: int


def answers(network: torch.nn.Sequential, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits and yhat of the images x (m, 784), (m, 1) each. Draws no random numbers that training would."""
    with torch.no_grad(), kept_random_state(next(network.parameters()).device):  # RReLU's, at each forward pass
        return forward(network, x)


def is_counted(epoch: int, epochs: int) -> bool:
    """Whether the wrong test images are counted at this epoch."""
    return epoch % EVERY == 0 or epoch == epochs - 1


def count_wrong(yhat: torch.Tensor, y: torch.Tensor) -> int | None:
    """How many of yhat > 0.5 disagree with y; None where any yhat is NaN."""
    correct = count_correct(yhat, y)
    return None if correct is None else len(y) - correct


@dataclass
class Run:
    """What one training leaves behind.

    history: a row per epoch. logits, yhat: those of the final weights, (n, 1). diverged_epoch: the first whose loss
    is not finite; `epochs` if every loss was finite but the last step broke the weights; else None. weights: those
    that gave the first non-finite loss. before: those of the epoch before it, None at epoch 0. broke: the logits and
    yhat of that loss, (n, 1) each. cycle, zero_since: see Repeats. tested: at some six epochs.
    """

    history: list[Row] = field(default_factory=list)
    logits: torch.Tensor | None = None
    yhat: torch.Tensor | None = None
    diverged_epoch: int | None = None
    weights: list[torch.Tensor] | None = None
    before: list[torch.Tensor] | None = None
    broke: tuple[torch.Tensor, torch.Tensor] | None = None
    cycle: tuple[int, int] | None = None
    zero_since: int | None = None
    tested: list[Tested] = field(default_factory=list)

    def last_finite_weights(self) -> list[torch.Tensor]:
        """The weights of the first non-finite loss, or the ones before if these themselves are broken."""
        broken = not all(weight.isfinite().all() for weight in self.weights)
        return self.before if broken and self.before is not None else self.weights

    def on_cpu(self) -> "Run":
        """The same, every tensor on the CPU."""

        def moved(tensors):
            return tensors and type(tensors)(tensor.cpu() for tensor in tensors)

        return replace(
            self,
            logits=self.logits.cpu(),
            yhat=self.yhat.cpu(),
            weights=moved(self.weights),
            before=moved(self.before),
            broke=moved(self.broke),
        )


def train(
    network: torch.nn.Sequential,
    optimizer: torch.optim.Optimizer,
    loss_function: Loss,
    x: Pixels | torch.Tensor,
    y: torch.Tensor,
    epochs: int,
    repeats: Repeats | None = None,
    test: tuple[torch.Tensor, torch.Tensor] | None = None,
    tell: Callable[[int, Row], None] | None = None,
) -> Run:
    """Take `epochs` steps of full-batch gradient descent on x (n, 784), y (n, 1), and keep the story.

    test: x (m, 784) and y (m, 1) of the test images. tell: called with each epoch and its row.
    Epochs that can only repeat earlier ones are not computed: their rows of history are those of the earlier ones.
    """
    parameters = list(network.parameters())
    run = Run()
    before = None
    every = -(-epochs // TESTS)

    def see(epoch: int, loss: torch.Tensor, logits: torch.Tensor, yhat: torch.Tensor) -> bool:
        nonlocal before
        with torch.no_grad():
            run.history.append(measure(loss, logits, yhat, y))
        if tell:
            tell(epoch, run.history[-1])
        if run.diverged_epoch is not None:
            # No step brings the last bias back from NaN: every logit is NaN, and every later epoch is this one again.
            # Only a unit that no image lights would still move, by the optimizer's momentum, and it shows nowhere.
            # Of the default config's epochs, a quarter.
            return not parameters[-1].isnan().all()
        if test and (is_counted(epoch, epochs) or epoch % every == 0):
            test_logits, test_yhat = answers(network, test[0])
            if is_counted(epoch, epochs):
                run.history[-1] = run.history[-1]._replace(test_wrong=count_wrong(test_yhat, test[1]))
            if epoch % every == 0:
                test_loss = loss_function(test[1], test_yhat, test_logits).item()
                run.tested.append(Tested(epoch, test_loss, int(((test_yhat > 0.5) != (test[1] == 1)).sum())))
        if repeats:
            repeats.look(epoch, before)
        weights = [parameter.detach().clone() for parameter in parameters]
        if not math.isfinite(loss.item()):
            run.diverged_epoch, run.weights, run.before = epoch, weights, before
            run.broke = logits.detach(), yhat.detach()
        before = weights
        return repeats is None or not repeats.is_over(epoch, epochs)

    descend(network, optimizer, loss_function, x, y, epochs, see)
    computed = len(run.history)
    _fill_in(run, repeats, epochs)
    if test and run.cycle and computed < epochs:
        wrong: list[int | None] = []

        def count(*_) -> bool:
            wrong.append(count_wrong(answers(network, test[0])[1], test[1]))
            return True

        # Once around, back to the very weights from which it starts.
        descend(network, optimizer, loss_function, x, y, run.cycle[1], count)
        for epoch in range(computed, epochs):
            found = wrong[(epoch - computed) % len(wrong)] if is_counted(epoch, epochs) else None
            run.history[epoch] = run.history[epoch]._replace(test_wrong=found)
    with torch.no_grad():
        run.logits, run.yhat = forward(network, x)
    if run.diverged_epoch is None and count_correct(run.yhat, y) is None:
        run.diverged_epoch, run.before, run.broke = epochs, before, (run.logits, run.yhat)
        run.weights = [parameter.detach().clone() for parameter in parameters]
    return run


def _fill_in(run: Run, repeats: Repeats | None, epochs: int) -> None:
    """The rows of the epochs that were not computed, and what the last gradient says."""
    computed = len(run.history)
    if repeats:
        if computed == epochs and not repeats.is_over(epochs - 1, epochs):
            repeats.look_at_gradient(epochs - 1)
        run.cycle, run.zero_since = repeats.cycle, repeats.zero_since
    period = run.cycle[1] if run.cycle else 1
    for _ in range(epochs - computed):
        run.history.append(run.history[-period])
