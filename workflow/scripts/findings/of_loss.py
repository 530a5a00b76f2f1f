"""Findings about the loss: what its sign chart says before any training."""

import torch

from autopsy.culprits import culprits
from autopsy.words import symbol_at
from common.english import counted, with_article
from comparing.statistics import BEYOND_LUCK, at_least, mcnemar
from findings.evidence import Evidence
from findings.finders import finds
from formulas.float32 import LARGEST
from formulas.language import evaluate
from losses import facts as chart
from losses.blindness import is_blind_to_labels, is_blind_to_shift
from losses.facts import logit_text
from losses.one_image import one_image
from losses.weights import pulls_harder
from records.metrics import Finding, finding
from training.loss import FormulaLoss, Loss

BEYOND = "on the other side"
ENOUGH, ENOUGH_IN_TEST = 0.9, 0.75  # of the errors of guessing: who avoids fewer has poor answers


def between(low: float, high: float) -> str:
    """'at every logit', 'below logit −88.7', 'beyond logit 16.6', 'from logit −0.4 to 0.4'."""
    if low <= -LARGEST:
        return "at every logit" if high >= LARGEST else f"below logit {logit_text(high)}"
    return (
        f"beyond logit {logit_text(low)}" if high >= LARGEST else f"from logit {logit_text(low)} to {logit_text(high)}"
    )


def _classes(evidence: Evidence, found: dict, joint: str = " and ") -> str:
    """'0', or '0 and 1': what the labels that a fact of the chart holds for are called."""
    return joint.join(str(evidence.task.classes[int(label)]) for label in found)


def _labels(found: dict) -> list[int]:
    return [int(label) for label in found]


@finds("wrong-way")
def find_wrong_way(evidence: Evidence) -> Finding | None:
    found = chart.wrong_way(evidence.task.chart)
    if found is None:
        return None
    whole = {label: facts for label, facts in found.items() if facts["whole"]}
    if whole:
        sentence = f"Wherever it has a gradient, the loss pushes images of {_classes(evidence, whole)} away from their "
        sentence += "class: it falls as they become more wrong."
        return finding("wrong-way", sentence, labels=_labels(whole))
    caught = 0 if evidence.end is None else sum(_wrong_within(evidence, int(k), v["parts"]) for k, v in found.items())
    where = " and ".join(
        f"images of {evidence.task.classes[int(label)]} {' and '.join(between(*part) for part in facts['parts'])}"
        for label, facts in found.items()
    )
    sentence = f"The gradient pushes {where} away from their class; {counted(caught, 'wrong image')} "
    sentence += f"{'lies' if caught == 1 else 'lie'} there."
    low, high = next(iter(found.values()))["parts"][0]
    facts = {"labels": _labels(found), "count": caught, "low": low, "high": high}
    return finding("wrong-way", sentence, alarm=caught > 0, **facts)


def _wrong_within(evidence: Evidence, label: int, parts: list) -> int:
    """How many wrong images of a label have a logit in one of these parts of the line."""
    logits = evidence.end.logits[evidence.wrong & (evidence.y == label)]
    return sum(int(((logits >= low) & (logits <= high)).sum()) for low, high in parts)


@finds("no-gradient")
def find_no_gradient(evidence: Evidence) -> Finding | None:
    if chart.no_gradient(evidence.task.chart) is None:
        return None
    sentence = "Wherever it is finite, the loss has a gradient of exactly 0, for both classes: nothing can be learned."
    return finding("no-gradient", sentence)


@finds("never-finite")
def find_never_finite(evidence: Evidence) -> Finding | None:
    found = chart.never_finite(evidence.task.chart)
    if found is None:
        return None
    labels = _labels(found)
    broken = {label: _broken_at_the_border(evidence.task.loss, label) for label in labels}
    several = len(set(broken.values())) > 1
    parts = [f"{what}{f' for {evidence.task.classes[label]}' * several}" for label, what in broken.items() if what]
    sentence = f"The loss of an image of {_classes(evidence, found, ' or of ')} is not finite, whatever the answer"
    sentence += f": {', '.join(dict.fromkeys(parts))}." if parts else "."
    return finding("never-finite", sentence, labels=labels)


