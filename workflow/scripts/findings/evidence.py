"""What findings are made from: one more forward and backward pass through a trained network, and one at its start."""

import math
from dataclasses import dataclass

import torch

from comparing.statistics import SIGNIFICANT, at_least
from findings.task import Task
from losses.constant import ROUNDING
from records.metrics import Autopsy, Forecast
from training.fast import Pixels as Packed
from training.network import build_network
from training.trained import Trained


@dataclass(frozen=True)
class State:
    """A network at some weights, on all training images.

    weights: of every parameter; layers: (units, inputs), those of each Linear among them. logits, yhat: (n, 1). loss:
    as training computes it. pull: the loss's gradient with respect to each logit, (n, 1). dead: per hidden layer, bool
    (units,), where the activation's derivative is exactly 0 for every image.
    """

    weights: list[torch.Tensor]
    layers: list[torch.Tensor]
    logits: torch.Tensor
    yhat: torch.Tensor
    loss: float
    pull: torch.Tensor
    dead: list[torch.Tensor]

    def wrong(self, y: torch.Tensor) -> torch.Tensor:
        """bool (n, 1): the images on the wrong side."""
        return (self.yhat > 0.5) != (y == 1)


@dataclass(frozen=True)
class Retrained:
    """The same training with a change, in full.

    ways: of changing, of cures/changes.py. settings: those that were trained with. fails: whether it fails; right,
    test_right: which images are right in the end, bool (n, 1) and (m, 1).
    """

    ways: tuple[str, ...]
    settings: dict
    fails: bool
    right: torch.Tensor
    test_right: torch.Tensor


@dataclass(frozen=True)
class Evidence:
    """All that is known of a model.

    start, end: before the first step, after the last; end is None where it diverged. first_gradients: of the loss with
    respect to each parameter before the first step, zeros where it does not reach one. forecast, autopsy: of the
    outcome. retrained: what was tried to mend it.
    """

    task: Task
    trained: Trained
    start: State
    first_gradients: list[torch.Tensor]
    end: State | None
    forecast: Forecast | None
    autopsy: Autopsy | None
    retrained: tuple[Retrained, ...] = ()

    @property
    def y(self) -> torch.Tensor:
        return self.task.data["y_train"]

    @property
    def test_yhat(self) -> torch.Tensor:
        """(m, 1), of the final weights."""
        return self.trained.test_yhat

    @property
    def right_test_images(self) -> torch.Tensor:
        """bool (m, 1): those on the right side in the end."""
        return (self.test_yhat > 0.5) == (self.task.data["y_test"] == 1)

    @property
    def has_plain_steps(self) -> bool:
        """Whether the first step is the learning rate times the gradient, and the others grow in proportion to it."""
        name, arguments = self.task.settings["optimizer"]
        return name == "SGD" and not {"weight_decay", "nesterov"} & {key for key, value in arguments if value}

    @property
    def is_dead_at_start(self) -> bool:
        """Whether all units of a hidden layer are dead before the first step."""
        return any(bool(units.all()) for units in self.start.dead)

    @property
    def has_learned_nothing(self) -> bool:
        return self.end is not None and self.avoids < 0.1

    @property
    def wrong(self) -> torch.Tensor:
        """bool (n, 1): the images on the wrong side in the end."""
        return self.end.wrong(self.y)

    @property
    def right(self) -> int:
        return len(self.y) - int(self.wrong.sum())

    @property
    def test_right(self) -> int | None:
        """None where a ŷ is NaN."""
        return self.trained.record.test_correct

    @property
    def avoids(self) -> float:
        """Of the errors that always naming the larger class of the training images makes, the share that is avoided: 1
        is perfect, 0 is guessing."""
        return _avoided(len(self.y) - self.right, self.task.pixels.n)

    @property
    def test_avoids(self) -> float | None:
        """The same of the test images; None where a ŷ is NaN."""
        n = self.task.test_n
        return None if self.test_right is None else _avoided(sum(n) - self.test_right, n)

    @property
    def is_right(self) -> bool:
        """Whether nearly all answers are right, on the training and on the test images."""
        return min(self.avoids, self.test_avoids or 0.0) >= 0.9

    @property
    def is_test_guessed(self) -> bool:
        return self.test_right is not None and self.is_guess(self.test_right)

    def is_guess(self, test_right: int) -> bool:
        """Whether so many right test images are no more than by always naming their larger class, but by luck."""
        n = self.task.test_n
        return at_least(test_right, sum(n), max(n) / sum(n)) >= SIGNIFICANT

    @property
    def progress(self) -> float | None:
        """0 where the images are ignored, 1 where nothing is left to learn; None where that is not defined."""
        constant, floor = self.task.constant, self.task.floor
        if self.end is None or floor is None or not self.task.can_be_learned:
            return None
        share = (constant - self.end.loss) / (constant - floor)
        return share if math.isfinite(share) else None

    @property
    def is_no_better_than_constant(self) -> bool:
        """Up to the rounding of a float32 mean: one answer for all images may come out just below."""
        least = self.task.constant
        return self.task.can_be_learned and self.end.loss >= least - ROUNDING * abs(least)

    @property
    def moved(self) -> list[float | None]:
        """Per layer, the share of its weights of which a bit moved; None where no weight could.

        Without the units that are dead from the start and, where few weights of the first layer moved, without the
        pixels that are the same in all images: their weights cannot move.
        """
        moved = [before != after for before, after in zip(self.start.layers, self.end.layers, strict=True)]
        if moved[0].float().mean() < 0.5:  # else no closer look is needed, which takes as long as an epoch
            x = self.task.data["x_train"]
            moved[0] = moved[0][:, (x != x[0]).any(0)]
        for layer, dead in enumerate(self.start.dead):
            moved[layer] = moved[layer][~dead]
        return [weights.float().mean().item() if weights.numel() else None for weights in moved]

    @property
    def went(self) -> list[float]:
        """Per layer, how far its weights went from where they began, as a share of what they were: of the norms."""
        pairs = zip(self.start.layers, self.end.layers, strict=True)
        return [((after - before).norm() / before.norm()).item() for before, after in pairs]

    @property
    def since_logits_are_equal(self) -> int | None:
        """The first of the last epochs in which every logit is the same; None where they differ at the end."""
        if (self.end.logits != self.end.logits[0]).any():
            return None
        rows = [row.min_logit == row.max_logit for row in self.trained.history]
        return next((epoch + 1 for epoch in range(len(rows) - 1, -1, -1) if not rows[epoch]), 0)


