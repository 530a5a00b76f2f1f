"""Changes as lines for config.yaml. No torch here: the page shortens them."""

import yaml

from records.training import KEYS, as_named


def snippet(variant: str, seed: int, settings: dict, changed: dict, suffix: str) -> str:
    """The variant with a change, as a variant of its own: all of its settings, so that it is the same beside any
    defaults, and the one seed that was tried.

    settings: of the variant, as its job has them; changed: those of them that another value replaces. suffix: of the
    names of what is new.
    """
    other = settings | changed
    loss, normalization = settings["loss"], settings["normalization"]
    sections: dict[str, dict] = {}
    if "loss_definition" in changed:
        loss = _name(loss, suffix)
        sections["losses"] = {loss: _loss_as_typed(other["loss_definition"])}
    if "normalization_definition" in changed:
        normalization = _name(normalization, suffix)
        sections["normalizations"] = {normalization: other["normalization_definition"][0]}
    entry = as_named({key: other[key] for key in KEYS}) | {"loss": loss, "normalization": normalization}
    entry |= {key: as_typed(other[key]) for key in ("activation", "optimizer")} | {"seeds": [seed]}
    sections["variants"] = {_name(variant, suffix): entry}
    return as_lines(sections)


def same_function(definition: list) -> str:
    """What a rewrite is of the loss with this loss_definition, in words."""
    return f"the same function{' without a cut of the logarithms at −100' if definition[1] == 'BCELoss' else ''}"


def as_lines(sections: dict) -> str:
    """YAML, each entry of a section on a line of its own: it is copied into the section that is there already."""
    root = yaml.compose(yaml.safe_dump(sections, sort_keys=False), yaml.SafeLoader)
    for _, section in root.value:
        for _, entry in section.value:
            entry.flow_style = True
    return yaml.serialize(root, Dumper=yaml.SafeDumper, allow_unicode=True, width=10_000)


def as_typed(definition: list) -> str | dict:
    """An optimizer or activation, [name, [[argument, value], …]], as config.yaml has it."""
    name, arguments = definition
    return {"name": name, **dict(arguments)} if arguments else name


def _name(name: str, suffix: str) -> str:
    """At most 100 characters."""
    return f"{name[: 99 - len(suffix)]}-{suffix}"


def _loss_as_typed(definition: list) -> dict | str:
    if definition[0] == "formula":
        _, text, constants = definition
        return {"formula": text, **dict(constants)} if constants else text
    _, name, arguments, fed = definition
    return {"module": name, **dict(arguments), "input": fed}
