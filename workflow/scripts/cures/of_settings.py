"""Changes of everything but the loss: pixels, rate, epochs, the optimizer, the network."""

from collections.abc import Iterator

from common.english import counted
from cures.change import SettingsChange
from findings.arguments import at_default, distance_from_default
from findings.evidence import Evidence
from findings.of_trials import rose
from losses.constant import ROUNDING
from losses.one_image import one_image

ADAM_LR = 0.002
MOMENTUM = 0.9
PIXELS = {"x-over-255": "x / 255", "standardized": "(x - mean) / std"}
FEW_UNITS, UNITS = 8, 64  # fewer than the one may all be dead by an unlucky seed; of the other, never seen
LONGER = 4  # the rule's runtime has room for as many epochs in each trial


def pixels(evidence: Evidence) -> Iterator[SettingsChange]:
    for name, text in PIXELS.items():
        yield SettingsChange(("pixels",), f"pixels `{text}`", name, {"normalization_definition": [text, []]})


def rate(evidence: Evidence) -> Iterator[SettingsChange]:
    """A tenth and a thousandth of it where steps are too long, else as many times as much; the farther one first where
    nothing is learned. None where no step of any length can help: a layer is dead before the first one."""
    if evidence.is_dead_at_start:
        return
    lr, n = evidence.task.settings["lr"], len(evidence.y)
    if _is_too_large(evidence):
        is_plain_sum = one_image(evidence.task.loss).reduction == "sum" and evidence.has_plain_steps
        near = (0.1, "a tenth of it")
        of_sum = (1 / n, f"1 / {n:,} of it, since the loss sums so many images")
        far = of_sum if is_plain_sum else (0.001, "a thousandth of it")
    else:
        near, far = (10, "10 times as large"), (1000, "1,000 times as large")
    for factor, words in (far, near) if evidence.has_learned_nothing else (near, far):
        yield rate_of(evidence, lr * factor, f", {words}")


def _is_too_large(evidence: Evidence) -> bool:
    """Whether the loss rose after a step, or steps broke it or all units of a layer."""
    if evidence.end is None or rose(evidence.trained.history):
        return True
    return any(bool(units.all()) for units in evidence.end.dead)


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
    """An argument of the optimizer at its default, the one that is farthest from it first; a momentum of 1 or more at
    0.9, too."""
    name, arguments = evidence.task.settings["optimizer"]
    for argument, value in sorted(arguments, key=lambda one: -distance_from_default(name, *one)):
        rest = [one for one in arguments if one[0] != argument]
        words = f"{name} {at_default(name, argument)}"
        if argument == "momentum":
            if value >= 1:
                settings = {"optimizer": [name, sorted([*rest, ["momentum", MOMENTUM]])]}
                yield SettingsChange(("argument",), f"{name} with `momentum` {MOMENTUM}", "momentum", settings)
            if ["nesterov", True] in rest:  # torch wants a momentum for it
                rest.remove(["nesterov", True])
                words += " and `nesterov`"
        yield SettingsChange(("argument",), words, f"default-{argument}", {"optimizer": [name, rest]})


def adam(evidence: Evidence) -> Iterator[SettingsChange]:
    settings = {"optimizer": ["Adam", []], "lr": ADAM_LR}
    yield SettingsChange(("Adam",), f"Adam with the learning rate {ADAM_LR}", "adam", settings)


def activation(evidence: Evidence) -> Iterator[SettingsChange]:
    name, _ = evidence.task.settings["activation"]
    other = "LeakyReLU" if name == "ReLU" else "ReLU"
    if evidence.task.settings["hidden"]:
        yield SettingsChange(("activation",), f"{other} in place of {name}", other.lower(), {"activation": [other, []]})


def network(evidence: Evidence) -> Iterator[SettingsChange]:
    """More units where a layer has few, and where all are dead before the first step only if those are few; else one
    hidden layer in place of several."""
    hidden = evidence.task.settings["hidden"]
    dead = [layer for layer, units in enumerate(evidence.start.dead) if units.all()]
    few = [width for width in hidden if width < FEW_UNITS]
    if dead and any(hidden[layer] >= FEW_UNITS for layer in dead):
        return
    if few:
        wider = [UNITS if width < FEW_UNITS else width for width in hidden]
        words = f"{UNITS} hidden units in place of {' and '.join(map(str, few))}"
        yield SettingsChange(("network",), words, f"{UNITS}-units", {"hidden": wider})
    elif len(hidden) > 1:
        words = f"1 hidden layer in place of {len(hidden)}"
        yield SettingsChange(("network",), words, "1-layer", {"hidden": hidden[:1]})