def _avoided(wrong: int, n: tuple[int, int]) -> float:
    return 1 - wrong / min(n)


def state_at_start(seed: int, task: Task) -> tuple[State, list[torch.Tensor]]:
    """The state before the first step, and the loss's gradient with respect to each parameter. The seed makes the same
    network again."""
    settings, x, y = task.settings, task.data["x_packed"], task.data["y_train"]
    network = build_network(task.data["x_train"].shape[1], settings["hidden"], settings["activation"], seed)
    parameters = list(network.parameters())
    logits, dead = _forward(network, x)
    yhat = network[-1](logits)
    value = task.loss(y, yhat, logits)
    pull, *gradients = [None] * (1 + len(parameters))
    if value.requires_grad:
        pull, *gradients = torch.autograd.grad(value, [logits, *parameters], allow_unused=True)
    pull = torch.zeros_like(logits) if pull is None else pull
    zeros = map(torch.zeros_like, parameters)
    gradients = [zero if gradient is None else gradient for zero, gradient in zip(zeros, gradients, strict=True)]
    return _state(network, logits.detach(), yhat.detach(), value.item(), pull, dead), gradients


def state_at_end(trained: Trained, task: Task) -> State:
    """The state after the last step. Logits and yhat are those that the training left: RReLU and accelerators would now
    give others."""
    settings, y = task.settings, task.data["y_train"]
    network = build_network(task.data["x_train"].shape[1], settings["hidden"], settings["activation"], 0)
    network.load_state_dict(trained.weights)
    dead = _forward(network, task.data["x_packed"])[1] if settings["hidden"] else []
    logits = trained.logits.clone().requires_grad_()
    value = task.loss(y, logits.sigmoid(), logits)
    (pull,) = torch.autograd.grad(value, logits, allow_unused=True) if value.requires_grad else (None,)
    pull = torch.zeros_like(trained.logits) if pull is None else pull
    return _state(network, trained.logits, trained.yhat, value.item(), pull, dead)


def _state(network: torch.nn.Sequential, logits, yhat, loss: float, pull, dead: list[torch.Tensor]) -> State:
    return State(
        weights=[parameter.detach() for parameter in network.parameters()],
        layers=[layer.weight.detach() for layer in network if isinstance(layer, torch.nn.Linear)],
        logits=logits,
        yhat=yhat,
        loss=loss,
        pull=pull,
        dead=dead,
    )


def _forward(network: torch.nn.Sequential, x: Packed | torch.Tensor) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """The logits (n, 1), and per hidden layer which units are dead; x as training sees it."""
    layer = network[0]
    hidden = x.linear(layer.weight, layer.bias) if isinstance(x, Packed) else layer(x)
    dead = []
    for layer in network[1:-1]:
        if not isinstance(layer, torch.nn.Linear):
            dead.append(_dead(layer, hidden.detach()))
        hidden = layer(hidden)
    return hidden, dead


def _dead(activation: torch.nn.Module, inputs: torch.Tensor) -> torch.Tensor:
    """bool (units,): where the derivative is exactly 0 for every image; inputs: (n, units)."""
    inputs = inputs.requires_grad_()
    (slope,) = torch.autograd.grad(activation(inputs).sum(), inputs)
    return ~(slope != 0).any(0)
