"""The functions that find the kinds of the catalogue. One looks at the evidence and returns its Finding, or None."""

from collections.abc import Callable

FINDERS: dict[str, Callable] = {}


def finds(kind: str) -> Callable:
    """Register the function that finds a kind of findings/catalogue.py."""

    def register(finder: Callable) -> Callable:
        if kind in FINDERS:
            raise ValueError(f"the kind {kind} has two finders")
        FINDERS[kind] = finder
        return finder

    return register
