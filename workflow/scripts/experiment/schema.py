"""The schema of config.yaml, and how a config is held against it: types, defaults, complaints in words.

Imported by the Snakefile: no torch, pandas or matplotlib here.
"""

import json
import re
from pathlib import Path

import yaml
from jsonschema import Draft202012Validator

from common.errors import UserError, nearest
from formulas.float32 import LARGEST

SCHEMA_FILE = Path(__file__).parents[2] / "schemas" / "config.schema.yaml"
SCHEMA = yaml.load(SCHEMA_FILE.read_text(encoding="utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
SETTING_SCHEMAS = SCHEMA["properties"]["variants"]["additionalProperties"]["properties"]
SETTING_SCHEMAS |= SCHEMA["properties"]["defaults"]["properties"]  # there by $ref: editors read no YAML anchors
LIST_SETTINGS = {key for key, schema in SETTING_SCHEMAS.items() if schema["type"] == "array"}


def plain(value, place: str):
    """Plain dicts with text keys, lists and scalars: what JSON has, and a schema can check."""
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str):
                # In { } a comma ends a value: {lr: 0,01} has the keys lr and 1.
                hint = "put it in quotes; or a point in place of the comma before it" if value[key] is None else ""
                raise UserError(
                    f"{place or 'top level'}: found the key {quoted(key)}, expected text ({hint or 'put it in quotes'})"
                )
        return {key: plain(item, f"{place}.{key}".lstrip(".")) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item, place) for item in value]
    if value is None or isinstance(value, str | bool | int | float):
        return value
    raise UserError(f"{place}: found {quoted(value)}, expected text (put it in quotes)")