def _broken_at_the_border(loss: Loss, label: int) -> str:
    """'`log(y)` is −∞': the innermost sub-expression that is not finite for an image of this label at logit 0; '' of a
    loss that is no formula."""
    if not isinstance(loss, FormulaLoss):
        return ""
    # Beside the other label's image, for what labels alone decide may be of both.
    y, trace = torch.tensor([[0.0], [1.0]]), {}
    logits = torch.zeros_like(y)
    evaluate(loss.tree, {"y": y, "yhat": logits.sigmoid(), "logits": logits}, trace=trace)
    for path, broken in culprits(loss.tree, trace):
        place = label if broken.ndim else 0
        if broken.flatten()[place]:
            return f"`{path[0].text}` is {symbol_at(trace[path[0]], place)}"
    return ""


@finds("ignores-class")
def find_ignores_class(evidence: Evidence) -> Finding | None:
    found = chart.ignores_class(evidence.task.chart)
    if found is None:
        return None
    name = evidence.task.classes[found["label"]]
    sentence = f"Wherever it is finite, the loss has a gradient of exactly 0 for images of {name}: they teach nothing."
    return finding("ignores-class", sentence, labels=[found["label"]])


@finds("ignores-labels")
def find_ignores_labels(evidence: Evidence) -> Finding | None:
    sentence = "The loss has the same gradient for both classes, at every logit: it cannot tell them apart."
    if chart.ignores_labels(evidence.task.chart) is None:
        if evidence.task.chart.per_image or not is_blind_to_labels(evidence.task.loss, evidence.y):
            return None
        sentence = "The loss stays the same whichever images have which label: only how many there are of each counts."
    return finding("ignores-labels", sentence, labels=[0, 1])


@finds("unbounded")
def find_unbounded(evidence: Evidence) -> Finding | None:
    found = chart.unbounded(evidence.task.chart)
    if found is None:
        return None
    is_poor = evidence.end is None or evidence.avoids < ENOUGH or (evidence.test_avoids or 0.0) < ENOUGH_IN_TEST
    ways = " and ".join(
        f"images of {evidence.task.classes[int(label)]} as they become {'surer' if facts['own_side'] else 'more wrong'}"
        for label, facts in found.items()
    )
    sentence = f"The loss falls without end for {ways}, whatever becomes of the others."
    return finding("unbounded", sentence, alarm=is_poor, labels=_labels(found))


@finds("border-optimum")
def find_border_optimum(evidence: Evidence) -> Finding | None:
    found = chart.border_optimum(evidence.task.chart)
    if found is None:
        return None
    parts = [_best(with_article(evidence.task.classes[int(label)]), facts) for label, facts in found.items()]
    text = "; ".join(parts)
    low, high = min(facts["low"] for facts in found.values()), max(facts["high"] for facts in found.values())
    facts = {"labels": _labels(found), "low": low, "high": high}
    return finding("border-optimum", f"{text[0].upper()}{text[1:]}.", **facts)


def _best(name: str, facts: dict) -> str:
    """'the best logit of a 1 is −0.5, on the other side'."""
    low, high = logit_text(facts["low"]), logit_text(facts["high"])
    is_border = facts["where"] == "border"
    if facts["where"] == "both":
        where = "far on the other side as on its own" if facts["towards"] else f"at {low} as at +{high}"
        return f"{name} is as well off {where}"
    if facts["towards"]:
        return f"the best logits of {name} are on the other side, without end"
    if low == high:
        return f"the best logit of {name} is {low}, {'the border itself, where ŷ is a half' if is_border else BEYOND}"
    if facts["low"] <= -LARGEST:
        return f"the best logit of {name} is {high} or less, {BEYOND}"
    if facts["high"] >= LARGEST:
        return f"the best logit of {name} is {low} or more, {BEYOND}"
    return f"the best logits of {name} are {low} to {high}, {BEYOND}"


