"""The lines of a cure, typed into a config.yaml and run."""

import json
from pathlib import Path

import yaml

from builders.workflows import Workflow
from common.files import read_json


def paste(workflow: Workflow, cures: list[dict], folder: Path) -> None:
    """Type every snippet into the config, run it, and find the very numbers that are told of it.

    What two of them have in common, but for the name, is trained once.
    """
    config = workflow.config | {"variants": {}, "diagnosis": {"trials": 0}}
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
    pasted = Workflow(folder, config)
    pasted.ok("--cores", "2", *(f"results/variants/{name}/metrics.json" for name in told))
    for name, same in told.items():
        (seed,) = read_json(pasted / f"results/variants/{name}/metrics.json")["seeds"]
        for cure in same:
            assert cure["verdict"] == seed["verdict"] == "good", cure
            assert (cure["correct"], cure["test_correct"]) == (seed["correct"], seed["test_correct"]), cure
