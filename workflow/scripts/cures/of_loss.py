"""Changes of the loss: typed in other words, as it may have been meant, or another one."""

import math
import re
from collections.abc import Iterator

from common.english import with_article
from cures.change import SettingsChange
from cures.snippets import same_function
from findings.evidence import Evidence
from formulas.meant import guarded, mirrored, negated, unguarded, weighed
from formulas.parsing import FormulaError
from losses.facts import ignores_class, is_hopeless, wrong_way
from losses.one_image import one_image
from losses.rewrites import better_form, in_other_words, is_clean, is_same
from losses.sign_chart import sign_chart
from losses.weights import pulls_harder
from training.loss import FormulaLoss, Loss, build_loss

STANDARD_LOSS = ["module", "BCEWithLogitsLoss", [], "logits"]


def rewrite(evidence: Evidence) -> Iterator[SettingsChange]:
    """The same function."""
    loss = evidence.task.loss
    found = None if is_clean(loss) else better_form(loss)
    if found is None:
        return
    definition = _formula(found.formula, found.constants)
    if is_clean(FormulaLoss.of(found.formula, found.constants)):
        words = f"`{found.formula}`, {same_function(evidence.task.settings['loss_definition'])}"
        yield SettingsChange(("rewrite",), words, "stable", {"loss_definition": definition})


def sign(evidence: Evidence) -> Iterator[SettingsChange]:
    found = wrong_way(evidence.task.chart) or {}
    labels = {int(label) for label, facts in found.items() if facts["whole"]}
    loss = evidence.task.loss
    tree = one_image(loss).written
    if len(labels) == 2:
        negative = f"-{tree.text}" if tree.operation in ("mean", "sum") else f"-({tree.text})"
        exchanged = re.sub(r"\by\b", "(1 - y)", tree.text)
        others = [(negative, "the other sign", "negated"), (exchanged, "y and 1 − y exchanged", "exchanged")]
        others.sort(key=lambda other: -_least(loss, other[0]))  # a loss is 0 or more
        yield from _meant("sign", others[0][0], loss, *others[0][1:])
    elif labels:
        (label,) = labels
        name = evidence.task.classes[label]
        yield from _meant("sign", negated(tree, labels), loss, f"the other sign for images of {name}", "negated")


def _least(loss: Loss, text: str) -> float:
    """The least value of another formula for one image, of the label for which that is less."""
    try:
        labels = sign_chart(in_other_words(loss, text)).labels
    except FormulaError:
        return -math.inf
    return min((float(one.infimum.value) for one in labels if one.infimum), default=-math.inf)


def mirror(evidence: Evidence) -> Iterator[SettingsChange]:
    """Images of both classes treated alike, each at its own side."""
    chart, loss = evidence.task.chart, evidence.task.loss
    tree = one_image(loss).written
    if not chart.per_image:
        return
    ignored = ignores_class(chart)
    # Of a loss that asks the same of all, one class is pushed away: what the other is asked for was meant.
    wronged = [int(label) for label, facts in (wrong_way(chart) or {}).items() if facts["whole"]]
    others = [ignored["label"]] if ignored else wronged if len(wronged) == 1 else [1, 0]
    for label in (1 - other for other in others):
        name, other = (with_article(evidence.task.classes[one]) for one in (label, 1 - label))
        is_pushed_away = label in wronged
        text = mirrored(tree, label, is_negated=is_pushed_away)
        words = f"which asks of {other} what it asks of {name}, at the opposite logit"
        yield from _meant("mirror", text, loss, words + (", with the other sign" if is_pushed_away else ""), "mirrored")


