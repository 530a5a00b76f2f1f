"""What variants have in common, and no other does: their settings, in words."""

import json
from dataclasses import dataclass
from itertools import combinations, product

from records.training import as_named
from reporting.page import setting

MOST_KEYS = 3  # settings of one description
MOST_TRIED = 40  # of a setting that is looked at: to try all of a finer sweep would take too long
BARE = ("loss", "normalization", "activation", "optimizer", "device")  # settings whose values speak for themselves


@dataclass(frozen=True)
class Alike:
    """words: unit with lr 0.0005 and no hidden layer, with every loss; names: the variants that are so."""

    words: str
    names: set[str]


def alike(names: set[str], among: set[str], variants: dict, most: int) -> list[Alike]:
    """At most so many descriptions of two or more of these variants each, that of the most first; none of them holds
    for another one of `among`. variants: {name: settings}, of all."""
    table = {name: as_named(settings) for name, settings in variants.items()}
    keys = [key for key in next(iter(table.values()), {}) if key != "seeds"]
    having: dict[str, dict[str, set[str]]] = {key: {} for key in keys}
    for name, settings in table.items():
        for key in keys:
            having[key].setdefault(json.dumps(settings[key]), set()).add(name)
    keys = [key for key in keys if 1 < len(having[key]) <= MOST_TRIED]
    candidates = []
    for size in range(1, MOST_KEYS + 1):
        for chosen in combinations(keys, size):
            for values in product(*(having[key] for key in chosen)):
                all_such = set.intersection(*(having[key][value] for key, value in zip(chosen, values, strict=True)))
                such = all_such & among
                if such and such <= names:
                    candidates.append((dict(zip(chosen, values, strict=True)), such, all_such))
    found: list[Alike] = []
    left = set(names)
    while candidates and len(found) < most:
        # Of as many variants, the one with the fewest settings.
        settings, such, all_such = max(candidates, key=lambda one: (len(one[1] & left), -len(one[0])))
        if len(such & left) < 2:
            break
        found.append(Alike(_words(settings, all_such, having), such))
        left -= such
    return found


def _words(settings: dict[str, str], such: set[str], having: dict[str, dict[str, set[str]]]) -> str:
    """settings: those that they share, as JSON; such: all variants that have them; having: {key: {value: variants}}."""
    typed = {key: json.loads(value) for key, value in settings.items()}
    head = " on ".join(setting(typed[key]) for key in ("loss", "normalization") if key in typed)
    rest = [_setting(key, value) for key, value in typed.items() if key not in ("loss", "normalization")]
    tail = " and ".join([", ".join(rest[:-1]), rest[-1]] if len(rest) > 1 else rest)
    words = " with ".join(filter(None, (head, tail)))
    free = [key for key in ("loss", "normalization") if key not in typed and len(having[key]) > 1]
    whole = next((key for key in free if all(such & of_value for of_value in having[key].values())), None)
    return f"{words}, with every {whole}" if whole else words


def _setting(key: str, value) -> str:
    """no hidden layer, 400 epochs, lr 0.1, Tanh."""
    if key == "hidden" and not value:
        return "no hidden layer"
    if key == "epochs":
        return f"{value:,} epochs"
    return setting(value) if key in BARE else f"{key} {setting(value)}"
