"""What is known of a kind of finding, whatever model it is found in."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """means: what it says. why: where it comes from. helps: what usually mends it. alarm: when it is one.

    of_finished: whether only a seed that did not diverge can have it. fails: whether a model that has it fails. tries:
    the ways of cures/changes.py that are worth trying where it is an alarm, the likeliest first.
    """

    name: str
    means: str
    why: str
    helps: str
    alarm: str = "always"
    of_finished: bool = False
    fails: bool = False
    tries: tuple[str, ...] = ()