def fed_otherwise(evidence: Evidence) -> Iterator[SettingsChange]:
    """The loss fed ŷ in place of the logits, or the logits in place of ŷ; labels −1 and 1 in place of 0 and 1."""
    definition = evidence.task.settings["loss_definition"]
    if definition[0] == "module":
        kind, name, arguments, fed = definition
        other = "yhat" if fed == "logits" else "logits"
        if name != "BCEWithLogitsLoss" and not (name == "BCELoss" and other == "logits"):
            changed = [kind, name, arguments, other]
            if not is_hopeless(sign_chart(build_loss(changed))):
                words = f"`{name}` fed `{other}` in place of `{fed}`"
                yield SettingsChange(("input",), words, f"of-{other}", {"loss_definition": changed})
        return
    loss = evidence.task.loss
    tree = one_image(loss).written
    changes = []
    for name, other in (("logits", "yhat"), ("yhat", "logits")):
        if re.search(rf"\b{name}\b", tree.text) and not re.search(rf"\b{other}\b", tree.text):
            text = re.sub(rf"\b{name}\b", other, tree.text)
            changes.append((text, f"`{other}` in place of `{name}`", f"of-{other}"))
    signed = (re.sub(r"\by\b", "(2 * y - 1)", tree.text), "labels −1 and 1 in place of 0 and 1", "signed")
    # A hinge, or a square of the logits, is made for labels −1 and 1.
    is_for_signs = re.search(r"\brelu\(|\bmaximum\(|\*\* *2", tree.text) and "logits" in tree.text
    for text, words, suffix in [signed, *changes] if is_for_signs else [*changes, signed]:
        yield from _meant("input", text, loss, words, suffix, as_it_is=True)


def without_guards(evidence: Evidence) -> Iterator[SettingsChange]:
    found = unguarded(one_image(evidence.task.loss).written)
    if found:
        text, guards = found
        words = f"without {' and '.join(f'`{guard}`' for guard in guards)}"
        yield from _meant("unguarded", text, evidence.task.loss, words, "unguarded")


def guard(evidence: Evidence) -> Iterator[SettingsChange]:
    """y kept off 0 where its logarithm is taken."""
    text = guarded(one_image(evidence.task.loss).written)
    yield from _meant("guard", text, evidence.task.loss, "the loss with y kept at 1e-7 or more in log(y)", "guarded")


def weights(evidence: Evidence) -> Iterator[SettingsChange]:
    """Images of both classes weighed so that they pull about alike at logit 0."""
    definition = evidence.task.settings["loss_definition"]
    if definition[0] == "module":
        kind, name, arguments, fed = definition
        rest = [one for one in arguments if one[0] != "pos_weight"]
        if rest != arguments:
            words = f"`{name}` without `pos_weight`"
            yield SettingsChange(("weights",), words, "equal", {"loss_definition": [kind, name, rest, fed]})
        return
    image = one_image(evidence.task.loss)
    found = pulls_harder(image)
    if found is None:
        return
    strong, times = found
    text = weighed(image.written, 1 - strong, float(f"{times:.2g}"))
    words = "in which an image of either class pulls about as hard at logit 0"
    yield from _meant("weights", text, evidence.task.loss, words, "equal")


def _meant(
    way: str, text: str | None, typed: Loss, words: str, suffix: str, as_it_is: bool = False
) -> Iterator[SettingsChange]:
    """A change to another formula, in its best words. None that no training can be good with, nor the same function,
    but for one that is kept off 0 · log(0)."""
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
        loss = FormulaLoss.of(text, constants)
    if not is_hopeless(sign_chart(loss)) and (way == "guard" or not _is_the_same(typed, loss)):
        yield SettingsChange((way,), f"`{text}`, {words}", suffix, {"loss_definition": _formula(text, constants)})


def _is_the_same(loss: Loss, other: Loss) -> bool:
    return all(one_image(one).why_not is None for one in (loss, other)) and is_same(loss, other)


def standard_loss(evidence: Evidence) -> Iterator[SettingsChange]:
    words = "`BCEWithLogitsLoss` of the logits"
    yield SettingsChange(("standard loss",), words, "with-logits", {"loss_definition": STANDARD_LOSS})


def _formula(text: str, constants: dict[str, float]) -> list:
    return ["formula", text, sorted([name, value] for name, value in constants.items())]
