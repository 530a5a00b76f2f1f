"""config.yaml, checked against the schema and expanded into the variants to train.

Every complaint is one line that names the place, what was found, what was expected, and the nearest right name.
This module is imported by the Snakefile, so it imports no torch, pandas or matplotlib.
"""

import re
import sys
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from common.english import counted
from common.errors import UserError, nearest, some
from experiment.definitions import loss_definition, normalization_definition, torch_definition
from experiment.schema import SCHEMA, plain, quoted, typed, validate, with_defaults
from experiment.sweeps import expand
from formulas.float32 import LARGEST
from images import png
from records.training import training_key

BUILT_IN_SOURCES = ("mnist", "sample")
MOST_WEIGHTS = 100_000_000  # of a network; Adam has four numbers of each


@dataclass(frozen=True)
class Experiment:
    """A checked config, every default filled in.

    data: the settings under `data`; diagnosis: those under `diagnosis`.
    normalizations: {name: [formula, [[constant, value], …]]} of those that a variant uses.
    defaults: what a variant has that says nothing else.
    losses: {name: definition} of all, sorted by name; a definition is a variant's `loss_definition`.
    variants: {name: settings}, sorted by name. `loss` and `normalization` are names; `loss_definition` is
        ['formula', text, [[constant, value], …]] or ['module', name, [[argument, value], …], 'yhat' or 'logits'];
        `activation` and `optimizer` are [name, [[argument, value], …]].
    notes: {variant: what its `note` says} of those that have one.
    """

    data: dict
    diagnosis: dict
    normalizations: dict
    defaults: dict
    losses: dict
    variants: dict
    notes: dict

    @property
    def in_words(self) -> str:
        losses, normalizations = (
            len({one[key] for one in self.variants.values()}) for key in ("loss", "normalization")
        )
        of = f"{counted(losses, 'loss', 'losses')} and {counted(normalizations, 'normalization')}"
        return f"{counted(len(self.variants), 'variant')} of {of}"

    @property
    def warnings(self) -> list[str]:
        """A line for each thing that is allowed and was hardly meant: several names of one training, a constant that
        its formula does not have."""
        lines = []
        formulas = {f"losses.{name}": of[1:3] for name, of in self.losses.items() if of[0] == "formula"}
        formulas |= {f"normalizations.{name}": of for name, of in self.normalizations.items()}
        for place, (text, constants) in formulas.items():
            for name, _ in constants:
                if name not in re.findall(r"\w+", text):
                    lines.append(f"{place}: constant '{name}' is not in its formula")
        same: dict[str, list[str]] = {}
        for name, settings in self.variants.items():
            same.setdefault(training_key(settings), []).append(name)
        models = "equal settings, so that their models are the same"
        return lines + [f"variants {some(names)}: {models}" for names in same.values() if len(names) > 1]

    @property
    def local_archive(self) -> list[str]:
        """The .tgz on this machine that the images come from, if any."""
        source = self.data["source"]
        return [] if source in BUILT_IN_SOURCES or "://" in source or Path(source).is_dir() else [source]

    @property
    def fingerprint(self) -> str | None:
        """What changes with the folder or archive on this machine that the images come from, if any."""
        source = self.data["source"]
        return png.fingerprint(Path(source)) if source not in BUILT_IN_SOURCES and Path(source).exists() else None


def checked(config: dict) -> Experiment:
    """What `check` gives; where something is wrong, this process ends with one line and status 1: an exception would
    add the Snakefile's own lines."""
    try:
        return check(config)
    except UserError as error:
        sys.exit(f"error: {error}")


def check(config: dict) -> Experiment:
    """The experiment that a config describes. Raises UserError for whatever is wrong in it."""
    try:
        return _check(config)
    except RecursionError:
        raise UserError("config: nested too deeply") from None
    except UserError as error:
        raise UserError(f"config: {error}") from None


def _check(config: dict) -> Experiment:
    config = typed(plain(config, ""), SCHEMA)
    validate(config, SCHEMA, "")
    config = with_defaults(config, SCHEMA)
    variants = dict(config["variants"])
    places = {name: f"variants.{name}" for name in variants}
    for sweep, lists in config["sweeps"].items():
        for name, settings in expand(sweep, lists).items():
            # The same as a variant is: results/config.yaml, where all are expanded, over the config with the sweep.
            if name in variants and config["defaults"] | variants[name] != config["defaults"] | settings:
                raise UserError(f"sweeps.{sweep}: variant '{name}' is declared twice")
            variants[name] = settings
            places[name] = f"sweeps.{sweep} (variant {name})"
    if not variants:
        raise UserError("variants: found none, expected at least one variant or sweep")

    for section, names in (("variants", variants), ("normalizations", config["normalizations"])):
        for name in names:  # Snakemake refuses these, for it takes them for a recursion
            if name.count(name[-1]) >= 20 and re.search(r"(.+)\1{19}$", name):
                raise UserError(f"{section}: found {quoted(name)}, which repeats a piece of itself 20 times")

    losses = {name: loss_definition(value) for name, value in config["losses"].items()}
    normalizations = {name: normalization_definition(value) for name, value in config["normalizations"].items()}
    checked = {
        name: _variant(name, variants[name], places[name], config, losses, normalizations) for name in sorted(variants)
    }
    for section, definitions in (("losses", losses), ("normalizations", normalizations)):
        for name, definition in definitions.items():
            _good(definition, f"{section}.{name} (no variant uses it)")
    used = sorted({settings["normalization"] for settings in checked.values()})
    data = {key: config["data"][key] for key in SCHEMA["properties"]["data"]["properties"]}
    data["source"] = _source(data["source"], data["classes"])
    data["md5"] = {name: md5.lower() for name, md5 in data["md5"].items()}
    defaults = config["defaults"] | {"lr": float(config["defaults"]["lr"])}
    for key, kind in (("activation", "activations"), ("optimizer", "optimizers")):
        defaults[key] = torch_definition(defaults[key], kind, f"defaults.{key}")
    return Experiment(
        data=data,
        diagnosis={"trials": int(config["diagnosis"]["trials"])},
        normalizations={name: normalizations[name] for name in used},
        defaults=defaults,
        losses=dict(sorted(losses.items())),
        variants=checked,
        notes={name: variants[name]["note"] for name in sorted(variants) if variants[name].get("note")},
    )


