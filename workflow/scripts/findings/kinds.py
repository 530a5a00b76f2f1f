"""The kinds of findings, and what each means. No torch here: the page explains a kind where it names one.

A kind is one function that looks at the evidence and returns its Finding, or None. `@kind` gives it its name and its
explanation; what is listed in docs/findings.md and shown on the page is made from there.
"""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """means: what it says. why: where it comes from. helps: what usually mends it. alarm: when it is one.

    of_finished: whether only a seed that did not diverge can have it. tries: the ways of cures/changes.py that
    are worth trying where it is an alarm, the likeliest first.
    """

    name: str
    means: str
    why: str
    helps: str
    alarm: str
    of_finished: bool
    tries: tuple[str, ...]
    find: Callable


KINDS: dict[str, Kind] = {}


def kind(
    name: str,
    *,
    means: str,
    why: str,
    helps: str,
    alarm: str = "always",
    of_finished: bool = False,
    tries: tuple[str, ...] = (),
):
    """Register the function that finds one kind."""

    def register(find: Callable) -> Callable:
        if name in KINDS:
            raise ValueError(f"the kind {name} is registered twice")
        KINDS[name] = Kind(name, means, why, helps, alarm, of_finished, tries, find)
        return find

    return register


def explanations() -> dict[str, dict[str, str]]:
    """{kind: means, why, helps, alarm}, as the page reads them."""
    return {
        name: {"means": one.means, "why": one.why, "helps": one.helps, "alarm": one.alarm}
        for name, one in KINDS.items()
    }