@finds("blind-to-shift")
def find_blind_to_shift(evidence: Evidence) -> Finding | None:
    y, n = evidence.y, len(evidence.y)
    if not is_blind_to_shift(evidence.task.loss, y):
        return None
    sentence = "The loss stays the same when a number is added to all logits: nothing says where between the classes "
    sentence += "the border lies"
    if evidence.end is None:
        return finding("blind-to-shift", f"{sentence}.", alarm=False)
    border, right = _best_border(evidence.end.logits.flatten(), y.flatten() == 1)
    gained, lost = (int(each.sum()) for each in (right & evidence.wrong.flatten(), ~right & ~evidence.wrong.flatten()))
    is_left_to_chance = gained > lost and mcnemar(gained, lost) < BEYOND_LUCK
    sentence += f", where ŷ is a half: {evidence.right:,} of {n:,} training images are right"
    if is_left_to_chance:
        sentence += f", and {int(right.sum()):,} would be with the border at logit {logit_text(border)}"
    facts = {"value": border, "count": evidence.right, "of": n, "against": int(right.sum())}
    return finding("blind-to-shift", f"{sentence}.", alarm=is_left_to_chance, **facts)


def _best_border(logits: torch.Tensor, is_one: torch.Tensor) -> tuple[float, torch.Tensor]:
    """The logit above which to answer y = 1 so that most images are right, and which are. logits, is_one: (n,)."""
    ordered, place = logits.sort()
    ones = is_one[place].int()
    # right[k]: with the k lowest called 0. Equal logits cannot be told apart.
    right = torch.cat([torch.zeros(1), (1 - ones).cumsum(0)]) + torch.cat(
        [ones.flip(0).cumsum(0).flip(0), torch.zeros(1)]
    )
    is_between = torch.cat([torch.ones(1), (ordered[1:] > ordered[:-1]).float(), torch.ones(1)])
    k = int((right * is_between).argmax())
    ends = ordered[max(k - 1, 0)].item(), ordered[min(k, len(ordered) - 1)].item()
    border = sum(ends) / 2 if 0 < k < len(ordered) else ends[0] - 1 if k == 0 else ends[1] + 1
    return border, (logits > border) == is_one


@finds("unequal-weights")
def find_unequal_weights(evidence: Evidence) -> Finding | None:
    found = pulls_harder(one_image(evidence.task.loss))
    if found is None:
        return None
    strong, times = found
    names = evidence.task.classes
    sentence = (
        f"At logit 0 an image of {names[strong]} pulls {_times(times)} times as hard as one of {names[1 - strong]}"
    )
    facts = {"factor": times, "labels": [1 - strong]}
    if evidence.end is None:
        return finding("unequal-weights", f"{sentence}.", alarm=False, **facts)
    wrong, of_weak = int(evidence.wrong.sum()), int((evidence.wrong & (evidence.y == 1 - strong)).sum())
    share = evidence.task.pixels.n[1 - strong] / len(evidence.y)
    are_weak = at_least(of_weak, wrong, share) < BEYOND_LUCK
    sentence += f"; {of_weak:,} of {counted(wrong, 'wrong image')} {'is' if of_weak == 1 else 'are'} of "
    sentence += f"{names[1 - strong]}."
    return finding("unequal-weights", sentence, alarm=are_weak, count=of_weak, of=wrong, **facts)


def _times(factor: float) -> str:
    """10,000; 1e15"""
    return f"{factor:,.0f}" if factor < 1e7 else f"{factor:.3g}".replace("e+", "e")


@finds("floor")
def find_floor(evidence: Evidence) -> Finding | None:
    found = chart.floor(evidence.task.chart)
    if found is None:
        return None
    least = {label: float(facts["infimum"]) for label, facts in found.items()}
    parts = [f"{value:.3g} for {with_article(evidence.task.classes[int(label)])}" for label, value in least.items()]
    sentence = f"The loss of one image cannot go below {' and '.join(parts)}."
    return finding("floor", sentence, alarm=False, labels=_labels(found), value=max(least.values()))


@finds("not-per-image")
def find_not_per_image(evidence: Evidence) -> Finding | None:
    found = chart.not_per_image(evidence.task.chart)
    if found is None:
        return None
    sentence = f"An image's share in the loss depends on the others: {found['why']}."
    return finding("not-per-image", sentence, alarm=False)