def _source(source: str, classes: list) -> str:
    """data.source, `~` expanded, if it and data.classes fit what is there."""
    if source in BUILT_IN_SOURCES:
        for digit in classes:
            if not isinstance(digit, int) or not 0 <= digit <= 9:
                raise UserError(f"data.classes: found {quoted(digit)}, expected a digit from 0 to 9")
        return source
    if "://" in source:
        if source.endswith("/") or source.partition("://")[0].lower() not in ("http", "https", "ftp", "file"):
            raise UserError(f"data.source: found {quoted(source)}, expected the URL of a .tgz file")
        return source
    if "{" in source or "}" in source:
        raise UserError(f"data.source: found {quoted(source)}, expected a path without braces")
    try:
        path = Path(source).expanduser()
        is_there = path.is_file() or path.is_dir()
    except (OSError, RuntimeError, ValueError):  # a name too long, no such user, a zero byte
        is_there = False
    if not is_there:
        hint = nearest(source, BUILT_IN_SOURCES)
        raise UserError(f"data.source: found {quoted(source)}, which is no file or folder{hint}")
    png.look_at(path, [str(name) for name in classes])
    return str(path)


def _variant(name: str, settings: dict, place: str, config: dict, losses: dict, normalizations: dict) -> dict:
    for key, definitions in (("loss", losses), ("normalization", normalizations)):
        wanted = settings[key]
        if wanted not in definitions:
            raise UserError(f"{place}.{key}: unknown {key} '{wanted}'{nearest(wanted, definitions)}")

    def torch_name(key: str, kind: str) -> list:
        origin = f"{place}.{key}" if key in settings else f"defaults.{key} (variant {name})"
        return torch_definition((config["defaults"] | settings)[key], kind, origin)

    activation, optimizer = torch_name("activation", "activations"), torch_name("optimizer", "optimizers")
    settings = config["defaults"] | settings
    widths = [28 * 28, *(int(width) for width in settings["hidden"]), 1]
    if (weights := sum(above * (below + 1) for below, above in pairwise(widths))) > MOST_WEIGHTS:
        raise UserError(f"{place}.hidden: found {weights:,} weights, expected at most {MOST_WEIGHTS:,}")
    if optimizer[0] == "ASGD":
        _check_rate(dict(optimizer[1]), settings["lr"], settings["epochs"], place)
    return {
        "loss": settings["loss"],
        "loss_definition": _good(losses[settings["loss"]], f"losses.{settings['loss']} (variant {name})"),
        "normalization": settings["normalization"],
        "normalization_definition": _good(
            normalizations[settings["normalization"]], f"normalizations.{settings['normalization']} (variant {name})"
        ),
        "hidden": [int(width) for width in settings["hidden"]],  # a schema takes 8.0 for a whole number
        "activation": activation,
        "optimizer": optimizer,
        "lr": float(settings["lr"]),
        "epochs": int(settings["epochs"]),
        "seeds": [int(seed) for seed in settings["seeds"]],
        "device": settings["device"],
    }


def _check_rate(arguments: dict, lr: float, epochs: int, place: str) -> None:
    """ASGD divides its rate by a power, which Python must be able to compute at the first step and the last."""
    lambd, alpha = arguments.get("lambd", 1e-4), arguments.get("alpha", 0.75)
    for step in (1, epochs):
        try:
            rate = lr / (1 + lambd * lr * step) ** alpha
        except ArithmeticError:
            rate = None
        if not isinstance(rate, float) or not abs(rate) <= LARGEST:
            raise UserError(
                f"{place}: ASGD: found alpha {alpha:g}, lambd {lambd:g} and lr {lr:g}, with which its rate "
                f"lr / (1 + lambd * lr * {step}) ** alpha is no number of float32"
            )


def _good(definition, place: str) -> list:
    """A definition, unless it is the complaint about one: only now is it known which variant suffers from it."""
    if isinstance(definition, UserError):
        raise UserError(f"{place}: {definition}")
    return definition
