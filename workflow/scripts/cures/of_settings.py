"""Changes of everything but the loss: pixels, rate, epochs, the optimizer, the network."""

from collections.abc import Iterator

from common.english import counted
from cures.change import SettingsChange
from findings.evidence import Evidence
from findings.of_trials import rose
from losses.constant import ROUNDING
from losses.one_image import one_image
from training.optimizer import at_default

ADAM_LR = 0.002
PIXELS = {"x-over-255": "x / 255", "standardized": "(x - mean) / std"}
FEW_UNITS, UNITS = 8, 64  # fewer than the one may all be dead by an unlucky seed; of the other, never seen
LONGER = 4


def pixels(evidence: Evidence) -> Iterator[SettingsChange]:
    for name, text in PIXELS.items():
        yield SettingsChange(("pixels",), f"pixels `{text}`", name, {"normalization_definition": [text, []]})


def rate(evidence: Evidence) -> Iterator[SettingsChange]:
    """A tenth and a thousandth of it where the loss rose after a step, else as many times as much; the farther one
    first where nothing is learned. None where no step of any length can help: a layer is dead before the first one."""
    if evidence.is_dead_at_start:
        return
    lr, is_too_large = evidence.task.settings["lr"], bool(evidence.autopsy) or rose(evidence.trained.history)
    n = len(evidence.y)
    words = {0.1: "a tenth of it", 0.001: "a thousandth of it"}
    words = words if is_too_large else {10: "10 times as large", 1000: "1,000 times as large"}
    if is_too_large and one_image(evidence.task.loss).reduction == "sum" and evidence.has_plain_steps:
        words = {1 / n: f"divided by the {n:,} images that the loss sums", 0.1: words[0.1]}
    for factor in sorted(words, reverse=is_too_large != evidence.has_learned_nothing):
        yield rate_of(evidence, lr * factor, f", {words[factor]}")


def rate_of(evidence: Evidence, lr: float, words: str = "") -> SettingsChange:
    lr = float(f"{lr:.6g}")
    words = words or f" in place of {evidence.task.settings['lr']:g}"
    return SettingsChange(("rate",), f"the learning rate {lr:g}{words}", f"lr-{lr:g}", {"lr": lr})


def fewer_epochs(evidence: Evidence) -> Iterator[SettingsChange]:
    """As many as had been taken when fewest test images were wrong, of the epochs at which they were looked at."""
    epochs = evidence.trained.record.test_epoch
    if epochs:
        words = f"{counted(epochs, 'epoch')}, after which fewest test images were wrong"
        yield SettingsChange(("fewer epochs",), words, "short", {"epochs": epochs})


def more_epochs(evidence: Evidence) -> Iterator[SettingsChange]:
    """Where the loss still falls."""
    losses = [row.loss for row in evidence.trained.history]
    if evidence.end is None:
        return
    before = losses[len(losses) * 9 // 10 - 1]
    if before - evidence.end.loss > ROUNDING * abs(before):
        epochs = LONGER * evidence.task.settings["epochs"]
        yield SettingsChange(("more epochs",), f"{LONGER} times as many epochs, {epochs:,}", "long", {"epochs": epochs})


def argument(evidence: Evidence) -> Iterator[SettingsChange]:
    """An argument of the optimizer at its default: first those that are known to break trainings, last those that
    seldom do."""
    name, arguments = evidence.task.settings["optimizer"]
    for argument, _ in sorted(arguments, key=_suspicion):
        rest = [one for one in arguments if one[0] != argument]
        if argument == "momentum":  # torch wants a momentum for it
            rest = [one for one in rest if one[0] != "nesterov"]
        words = f"{name} {at_default(name, argument)}"
        yield SettingsChange(("argument",), words, f"without-{argument}", {"optimizer": [name, rest]})


def _suspicion(argument: list) -> int:
    name, value = argument
    if name == "weight_decay" or (name == "momentum" and value >= 1):
        return 0
    return 2 if isinstance(value, bool) or name == "momentum" else 1


def adam(evidence: Evidence) -> Iterator[SettingsChange]:
    settings = {"optimizer": ["Adam", []], "lr": ADAM_LR}
    yield SettingsChange(("Adam",), f"Adam with the learning rate {ADAM_LR}", "adam", settings)


def activation(evidence: Evidence) -> Iterator[SettingsChange]:
    name, _ = evidence.task.settings["activation"]
    other = "LeakyReLU" if name == "ReLU" else "ReLU"
    if evidence.task.settings["hidden"]:
        yield SettingsChange(("activation",), f"{other} in place of {name}", other.lower(), {"activation": [other, []]})


def network(evidence: Evidence) -> Iterator[SettingsChange]:
    """More units where all of a few are dead before the first step; else one hidden layer in place of several."""
    hidden = evidence.task.settings["hidden"]
    dead = [layer for layer, units in enumerate(evidence.start.dead) if units.all()]
    if dead:
        if all(hidden[layer] < FEW_UNITS for layer in dead):
            wider = [UNITS if layer in dead else width for layer, width in enumerate(hidden)]
            few = " and ".join(f"{hidden[layer]}" for layer in dead)
            words = f"{UNITS} hidden units in place of {few}"
            yield SettingsChange(("network",), words, f"{UNITS}-units", {"hidden": wider})
    elif len(hidden) > 1:
        words = f"1 hidden layer in place of {len(hidden)}"
        yield SettingsChange(("network",), words, "1-layer", {"hidden": hidden[:1]})
