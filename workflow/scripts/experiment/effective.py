"""The effective config: every default filled in, every sweep expanded; a config.yaml that gives the same experiment."""

from records.training import as_named


def effective(experiment: dict) -> dict:
    """What config.yaml would say; a variant names what differs from `defaults`.

    experiment: the fields of an Experiment (experiment/config.py).
    """
    defaults, notes = _settings(experiment["defaults"]), experiment["notes"]
    return {
        "data": experiment["data"],
        "defaults": defaults,
        "diagnosis": experiment["diagnosis"],
        "normalizations": {
            name: _formula(text, constants) for name, (text, constants) in experiment["normalizations"].items()
        },
        "losses": {name: _loss(*definition) for name, definition in experiment["losses"].items()},
        "variants": {
            name: {key: value for key, value in _settings(settings).items() if value != defaults.get(key)}
            | ({"note": notes[name]} if name in notes else {})
            for name, settings in experiment["variants"].items()
        },
    }


def _settings(settings: dict) -> dict:
    """Of a variant or of defaults, in the form of config.yaml."""
    plain = as_named(settings)
    return plain | {key: _named("name", *plain[key]) for key in ("activation", "optimizer")}


def _loss(kind: str, text: str, constants: list, fed: str | None = None):
    return _formula(text, constants) if kind == "formula" else {"module": text, "input": fed, **dict(constants)}


def _formula(text: str, constants: list):
    return _named("formula", text, constants)


def _named(key: str, text: str, arguments: list):
    """A formula or a name alone, or beside its arguments."""
    return {key: text, **dict(arguments)} if arguments else text
