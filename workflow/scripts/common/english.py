"""Words in the sentences that are made of data."""

import math


def counted(count: int, what: str, several: str | None = None) -> str:
    """'1 wrong image', '1,234 wrong images', '2 losses'."""
    return f"{count:,} {what if count == 1 else several or f'{what}s'}"


def amount(value: float) -> str:
    """A mean number of images: 1.3, 4, 1,024; 0.04 is not 0."""
    if 0.005 <= value < 0.05:
        return f"{value:.2f}"
    return f"{value:,.0f}" if value >= 100 or abs(value - round(value)) < 0.05 else f"{value:.1f}"


def symbol(value: float, plus: str = "") -> str:
    """Of a number that is not finite: NaN, ∞ or −∞. plus: what stands before ∞."""
    return "NaN" if math.isnan(value) else f"{plus}∞" if value > 0 else "−∞"


def with_article(name) -> str:
    """'a 1', 'an 8', 'an apple': a class, as one of its images is called."""
    text = str(name)
    return f"{'an' if text[:1].lower() in tuple('aeiou8') or text in ('11', '18') else 'a'} {text}"


def first_few(names: list[str], most: int) -> str:
    """'a, b and 3 more': at most so many by name."""
    rest = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + rest


def shortened(text: str, longest: int) -> str:
    """Without its middle, where it is longer: names of sweeps are alike at their beginnings, and differ at the ends."""
    end = (longest - 1) // 2
    return text if len(text) <= longest else f"{text[: longest - 1 - end]}…{text[-end:]}"


def clause(text: str) -> str:
    """The first part of an explanation."""
    for end in (". ", ": ", "; "):
        text = text.split(end, maxsplit=1)[0]
    return text
