"""What config.yaml says of one loss, normalization, activation or optimizer, as the plain lists that jobs are given."""

from common.errors import UserError, nearest
from experiment.schema import SCHEMA, quoted, typed, validate
from formulas.float32 import SMALLEST_NORMAL
from formulas.parsing import FormulaError, parse_loss, parse_normalization


def loss_definition(value) -> list | UserError:
    """['formula', text, constants] or ['module', name, arguments, fed] of a loss; or the complaint about it."""
    try:
        if isinstance(value, dict) and "module" in value:
            if "formula" in value:
                raise UserError("found both formula and module, expected one of them")
            arguments = {key: value[key] for key in value if key not in ("module", "input")}
            if "name" in arguments:
                raise UserError("unknown key 'name': a loss has its torch.nn name under module")
            fed = value.get("input", "yhat")
            if fed not in ("yhat", "logits"):
                raise UserError(f"input: found {quoted(fed)}, expected yhat or logits")
            if value["module"] == "BCELoss" and fed == "logits":
                raise UserError("input: BCELoss takes yhat, which is between 0 and 1; for logits use BCEWithLogitsLoss")
            return ["module", *torch_definition({"name": value["module"], **arguments}, "losses", "module"), fed]
        if isinstance(value, str) and value in SCHEMA["$defs"]["losses"]:
            raise UserError(f"found {quoted(value)}; did you mean '{{module: {value}}}'?")
        text, constants = _formula(value, "formula, or module")
        parse_loss(text, constants)
        return ["formula", text, sorted([key, float(value)] for key, value in constants.items())]
    except UserError as error:
        return error


def normalization_definition(value) -> list | UserError:
    """[formula, constants] of a normalization; or the complaint about it."""
    try:
        text, constants = _formula(value, "formula")
        parse_normalization(text, constants)
        return [text, sorted([key, float(value)] for key, value in constants.items())]
    except UserError as error:
        return error


def _formula(value, expected: str) -> tuple[str, dict]:
    """The text of a formula, white space folded, and the constants beside it."""
    if not isinstance(value, dict):
        value = {"formula": value}
    if "formula" not in value:
        raise UserError(f"found the keys {', '.join(value) or '(none)'}, expected {expected}")
    if isinstance(value["formula"], dict | list | bool | None):
        raise FormulaError(f"formula: found {quoted(value['formula'])}, expected text")
    text = str(value["formula"])
    if None in value.values() and text.count("(") > text.count(")"):  # { } has made keys of the rest
        raise FormulaError(f"formula: found {quoted(text)}, which a comma cuts off: put all of it in quotes")
    constants = {key: typed(value[key], {"type": "number"}) for key in value if key != "formula"}
    return " ".join(text.split()), constants


def torch_definition(value, kind: str, place: str) -> list:
    """[name, [[argument, value], …]] of a torch.nn or torch.optim class, its arguments checked."""
    if not isinstance(value, dict):
        value = {"name": value}
    name = value.get("name")
    known = SCHEMA["$defs"][kind]
    if not isinstance(name, str) or name not in known:
        package = "torch.optim" if kind == "optimizers" else "torch.nn"
        if name is None:
            keys = ", ".join(map(str, value)) or "(none)"
            raise UserError(f"{place}: found the keys {keys}, expected name, with a space after its colon")
        raise UserError(f"{place}: found {quoted(name)}, which is none of {package} that fits{nearest(name, known)}")
    schema = {"type": "object", "additionalProperties": False, **known[name], "$defs": SCHEMA["$defs"]}
    arguments = typed({argument: value[argument] for argument in value if argument != "name"}, schema)
    validate(arguments, schema, f"{place}: {name}")
    for argument, found in arguments.items():
        if isinstance(found, float) and 0 < abs(found) < SMALLEST_NORMAL:  # torch divides by some of them
            raise UserError(
                f"{place}: {name}.{argument}: found {found:g}, expected 0 or at least 1.2e-38, as float32 has"
            )
    _check_together(name, arguments, f"{place}: {name}")
    kinds = {argument: of.get("type") for argument, of in schema["properties"].items()}
    return [name, sorted([argument, _floats(value, kinds[argument])] for argument, value in arguments.items())]


def _floats(value, kind: str | None):
    """Numbers as floats: of two, torch wants both, or refuses betas: [0, 0.9]; and whole ones have 64 bits at most."""
    if isinstance(value, list):
        return list(map(float, value))
    return float(value) if kind == "number" else value


def _check_together(name: str, arguments: dict, place: str) -> None:
    """What torch wants of two arguments at once, which the schema can not say."""
    for cls, low, high in (("Hardtanh", "min_val", "max_val"), ("RReLU", "lower", "upper")):
        if name == cls:
            known = SCHEMA["$defs"]["activations"][cls]["properties"]
            a, b = (arguments.get(key, known[key]["default"]) for key in (low, high))
            if a >= b:
                raise UserError(f"{place}: found {low} {a} and {high} {b}, expected {low} below {high}")
    if arguments.get("nesterov") and (not arguments.get("momentum") or arguments.get("dampening")):
        raise UserError(f"{place}: nesterov needs a momentum above 0, and no dampening")
