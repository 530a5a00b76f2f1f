"""A sweep of config.yaml, expanded into its variants."""

import itertools
import math

from common.errors import UserError, nearest
from experiment.schema import LIST_SETTINGS, SCHEMA, SETTING_SCHEMAS, typed, validate


def expand(sweep: str, lists: dict) -> dict:
    """{name: settings} of a sweep: the product of its lists. hidden and seeds are lists already: [[64], [32, 32]]."""
    place = f"sweeps.{sweep}"
    swept, fixed = {}, {}
    for key, value in lists.items():
        if key not in SETTING_SCHEMAS:
            raise UserError(f"{place}: unknown key '{key}'{nearest(key, SETTING_SCHEMAS)}")
        is_grid = isinstance(value, list) and (
            key not in LIST_SETTINGS or (value and all(isinstance(item, list) for item in value))
        )
        if is_grid and not value:
            raise UserError(f"{place}.{key}: found an empty list, expected at least one value")
        if is_grid:
            swept[key] = [typed(item, SETTING_SCHEMAS[key]) for item in value]
        else:
            fixed[key] = typed(value, SETTING_SCHEMAS[key])
    # The order of the schema, not of the file: moving a key in config.yaml renames nothing.
    keys = [key for key in SETTING_SCHEMAS if key in swept]
    count = math.prod(len(swept[key]) for key in keys)
    if count > 10_000:
        raise UserError(f"{place}: expands to {count} variants, more than 10,000")
    variants: dict = {}
    schema = {**SCHEMA["properties"]["variants"]["additionalProperties"], "$defs": SCHEMA["$defs"]}
    for values in itertools.product(*(swept[key] for key in keys)):
        settings = fixed | dict(zip(keys, values, strict=True))
        validate(settings, schema, place)
        parts = [
            value if key in ("loss", "normalization") else f"{key}={_label(value)}"
            for key, value in zip(keys, values, strict=True)
        ]
        name = "-".join([sweep, *parts])
        validate(name, {"$ref": "#/$defs/name", "$defs": SCHEMA["$defs"]}, f"{place}: variant")
        if name in variants:
            raise UserError(f"{place}: variant '{name}' is declared twice: a list names a value twice")
        variants[name] = settings
    return variants


def _label(value) -> str:
    """A setting as a part of a file name: 0.0005, 64x32, SGD+momentum=0.9."""
    if isinstance(value, dict):
        rest = [f"{key}={_label(value[key])}" for key in sorted(value) if key != "name"]
        return "+".join([str(value.get("name")), *rest])
    if isinstance(value, list):
        return "x".join(_label(item) for item in value) or "none"
    return str(value)
