"""Models that were trained with other settings, or by other code, than config.yaml and the checkout have now.

Snakemake knows that from its notes in .snakemake/, which may be gone, belong to another folder that shares the results,
or not be asked, as a user's rerun triggers say. So metrics.json says what its models were trained with. Imported by the
Snakefile: no torch, pandas or matplotlib here.
"""

import json
from collections.abc import Container
from pathlib import Path

from common.english import counted
from common.errors import some
from common.params import param

MOST_NAMED = 30  # files in a command
OTHER_CODE = "other code"


def trained_otherwise(
    variants: dict, classes: list, code: str, results: Path = Path("results"), but: Container[str] = ()
) -> dict[str, list[str]]:
    """{variant: what its models have been trained with that is not so now: 'lr=0.01', 'other code'}.

    variants: {name: settings}; code: the digest of what trains them; but: variants that are about to be trained. A file
    that is missing or damaged tells nothing: the job that reads it says so.
    """
    found = {}
    for name, settings in variants.items():
        if name in but:
            continue
        try:
            recorded = json.loads((results / "variants" / name / "metrics.json").read_bytes())
            said = dict(recorded["settings"]) | {"seeds": [one["seed"] for one in recorded["seeds"]]}
        except (OSError, ValueError, KeyError, TypeError):
            continue
        said["classes"] = recorded.get("classes", classes)
        now = settings | {"classes": classes}
        differs = [param(key, value) for key, value in said.items() if now.get(key) != value]
        # Versions before this one recorded no code.
        differs += [OTHER_CODE] * (recorded.get("code") != code)
        if differs:
            found[name] = differs
    return found


def command(found: dict[str, list[str]], variants: dict) -> str:
    """What trains those of all variants that `trained_otherwise` found, after making anew what they are trained on."""
    differs = {one for of in found.values() for one in of}
    if OTHER_CODE in differs or any(one.startswith("classes=") for one in differs):
        what = ["extract"]
    else:
        normalized = {
            f"results/data/normalized/{variants[name]['normalization']}.pt"
            for name, of in found.items()
            if any(one.startswith("normalization_definition=") for one in of)
        }
        what = [*sorted(normalized), *(f"results/variants/{name}/metrics.json" for name in found)]
    return f"snakemake --cores 4 --forcerun {' '.join(what if len(what) <= MOST_NAMED else ['normalize'])}"


def notice(found: dict[str, list[str]], variants: dict) -> str | None:
    """One line on what `trained_otherwise` found among all variants, with the command that trains it; None without."""
    if not found:
        return None
    each = some([f"{name} ({', '.join(differs)})" for name, differs in found.items()])
    verb = "was" if len(found) == 1 else "were"
    begin = f"{counted(len(found), 'variant')} {verb} trained with other settings or code than now: "
    return f"{begin}{each}; to train anew: {command(found, variants)}"
