"""Findings about the pixels and the settings: what no loss could mend."""

from common.english import counted
from findings.evidence import Evidence
from findings.finders import finds
from records.metrics import Finding, finding

RARE = 0.1


@finds("equal-images")
def find_equal_images(evidence: Evidence) -> Finding | None:
    pixels, n = evidence.task.pixels, evidence.task.pixels.n
    if pixels.all_equal:
        sentence = f"All {sum(n):,} training images are the same after normalization."
        return finding("equal-images", sentence, count=sum(n), labels=[0, 1])
    labels = [label for label in pixels.equal if n[label] > 1]
    if not labels:
        return None
    classes = " and all ".join(f"{n[label]:,} images of {evidence.task.classes[label]}" for label in labels)
    count = sum(n[label] for label in labels)
    sentence = f"All {classes} are the same after normalization."
    return finding("equal-images", sentence, count=count, labels=labels)


@finds("conflicting-images")
def find_conflicting_images(evidence: Evidence) -> Finding | None:
    pixels, n = evidence.task.pixels, sum(evidence.task.pixels.n)
    if not pixels.conflicting or pixels.all_equal:
        return None
    verb = "equals" if pixels.conflicting == 1 else "equal"
    sentence = f"{counted(pixels.conflicting, 'training image')} {verb} one of the other class, pixel for pixel: no "
    sentence += f"model can get more than {pixels.most_right:,} of {n:,} right."
    facts = {"count": pixels.conflicting, "of": n, "against": pixels.most_right}
    return finding("conflicting-images", sentence, **facts)


@finds("test-pixels")
def find_test_pixels(evidence: Evidence) -> Finding | None:
    pixels, m = evidence.task.pixels, len(evidence.task.data["y_test"])
    if not (pixels.test_broken or pixels.test_far):
        return None
    parts = []
    if pixels.test_broken:
        parts.append(
            f"{pixels.test_broken:,} of {m:,} test images {'is' if pixels.test_broken == 1 else 'are'} not finite"
        )
    if pixels.test_far:
        parts.append(
            f"{pixels.test_far:,} of {m:,} test images {'lies' if pixels.test_far == 1 else 'lie'} outside the training"
            " pixels' range by more than it is wide"
        )
    where = counted(len(pixels.odd_pixels), "pixel")
    sentence = f"After normalization {' and '.join(parts)}, at {where}."
    count = max(pixels.test_broken, pixels.test_far)
    facts = {"count": count, "of": m, "pixels": pixels.odd_pixels}
    return finding("test-pixels", sentence, alarm=pixels.test_broken > 0, **facts)


@finds("no-influence")
def find_no_influence(evidence: Evidence) -> Finding | None:
    start, pixels = evidence.start, evidence.task.pixels
    if pixels.all_equal or any(units.all() for units in start.dead):
        return None
    are_equal = bool((start.logits == start.logits[0]).all()) and len(start.logits) > 1
    is_cut_off = bool((start.pull != 0).any()) and not evidence.first_gradients[0].any()
    if not (are_equal or is_cut_off):
        return None
    if are_equal:
        value = start.logits[0].item()
        sentence = (
            f"Before the first step every logit is {value:.6g}, to the last bit: the pixels vanish beside the bias."
        )
        return finding("no-influence", sentence, value=value)
    sentence = "Before the first step the gradient of the first layer's weights is exactly 0."
    return finding("no-influence", sentence)


@finds("imbalance")
def find_imbalance(evidence: Evidence) -> Finding | None:
    n = evidence.task.pixels.n
    rare = min((0, 1), key=lambda label: n[label])
    if not n[rare] < RARE * sum(n):
        return None
    wrong = evidence.wrong
    right = [1 - wrong[evidence.y == label].float().mean().item() for label in (0, 1)]
    shares = ", ".join(f"of {evidence.task.classes[label]} {right[label]:.1%}" for label in (0, 1))
    verb = "is" if n[rare] == 1 else "are"
    sentence = f"Only {n[rare]:,} of {sum(n):,} training images {verb} {evidence.task.classes[rare]}; "
    sentence += f"right are {shares}."
    facts = {"count": n[rare], "of": sum(n), "labels": [rare], "value": right[rare]}
    return finding("imbalance", sentence, alarm=min(right) < 0.5, **facts)


@finds("decay")
def find_decay(evidence: Evidence) -> Finding | None:
    name, arguments = evidence.task.settings["optimizer"]
    rate = evidence.task.settings["lr"] * dict(arguments).get("weight_decay", 0)
    if name not in ("SGD", "AdamW") or rate < 1:
        return None
    does = (
        "wipes the weights"
        if rate == 1
        else "flips their sign"
        if rate <= 2
        else "flips their sign and makes them grow"
    )
    sentence = f"lr · weight_decay is {rate:.4g}: each step multiplies the weights by {1 - rate:.4g}, which {does}."
    return finding("decay", sentence.replace("-", "−"), factor=1 - rate)


@finds("momentum")
def find_momentum(evidence: Evidence) -> Finding | None:
    name, arguments = evidence.task.settings["optimizer"]
    factor, dampening = dict(arguments).get("momentum", 0), dict(arguments).get("dampening", 0)
    if factor < 1 or dampening >= 1:
        return None
    sentence = f"Under {name} with momentum {factor:g} steps are never forgotten, and "
    sentence += "add up for ever." if factor == 1 else "grow for ever."
    return finding("momentum", sentence, factor=factor)
