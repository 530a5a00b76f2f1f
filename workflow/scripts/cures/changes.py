"""Which changes of a variant's settings are worth trying, the likeliest first.

What a kind of finding makes likely, the catalogue says (`tries`); each way of changing is carried out in of_loss.py or
of_settings.py.
"""

from collections.abc import Iterator
from itertools import zip_longest

from cures import of_loss, of_settings
from cures.change import SettingsChange
from findings.catalogue import CATALOGUE, OF_TEST_IMAGES
from findings.evidence import Evidence
from losses.facts import is_hopeless
from losses.one_image import one_image
from losses.rewrites import is_clean, is_same
from records.metrics import Finding
from training.loss import build_loss

# What is worth trying where a loss stopped being finite, by the cause that its autopsy finds.
OF_CAUSES = {
    "loss": ("rewrite", "unguarded", "guard", "standard loss"),
    "gradient": ("rewrite", "unguarded", "guard", "standard loss"),
    "step": ("rate", "rewrite", "standard loss", "Adam"),
    "network": ("rate", "input", "standard loss", "Adam"),
    "normalization": ("pixels",),
    "optimizer": ("argument", "Adam"),
    "decay": ("argument",),
    "momentum": ("argument",),
    "device": ("rewrite", "unguarded", "standard loss"),
}
# The smallest change first.
WAYS = {
    "rewrite": of_loss.rewrite,
    "sign": of_loss.sign,
    "input": of_loss.fed_otherwise,
    "unguarded": of_loss.without_guards,
    "guard": of_loss.guard,
    "weights": of_loss.weights,
    "mirror": of_loss.mirror,
    "argument": of_settings.argument,
    "rate": of_settings.rate,
    "fewer epochs": of_settings.fewer_epochs,
    "more epochs": of_settings.more_epochs,
    "pixels": of_settings.pixels,
    "activation": of_settings.activation,
    "network": of_settings.network,
    "standard loss": of_loss.standard_loss,
    "Adam": of_settings.adam,
}
GENERAL = ("rewrite", "argument", "standard loss", "rate", "pixels", "Adam", "activation", "network")
OF_DEAD_UNITS = ("dead-layer", "dead-units")
OF_PIXELS_TOO = (*OF_DEAD_UNITS, "little-progress", "chance-level")
LARGE_PIXELS = 10  # pixels beyond it may be what is wrong
DEAD_AT_START = ("activation", "network", "pixels")


def worth_trying(evidence: Evidence, findings: list[Finding]) -> Iterator[list[SettingsChange]]:
    """What each alarm makes likely, in the order of the findings; then what may help whatever is wrong. Nothing where
    the test images are to blame: no setting mends these."""
    if {finding.kind for finding in findings} & OF_TEST_IMAGES:
        return
    for finding in findings:
        if finding.alarm:
            yield _by(ways_for(evidence, finding.kind), evidence)
    yield _by(GENERAL, evidence)


def ways_for(evidence: Evidence, kind: str) -> tuple[str, ...]:
    """What a finding of this kind makes likely."""
    if kind == "diverged":
        return OF_CAUSES[evidence.autopsy.cause]
    tries = CATALOGUE[kind].tries
    if kind in OF_DEAD_UNITS and evidence.is_dead_at_start:
        return DEAD_AT_START
    if kind in OF_PIXELS_TOO and evidence.task.data["x_train"].abs().max() > LARGE_PIXELS:
        return ("pixels", *(way for way in tries if way != "pixels"))
    return tries


def _by(ways: tuple[str, ...], evidence: Evidence) -> list[SettingsChange]:
    found = [list(WAYS[way](evidence)) for way in ways]
    changes = [change for turn in zip_longest(*found) for change in turn if change]  # one of each way, then the next
    if not is_hopeless(evidence.task.chart):
        return changes
    return [change for change in changes if "loss_definition" in change.settings]


def is_same_training(settings: dict, other: dict) -> bool:
    """Whether two variants differ at most in the words for their loss: one function, which float32 can train with in
    both."""
    if any(settings[key] != other[key] for key in settings if key != "loss_definition"):
        return False
    if settings["loss_definition"] == other["loss_definition"]:
        return True
    losses = [build_loss(one["loss_definition"]) for one in (settings, other)]
    images = [one_image(loss) for loss in losses]
    if any(image.why_not is not None for image in images) or images[0].reduction != images[1].reduction:
        return False
    return all(map(is_clean, losses)) and is_same(*losses)
