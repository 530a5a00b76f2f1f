"""A job's settings as Snakemake's params: 'lr=0.1', 'loss="bce"'. Imported by the Snakefile: no torch or pandas here.

Snakemake compares params as a set of values without names, and shows those that changed: so each value names itself,
and has one form, whatever the order of its keys.
"""

import json


def param(name: str, value) -> str:
    """A setting: scalars, lists and dicts of them."""
    return f"{name}={json.dumps(value, sort_keys=True, ensure_ascii=False)}"


def each(name: str, values: dict) -> list[str]:
    """A param for each entry of a dict, by its key, so that only the one that changed is shown."""
    return [param(name, {key: value}) for key, value in sorted(values.items())] or [param(name, {})]


def read_params(params) -> dict:
    """{name: value} of such params; the entries of a dict together again."""
    found: dict = {}
    for text in params:
        name, _, value = text.partition("=")
        value = json.loads(value)
        found[name] = found[name] | value if name in found else value
    return found
