"""Single changes of a variant's settings that may make it train well, the likeliest first.

What a kind of finding makes likely, the catalogue says (`tries`); here is how each way of changing is carried out.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from common.english import counted, with_article
from findings.catalogue import CATALOGUE
from findings.evidence import Evidence
from findings.of_trials import rose
from formulas.meant import mirrored, negated, unguarded
from formulas.parsing import FormulaError
from losses.facts import ignores_class, wrong_way
from losses.one_image import one_image
from losses.rewrites import better_form, in_other_words, is_clean
from records.metrics import Finding
from training.loss import FormulaLoss, Loss

ADAM_LR = 0.002
STANDARD_LOSS = ["module", "BCEWithLogitsLoss", [], "logits"]
OF_TEST_IMAGES = {"wrong-way-on-test", "test-unlike-training"}
PIXELS = {"x-over-255": "x / 255", "standardized": "(x - mean) / std"}
# What is worth trying where a loss stopped being finite, by the cause that its autopsy finds.
OF_CAUSES = {
    "loss": ("rewrite", "unguarded", "standard loss"),
    "gradient": ("rewrite", "unguarded", "standard loss"),
    "step": ("rate", "rewrite", "standard loss", "Adam"),
    "network": ("rate", "input", "standard loss", "Adam"),
    "normalization": ("pixels",),
    "optimizer": ("argument", "Adam"),
    "decay": ("argument",),
    "momentum": ("argument",),
    "device": ("rewrite", "unguarded", "standard loss"),
}


@dataclass(frozen=True)
class SettingsChange:
    """words: a part of a sentence, `expressions` in backquotes. settings: those that change, as a variant has them.
    suffix: of the names that it gets in config.yaml. way: one of WAYS."""

    way: str
    words: str
    suffix: str
    settings: dict = field(default_factory=dict)

    @property
    def is_same_function(self) -> bool:
        return self.way == "rewrite"


def worth_trying(evidence: Evidence, findings: list[Finding]) -> Iterator[list[SettingsChange]]:
    """What each alarm makes likely, in the order of the findings; then what may help whatever is wrong. Nothing where
    the test images are to blame: no setting mends these."""
    if {finding.kind for finding in findings} & OF_TEST_IMAGES:
        return
    for finding in findings:
        if finding.alarm:
            is_broken = finding.kind == "diverged"
            yield _by(OF_CAUSES[evidence.autopsy.cause] if is_broken else CATALOGUE[finding.kind].tries, evidence)
    yield _by(GENERAL, evidence)


def _by(ways: tuple[str, ...], evidence: Evidence) -> list[SettingsChange]:
    return [change for way in ways for change in WAYS[way](evidence)]


# The same function


def _rewrite(evidence: Evidence) -> Iterator[SettingsChange]:
    loss = evidence.task.loss
    found = None if is_clean(loss) else better_form(loss)
    if found is None:
        return
    definition = _formula(found.formula, found.constants)
    if is_clean(FormulaLoss.of(found.formula, found.constants)):
        is_cut = evidence.task.settings["loss_definition"][1] == "BCELoss"
        words = f"`{found.formula}`, the same function{' without a cut of the logarithms at −100' if is_cut else ''}"
        yield SettingsChange("rewrite", words, "stable", {"loss_definition": definition})


# The function that may have been meant


def _sign(evidence: Evidence) -> Iterator[SettingsChange]:
    found = wrong_way(evidence.task.chart) or {}
    labels = {int(label) for label, facts in found.items() if facts["whole"]}
    tree = one_image(evidence.task.loss).written
    if len(labels) == 2:
        # A loss is 0 or more: one that is not has the wrong sign, another has its labels exchanged.
        if any(
            label_chart.infimum and float(label_chart.infimum.value) < 0 for label_chart in evidence.task.chart.labels
        ):
            text = f"-{tree.text}" if tree.operation in ("mean", "sum") else f"-({tree.text})"
            yield from _meant("sign", text, evidence.task.loss, "the other sign", "negated")
        else:
            text = re.sub(r"\by\b", "(1 - y)", tree.text)
            yield from _meant("sign", text, evidence.task.loss, "y and 1 − y exchanged", "exchanged")
    elif labels:
        (label,) = labels
        name = evidence.task.classes[label]
        yield from _meant(
            "sign", negated(tree, labels), evidence.task.loss, f"the other sign for images of {name}", "negated"
        )


def _mirror(evidence: Evidence) -> Iterator[SettingsChange]:
    """Images of both classes treated alike, each at its own side."""
    chart, tree = evidence.task.chart, one_image(evidence.task.loss).written
    if not chart.per_image:
        return
    ignored = ignores_class(chart)
    # Of a loss that asks the same of all, one class is pushed away: what the other is asked for was meant.
    wronged = [int(label) for label, facts in (wrong_way(chart) or {}).items() if facts["whole"]]
    others = [ignored["label"]] if ignored else wronged if len(wronged) == 1 else [1, 0]
    for label in (1 - other for other in others):
        name, other = (with_article(evidence.task.classes[one]) for one in (label, 1 - label))
        words = f"which asks of {other} what it asks of {name}, at the opposite logit"
        yield from _meant("mirror", mirrored(tree, label), evidence.task.loss, words, "mirrored")


def _input(evidence: Evidence) -> Iterator[SettingsChange]:
    """The loss fed ŷ in place of the logits, or the logits in place of ŷ; labels −1 and 1 in place of 0 and 1."""
    definition = evidence.task.settings["loss_definition"]
    if definition[0] == "module":
        kind, name, arguments, fed = definition
        other = "yhat" if fed == "logits" else "logits"
        if name != "BCEWithLogitsLoss" and not (name == "BCELoss" and other == "logits"):
            words = f"`{name}` fed `{other}` in place of `{fed}`"
            yield SettingsChange("input", words, f"of-{other}", {"loss_definition": [kind, name, arguments, other]})
        return
    tree = one_image(evidence.task.loss).written
    for name, other in (("logits", "yhat"), ("yhat", "logits")):
        if re.search(rf"\b{name}\b", tree.text) and not re.search(rf"\b{other}\b", tree.text):
            text = re.sub(rf"\b{name}\b", other, tree.text)
            yield from _meant(
                "input", text, evidence.task.loss, f"`{other}` in place of `{name}`", f"of-{other}", as_it_is=True
            )
    text = re.sub(r"\by\b", "(2 * y - 1)", tree.text)
    yield from _meant("input", text, evidence.task.loss, "labels −1 and 1 in place of 0 and 1", "signed", as_it_is=True)


def _unguarded(evidence: Evidence) -> Iterator[SettingsChange]:
    tree = one_image(evidence.task.loss).written
    found = unguarded(tree)
    if found:
        text, guards = found
        words = f"without {' and '.join(f'`{guard}`' for guard in guards)}"
        yield from _meant("unguarded", text, evidence.task.loss, words, "unguarded")


def _meant(
    way: str, text: str | None, typed: Loss, words: str, suffix: str, as_it_is: bool = False
) -> Iterator[SettingsChange]:
    """A change to another formula, in its best words."""
    if text is None:
        return
    try:
        loss = in_other_words(typed, text)
    except FormulaError:
        return
    constants = dict(loss.constants)
    found = None if as_it_is else better_form(loss)
    if found:
        text, constants = found.formula, found.constants
    yield SettingsChange(way, f"`{text}`, {words}", suffix, {"loss_definition": _formula(text, constants)})


def _standard_loss(evidence: Evidence) -> Iterator[SettingsChange]:
    yield SettingsChange(
        "standard loss", "`BCEWithLogitsLoss` of the logits", "with-logits", {"loss_definition": STANDARD_LOSS}
    )


# Other settings


def _pixels(evidence: Evidence) -> Iterator[SettingsChange]:
    for name, text in PIXELS.items():
        settings = {"normalization_definition": [text, []]}
        yield SettingsChange("pixels", f"pixels `{text}`", name, settings)


def _rate(evidence: Evidence) -> Iterator[SettingsChange]:
    """A tenth and a thousandth of it where the loss rose after a step, else as many times as much."""
    lr, is_too_large = evidence.task.settings["lr"], bool(evidence.autopsy) or rose(evidence.trained.history)
    shares = {0.1: "a tenth of it", 0.001: "a thousandth of it"}
    for factor, share in (shares if is_too_large else {10: "10 times as large", 1000: "1,000 times as large"}).items():
        other = float(f"{lr * factor:.6g}")
        yield SettingsChange("rate", f"the learning rate {other:g}, {share}", f"lr-{other:g}", {"lr": other})


def _epochs(evidence: Evidence) -> Iterator[SettingsChange]:
    """As many as had been taken when fewest test images were wrong, of the epochs at which they were looked at."""
    epochs = evidence.trained.record.test_epoch
    if epochs:
        words = f"{counted(epochs, 'epoch')}, after which fewest test images were wrong"
        yield SettingsChange("epochs", words, "short", {"epochs": epochs})


def _argument(evidence: Evidence) -> Iterator[SettingsChange]:
    """The optimizer without an argument: first those that are known to break trainings, last those that seldom do."""
    name, arguments = evidence.task.settings["optimizer"]
    for argument, _ in sorted(arguments, key=_suspicion):
        rest = [one for one in arguments if one[0] != argument]
        if argument == "momentum":  # torch wants a momentum for it
            rest = [one for one in rest if one[0] != "nesterov"]
        yield SettingsChange(
            "argument", f"{name} without `{argument}`", f"without-{argument}", {"optimizer": [name, rest]}
        )


def _suspicion(argument: list) -> int:
    name, value = argument
    if name == "weight_decay" or (name == "momentum" and value >= 1):
        return 0
    return 2 if isinstance(value, bool) or name == "momentum" else 1


def _adam(evidence: Evidence) -> Iterator[SettingsChange]:
    settings = {"optimizer": ["Adam", []], "lr": ADAM_LR}
    yield SettingsChange("Adam", f"Adam with the learning rate {ADAM_LR}", "adam", settings)


def _activation(evidence: Evidence) -> Iterator[SettingsChange]:
    name, _ = evidence.task.settings["activation"]
    other = "LeakyReLU" if name == "ReLU" else "ReLU"
    if evidence.task.settings["hidden"]:
        yield SettingsChange("activation", f"{other} in place of {name}", other.lower(), {"activation": [other, []]})


# The smallest change first.
WAYS = {
    "rewrite": _rewrite,
    "sign": _sign,
    "input": _input,
    "unguarded": _unguarded,
    "mirror": _mirror,
    "argument": _argument,
    "rate": _rate,
    "epochs": _epochs,
    "pixels": _pixels,
    "activation": _activation,
    "standard loss": _standard_loss,
    "Adam": _adam,
}
GENERAL = ("rewrite", "argument", "standard loss", "rate", "pixels", "Adam", "activation")


def _formula(text: str, constants: dict[str, float]) -> list:
    return ["formula", text, sorted([name, value] for name, value in constants.items())]
