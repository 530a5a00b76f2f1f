"""A change of a variant's settings, as a trial makes it and config.yaml would have it."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class SettingsChange:
    """ways: of changing settings, keys of WAYS in cures/changes.py; two where two faults are mended at once. words: a
    part of a sentence, `expressions` in backquotes. suffix: of the names that it gets in config.yaml. settings: those
    that change, as a variant has them."""

    ways: tuple[str, ...]
    words: str
    suffix: str
    settings: dict = field(default_factory=dict)

    @property
    def is_same_function(self) -> bool:
        return self.ways == ("rewrite",)


def both(first: SettingsChange, second: SettingsChange) -> SettingsChange:
    """Two changes of different settings as one."""
    return SettingsChange(
        ways=first.ways + second.ways,
        words=f"{first.words}, and {second.words}",
        suffix=f"{first.suffix}-{second.suffix}",
        settings=first.settings | second.settings,
    )
