"""Models that were trained with other settings, or by other code, than config.yaml and the checkout have now.

Snakemake knows that from its notes in .snakemake/, which may be gone, belong to another folder that shares the results,
or not be asked, as a user's rerun triggers say. So training.json says what a model was trained with. Imported by the
Snakefile: no torch, pandas or matplotlib here.
"""

import json
import shlex
from collections.abc import Container
from pathlib import Path

from common.english import counted
from common.errors import some
from common.params import param
from records.training import MODEL_FILES

MOST_NAMED = 30  # files in a command
OTHER_CODE = "other code"
TRAINING_FILE = MODEL_FILES["training"]


def trained_otherwise(
    variants: dict, data: dict, code: str, results: Path = Path("results"), but: Container[str] = ()
) -> dict[str, list[str]]:
    """{model: what it was trained with that is not so now: 'lr=0.01', 'other code'}; a model is variant/seed.

    variants: {name: settings}; data: of config.yaml; code: the digest of what trains; but: models that are about to be
    trained. A file that is missing or damaged tells nothing: the job that reads it says so.
    """
    found = {}
    source = _read(results / "data/source.json")
    images = {} if source.get("fallback", True) else {"source": source.get("source")}
    for name, settings in variants.items():
        now = settings | {"classes": data["classes"], "source": data["source"]}
        for model in (f"{name}/{seed}" for seed in settings["seeds"]):
            recorded = {} if model in but else _read(results / "variants" / model / TRAINING_FILE)
            if not isinstance(recorded.get("settings"), dict):
                continue
            said = recorded["settings"] | images | {"classes": recorded.get("classes")}
            differs = [param(key, value) for key, value in said.items() if now.get(key) != value]
            differs += [OTHER_CODE] * (recorded.get("code") != code)
            if differs:
                found[model] = differs
    return found


def _read(path: Path) -> dict:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def command(found: dict[str, list[str]], variants: dict, home: Path) -> str:
    """What trains those models that `trained_otherwise` found, after making anew what they are trained on.

    home: the project's folder, which need not be the working directory.
    """
    differs = {one.partition("=")[0] for of in found.values() for one in of}
    normalized = {
        f"results/data/normalized/{variants[model.rpartition('/')[0]]['normalization']}.pt"
        for model, of in found.items()
        if any(one.startswith("normalization_definition=") for one in of)
    }
    what = [*sorted(normalized), *(f"results/variants/{model}/{TRAINING_FILE}" for model in found)]
    if "source" in differs:
        what = ["download"]
    elif differs & {"classes", OTHER_CODE}:
        what = ["extract"]
    elif len(what) > MOST_NAMED:
        what = ["normalize"]
    here = [] if Path.cwd() == home.resolve() else ["--directory", shlex.quote(str(Path.cwd()))]
    return " ".join(["snakemake --cores 4", *here, "--forcerun", *what])


def notice(found: dict[str, list[str]], variants: dict, home: Path) -> str | None:
    """One line on what `trained_otherwise` found, with the command that trains it; None without."""
    if not found:
        return None
    each = some([f"{model} ({', '.join(differs)})" for model, differs in found.items()])
    verb = "was" if len(found) == 1 else "were"
    begin = f"{counted(len(found), 'model')} {verb} trained with other settings or code than now: "
    return f"{begin}{each}; to train anew: {command(found, variants, home)}"
