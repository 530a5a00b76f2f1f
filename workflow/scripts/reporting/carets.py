"""The formula that broke, with carets under the sub-expression that broke first."""

from dataclasses import dataclass

from common.english import symbol
from records.metrics import Autopsy, Metrics, Step

NARROW = 36  # letters of code that a phone shows of a line


@dataclass(frozen=True)
class Marked:
    """formula: in three parts, the second of which broke; carets: the line under it; words: the next line, what broke
    held, under the carets where it is seen on a phone there."""

    formula: tuple[str, str, str]
    carets: str
    words: str


def marked(entry: Metrics, autopsy: Autopsy) -> Marked | None:
    """None where no formula is to blame."""
    if not autopsy.path:
        return None
    first = autopsy.path[0]
    start, end = first.start, first.start + len(first.expression)
    kind, loss = entry.settings.loss_definition[:2]
    # Pixels that are finite and too large overflow the loss, too.
    formulas = {"pixels": entry.settings.normalization_definition[0]} if autopsy.cause == "normalization" else {}
    formulas |= {"loss": loss} if kind == "formula" else {}
    for what, text in formulas.items():
        if text[start:end] == first.expression:
            words = _held(entry, autopsy, first, what)
            indent = max(0, min(start, NARROW - len(words)))
            parts = (text[:start], first.expression, text[end:])
            return Marked(parts, " " * start + "^" * len(first.expression), " " * indent + words)
    return None


def _held(entry: Metrics, autopsy: Autopsy, step: Step, what: str) -> str:
    """'−∞ for 1 of 6,742 images of 1'; 'NaN in 1,234 values'."""
    if autopsy.cause == "gradient":
        return "its derivative is not finite" + _for_images(entry, autopsy.images or {})
    told = []
    for kind in ("nan", "+inf", "-inf"):
        sign = symbol(float(kind), plus="+")
        counts = {label: held[kind] for label, held in step.holds.items()}
        if not any(counts.values()):
            continue
        if "all" in counts:
            told.append(sign if counts["all"] == 1 else f"{sign} in {counts['all']:,} values")
        elif what == "pixels":
            told.append(f"{sign} in {sum(counts.values()):,} values")
        else:
            told.append(sign + _for_images(entry, counts))
    return ", ".join(told)


def _for_images(entry: Metrics, counts: dict[str, int]) -> str:
    """counts: images per label."""
    of_class = zip(entry.classes, entry.counts.train, (counts.get("0", 0), counts.get("1", 0)), strict=True)
    told = [f"{count:,} of {of:,} images of {name}" for name, of, count in of_class if count]
    return f" for {' and '.join(told)}" if told else ""
