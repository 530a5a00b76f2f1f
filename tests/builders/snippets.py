"""The lines of a cure, typed into a config and run."""

import json
from collections.abc import Callable
from pathlib import Path

import yaml

from builders.reading import read_json


def paste(config: dict, cures: list[dict], train: Callable[[dict, list[str]], Path]) -> None:
    """Type every snippet into the config, run it, and find the very numbers that are told of it.

    What two of them have in common, but for the name, is trained once. train: trains those variants of a config, and
    says in which folder they are.
    """
    config = config | {"variants": {}, "diagnosis": {"trials": 0}}
    told: dict[str, list[dict]] = {}
    known: dict[str, str] = {}
    for cure in cures:
        snippet = yaml.safe_load(cure["snippet"])
        assert set(snippet) <= {"losses", "normalizations", "variants"}
        ((name, settings),) = snippet["variants"].items()
        meaning = {key: snippet.get(key, {}) for key in ("losses", "normalizations")} | settings
        meaning |= {"losses": list(meaning["losses"].values()), "loss": not meaning["losses"] and settings["loss"]}
        first = known.setdefault(json.dumps(meaning, sort_keys=True), name)
        told.setdefault(first, []).append(cure)
        if first == name:
            config = config | {section: config[section] | entries for section, entries in snippet.items()}
    folder = train(config, list(told))
    for name, same in told.items():
        (seed,) = read_json(folder / name / "metrics.json")["seeds"]
        for cure in same:
            assert cure["verdict"] == seed["verdict"] == "good", cure
            assert (cure["correct"], cure["test_correct"]) == (seed["correct"], seed["test_correct"]), cure