def typed(value, schema: dict):
    """`value` with text turned into the number or truth value that the schema wants there.

    YAML 1.1 reads 1e-3 as text, and `snakemake --config 'data={"classes": [4, 9]}'` hands over nothing but text.
    """
    if isinstance(value, dict):
        rest = schema.get("additionalProperties") or {}
        return {key: typed(item, schema.get("properties", {}).get(key, rest)) for key, item in value.items()}
    if isinstance(value, list):
        return [typed(item, schema.get("items", {})) for item in value]
    if "$ref" in schema:
        return typed(value, SCHEMA["$defs"][schema["$ref"].rsplit("/", 1)[1]])
    if isinstance(value, str):
        kinds = schema.get("type", [])
        kinds = [kinds] if isinstance(kinds, str) else kinds
        if "string" in kinds:  # where text is welcome too, '01' stays the name of a folder
            return int(value) if "integer" in kinds and re.fullmatch(r"0|[1-9]\d{0,8}", value) else value
        if "integer" in kinds and re.fullmatch(r"[-+]?\d{1,30}", value):
            return int(value)
        if {"integer", "number"} & set(kinds) and re.fullmatch(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", value):
            return float(value)
        if kinds == ["boolean"] and value.lower() in ("true", "false"):
            return value.lower() == "true"
    return value


def with_defaults(value: dict, schema: dict) -> dict:
    """`value` with the default of every property that it leaves out, all the way down."""
    filled = dict(value)
    for key, property_schema in schema.get("properties", {}).items():
        if "default" in property_schema or key in filled:
            filled[key] = filled.get(key, property_schema.get("default"))
            if isinstance(filled[key], dict):
                filled[key] = with_defaults(filled[key], property_schema)
    return filled


def validate(value, schema: dict, place: str) -> None:
    """Raise UserError for the first complaint of a JSON schema, in words, or for a number that float32 has not."""
    errors = Draft202012Validator(schema).iter_errors(value)
    first = min(errors, key=lambda error: (len(error.path), str(error.path)), default=None)
    if first:
        raise UserError(_in_words(first, place))
    _check_numbers(value, place)


def _check_numbers(value, place: str) -> None:
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            _check_numbers(item, f"{place}.{key}".lstrip("."))
    elif isinstance(value, int | float) and not abs(value) <= LARGEST:  # as NaN is not
        raise UserError(f"{place}: found {quoted(value)}, expected a finite number of float32, -3.4e38 to 3.4e38")


def _in_words(error, place: str) -> str:
    place = ".".join(filter(None, [place, *(str(part) for part in error.absolute_path)])) or "top level"
    found, rule = error.instance, error.validator_value
    match error.validator:
        case "additionalProperties":
            known = error.schema.get("properties", {})
            return f"{place}: {unknown(next(key for key in found if key not in known), known)}"
        case "required":
            missing = [key for key in rule if key not in found]
            return f"{place}: {' and '.join(missing)} missing; found the keys {', '.join(found) or '(none)'}"
        case "enum":
            # Of a few words, one that looks alike may mean the opposite: 'gpu' is nearer to cpu than to cuda.
            return f"{place}: found {quoted(found)}{nearest(found, [str(item) for item in rule], cutoff=0.7)}"
        case "type":
            names = {"object": "keys and values", "array": "a list", "string": "text", "integer": "a whole number"}
            kinds = [names.get(kind, f"a {kind}") for kind in ([rule] if isinstance(rule, str) else rule)]
            return f"{place}: found {quoted(found)}, expected {' or '.join(kinds)}{_meant(place, found, rule)}"
        case "pattern":
            meaning = error.schema.get("description", f"text that matches {rule}")
            is_cut = str(found).count(")") > str(found).count("(")
            hint = "; a formula with a comma is put in quotes where it stands in { }" if is_cut else ""
            return f"{place}: found {quoted(found)}, expected {meaning}{hint}"
        case "minItems" | "maxItems" | "uniqueItems":
            low, high = error.schema.get("minItems", 0), error.schema.get("maxItems")
            size = f"{low}" if low == high else f"{low} to {high}" if high else f"at least {low}"
            unique = ", all different" if error.schema.get("uniqueItems") else ""
            return f"{place}: found {quoted(found)}, expected a list of {size} values{unique}"
    bounds = {
        "minimum": "at least",
        "maximum": "at most",
        "exclusiveMinimum": "more than",
        "exclusiveMaximum": "less than",
        "minLength": "a length of at least",
    }
    return f"{place}: found {quoted(found)}, expected {bounds.get(error.validator, error.validator)} {rule}"


def unknown(key: str, known) -> str:
    """The complaint about a key that is none of those known."""
    return f"unknown key '{key}'{_joined(key, known) or nearest(key, known) if known else '; it takes none'}"


def _joined(text: str, known) -> str:
    """A hint where a key and its value stand together: YAML wants a space between them."""
    name, colon, value = text.partition(":")
    return f"; a space is missing after '{name}:'" if colon and value and name in known else ""


def _meant(place: str, found, expected: str | list[str]) -> str:
    """What may have been meant by a value of the wrong type."""
    kinds = {expected} if isinstance(expected, str) else set(expected)
    is_setting = re.fullmatch(rf"(defaults|variants\..+)\.({'|'.join(SETTING_SCHEMAS)})(\.\d+)?", place)
    if isinstance(found, list) and is_setting and not kinds & {"array", "object"}:
        return "; to train one variant per value, write the list under sweeps"
    if not isinstance(found, str):
        return ""
    if "integer" in kinds and re.fullmatch(r"\d{1,3}(,\d{3})+", found):
        return f"; did you mean {found.replace(',', '')}?"
    if "number" in kinds and re.fullmatch(r"[-+]?\d*,\d+([eE][-+]?\d+)?", found):
        return f"; did you mean {found.replace(',', '.')}?"
    return _joined(found, SETTING_SCHEMAS) if "object" in kinds else ""


def quoted(value) -> str:
    """A value as a complaint shows it."""
    if isinstance(value, str):
        text = f"'{value}'"
    elif value is None:
        text = "nothing"
    else:
        text = json.dumps(value, default=str)
    return text if len(text) <= 60 else text[:59] + "…"
