"""What config.yaml means, and what it is refused for."""

import copy
import inspect
import re

import pytest
import torch
import yaml

from builders.places import ROOT
from builders.workflows import SECTIONS, handed
from common.errors import UserError
from common.files import sealed
from experiment.begun import Begun, keep_begun, read_begun
from experiment.config import Experiment, check
from experiment.effective import effective
from experiment.reading import read_config
from experiment.schema import SCHEMA
from reporting.provenance import as_yaml

DEFAULT = yaml.safe_load((ROOT / "config.yaml").read_text())


def with_change(path: str, value) -> dict:
    config = copy.deepcopy(DEFAULT)
    *parents, last = path.split("/")
    place = config
    for key in parents:
        place = place.setdefault(key, {})
    place[last] = value
    return config


def test_default_config_names_every_key():
    for section in ("data", "defaults"):
        described = set(SCHEMA["properties"][section]["properties"]) - {"md5"}
        assert set(DEFAULT[section]) == described


def test_default_config_agrees_with_the_schema_defaults():
    for section in ("data", "defaults"):
        for key, schema in SCHEMA["properties"][section]["properties"].items():
            if key in DEFAULT[section]:
                assert DEFAULT[section][key] == schema["default"], key


def test_every_key_of_the_schema_has_a_description():
    for name, section in SCHEMA["properties"].items():
        assert section["description"], name
        for key, schema in section.get("properties", {}).items():
            assert schema["description"], f"{name}.{key}"


def test_defaults_are_filled_in_and_overridden():
    settings = check(DEFAULT).variants
    assert settings["bce-raw"]["epochs"] == 200
    assert settings["manual-bce-unit-long"]["epochs"] == 400
    assert settings["bce-raw"]["loss_definition"] == ["module", "BCELoss", [], "yhat"]
    assert settings["bce-logits-raw"]["loss_definition"][-1] == "logits"


def test_order_of_keys_does_not_matter():
    turned = {key: DEFAULT[key] for key in reversed(DEFAULT)}
    turned["variants"] = {key: DEFAULT["variants"][key] for key in reversed(DEFAULT["variants"])}
    assert repr(check(turned)) == repr(check(DEFAULT))


BAD = [
    ("variants/bce-raw/los", "bce", "variants.bce-raw: unknown key 'los'; did you mean 'loss'?"),
    ("variants/bce-raw/loss", "bcee", "variants.bce-raw.loss: unknown loss 'bcee'; did you mean 'bce'?"),
    ("variants/bce-raw/normalization", "uint", "did you mean 'unit'?"),
    ("variants/bce-raw/lr", "fast", "variants.bce-raw.lr: found 'fast', expected a number"),
    ("variants/bce-raw/lr", 0, "variants.bce-raw.lr: found 0, expected more than 0"),
    ("variants/bce-raw/epochs", 1.5, "found 1.5, expected a whole number"),
    ("variants/bce-raw/seeds", [], "expected a list of at least 1 values"),
    ("variants/bce-raw/seeds", [1, 1], "all different"),
    ("variants/bce-raw/hidden", 64, "found 64, expected a list"),
    ("variants/bce-raw/activation", "Relu", "variants.bce-raw.activation: found 'Relu'"),
    ("variants/bce-raw/optimizer", {"name": "SGD", "momntum": 1}, "unknown key 'momntum'; did you mean 'momentum'?"),
    ("variants/bce-raw", None, "variants.bce-raw: found nothing"),
    ("variants/bce-raw", {"loss": "bce"}, "normalization missing"),
    ("variants/a\tb", {"loss": "bce", "normalization": "raw"}, "letters, digits"),
    ("variants/..", {"loss": "bce", "normalization": "raw"}, "letters, digits"),
    ("variants", {}, "expected at least one variant"),
    ("losses/manual-bce", "-mean(y * lgo(yhat))", "losses.manual-bce (variant manual-bce-raw): column 11"),
    ("losses/unused", "mean(", "losses.unused (no variant uses it)"),
    ("losses/bce", {"module": "BCELos"}, "did you mean 'BCELoss'?"),
    ("losses/bce", {"module": "BCELoss", "input": "logit"}, "input: found 'logit', expected yhat or logits"),
    ("losses/bce", {"formula": "mean(yhat)", "module": "BCELoss"}, "both formula and module"),
    ("losses/bce", {"eps": 1}, "found the keys eps"),
    ("losses/bce", {"formula": "mean(yhat) + log", "log": 1}, "already means something"),
    ("losses/bce", {"formula": ["mean(yhat)"]}, "expected text"),
    (
        "losses/bce",
        {"formula": "mean(yhat + \uff45ps)", "\uff45ps": 1},
        "a formula reads this name as 'eps'",
    ),
    ("normalizations/raw", "mean", "normalizations.raw (variant bce-logits-raw)"),
    ("data/classes", [3, 3], "data.classes"),
    ("data/classes", [1, 10], "data.classes: found 10, expected a digit from 0 to 9"),
    ("data/classes", ["cat", "dog"], "data.classes: found 'cat', expected a digit from 0 to 9"),
    ("data/source", "mnits", "data.source: found 'mnits', which is no file or folder; did you mean 'mnist'?"),
    ("data/source", "~no-such-user/x.tgz", "no file or folder"),
    ("data/source", "x" * 5000, "no file or folder"),
    ("data/source", "http://127.0.0.1/", "expected the URL of a .tgz file"),
    ("data/source", "a{b}.tgz", "expected a path without braces"),
    ("data/timeout", 1e300, "at most 86400"),
    ("defaults/lr", 1e300, "at most 1e+30"),
    ("variants/a\n", {"loss": "bce", "normalization": "raw"}, "letters, digits"),
    ("losses/bce", "BCELoss", "did you mean '{module: BCELoss}'?"),
    ("losses/bce", {"module": "BCELoss", "input": "logits"}, "for logits use BCEWithLogitsLoss"),
    ("losses/bce", {"module": "MSELoss", "name": "x"}, "unknown key 'name'"),
    ("losses/bce", "mean((yhat > 0.5) != y)", "a comparison has no gradient"),
    ("losses/bce", {"formula": "mean(log(yhat + eps))", "eps": 1e-50}, "is 0 in float32"),
    ("losses/bce", "mean(yhat * 1e39)", "not a finite number of float32"),
    ("variants/bce-raw/optimizer", {"name": "SGD", "nesterov": True}, "nesterov needs a momentum above 0"),
    ("variants/bce-raw/optimizer", {"name": "Rprop", "etas": [1.2, 0.5]}, "expected less than 1"),
    ("variants/bce-raw/activation", {"name": "RReLU", "lower": 0.5, "upper": 0.2}, "expected lower below upper"),
    (
        "variants/bce-raw/activation",
        {"name": "Hardtanh", "min_val": 1, "max_val": -1},
        "expected min_val below max_val",
    ),
    ("variants/bce-raw/activation", {"name": "Softplus", "beta": 0}, "expected more than 0"),
    (
        "variants/bce-raw/activation",
        {"name": "ELU", "alpha": 1e39},
        "alpha: found 1e+39, expected a finite number of float32",
    ),
    ("variants/bce-raw/activation", {"name": "ELU", "alpha": 10**399}, "alpha: found 1000"),
    ("variants/bce-raw/optimizer", {"name": "ASGD", "t0": "-1e39"}, "ASGD.t0: found -1e+39, expected a finite"),
    ("losses/bce", {"module": "HuberLoss", "delta": 1e39}, "losses.bce.delta: found 1e+39, expected a finite"),
    ("data/fallback", "sampel", "did you mean 'sample'?"),
    ("data/mirrors", [], "at least 1"),
    ("data/timeout", 0, "expected more than 0"),
    ("dta", {}, "unknown key 'dta'; did you mean 'data'?"),
    ("variants/bce-raw/" + "z" * 20_000, 1, "variants.bce-raw: unknown key 'zzz"),
    ("variants/bce-raw/loss", "z" * 20_000, "variants.bce-raw.loss: unknown loss 'zzz"),
    ("defaults/lr", float("nan"), "expected a finite number"),
]


@pytest.mark.parametrize(("path", "value", "words"), BAD, ids=[path[:60] for path, _, _ in BAD])
def test_bad_config_is_one_line_that_names_the_place(path, value, words):
    with pytest.raises(UserError) as error:
        check(with_change(path, value))
    assert words in str(error.value)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 600


def test_only_some_of_many_names_are_listed():
    many = DEFAULT | {"losses": DEFAULT["losses"] | {f"loss-{n:03}": "mean(yhat)" for n in range(500)}}
    many["variants"] = {"v": {"loss": "zzz", "normalization": "raw"}}
    with pytest.raises(UserError, match=r"expected one of: bce, .*, loss-027, and 474 more$"):
        check(many)


def test_numbers_that_yaml_reads_as_text_are_numbers():
    assert check(with_change("defaults/lr", "1e-3")).variants["bce-raw"]["lr"] == 0.001


def test_command_line_text_is_typed_by_the_schema():
    experiment = check(with_change("data/classes", ["4", "9"]))
    assert experiment.data["classes"] == [4, 9]


def _parameters(cls) -> dict:
    return inspect.signature(cls.__init__).parameters


@pytest.mark.parametrize(
    ("kind", "name"),
    [(kind, name) for kind in ("losses", "activations", "optimizers") for name in SCHEMA["$defs"][kind]],
)
def test_names_and_arguments_of_the_schema_are_those_of_torch(kind, name):
    cls = getattr(torch.optim if kind == "optimizers" else torch.nn, name)
    parameters = _parameters(cls)
    for argument, described in SCHEMA["$defs"][kind][name].get("properties", {}).items():
        assert argument in parameters
        schema = SCHEMA["$defs"][described["$ref"].rsplit("/", 1)[1]] if "$ref" in described else described
        if "default" in schema:
            default = parameters[argument].default
            assert schema["default"] == (list(default) if isinstance(default, tuple) else default)


@pytest.mark.parametrize(
    "optimizer", [{"name": "AdamW", "betas": [0, 0.9]}, {"name": "Rprop", "etas": [0.5, 2], "step_sizes": [0, 50]}]
)
def test_numbers_without_a_point_suit_torch(optimizer):
    from training.optimizer import build_optimizer

    experiment = check(with_change("variants/bce-raw/optimizer", optimizer))
    build_optimizer(experiment.variants["bce-raw"]["optimizer"], 0.1, [torch.zeros(1, requires_grad=True)])


def test_md5_sums_may_be_in_capitals():
    capitals = {name: md5.upper() for name, md5 in check(DEFAULT).data["md5"].items()}
    assert check(with_change("data/md5", capitals)) == check(DEFAULT)


def test_md5_sums_are_those_that_torchvision_checks():
    from images.vision import torchvision

    ours = {
        name: schema["default"]
        for name, schema in SCHEMA["properties"]["data"]["properties"]["md5"]["properties"].items()
    }
    assert ours == dict(torchvision.datasets.MNIST.resources)


def test_conda_environment_has_the_versions_of_requirements_txt():
    pins = re.findall(r"^(\S+==\S+)$", (ROOT / "requirements.txt").read_text(), flags=re.MULTILINE)
    environment = yaml.safe_load((ROOT / "workflow/envs/mnist01.yaml").read_text())
    assert environment["dependencies"][-1]["pip"]
    assert set(environment["dependencies"][-1]["pip"]) <= set(pins)


SWEEPS = {
    "lr: [0.0005, 0.002]": ["s-lr=0.0005", "s-lr=0.002"],
    "lr: [1e-3, 2]": ["s-lr=0.001", "s-lr=2"],
    "epochs: 3": ["s"],
    "epochs: [3, 4]\n  lr: [0.1]": ["s-lr=0.1-epochs=3", "s-lr=0.1-epochs=4"],
    "hidden: [[], [64], [32, 16]]": ["s-hidden=none", "s-hidden=64", "s-hidden=32x16"],
    "hidden: [32, 16]": ["s"],
    "seeds: [[1], [2, 3]]": ["s-seeds=1", "s-seeds=2x3"],
    "optimizer: [Adam, {name: SGD, momentum: 0.9}]": ["s-optimizer=Adam", "s-optimizer=SGD+momentum=0.9"],
    "activation: [ReLU, Tanh]": ["s-activation=ReLU", "s-activation=Tanh"],
}


@pytest.mark.parametrize("text", SWEEPS)
def test_sweep_expands_to_the_product_of_its_lists(text):
    config = copy.deepcopy(DEFAULT) | {"variants": {}}
    config["sweeps"] = yaml.safe_load(f"s:\n  loss: bce\n  normalization: unit\n  {text}")
    assert sorted(check(config).variants) == sorted(SWEEPS[text])


def test_sweep_of_losses_and_normalizations_has_their_names():
    config = copy.deepcopy(DEFAULT)
    config["sweeps"] = {"lr-study": {"normalization": ["unit"], "lr": [0.0005], "loss": ["bce"]}}
    settings = check(config).variants["lr-study-bce-unit-lr=0.0005"]
    assert (settings["loss"], settings["normalization"], settings["lr"]) == ("bce", "unit", 0.0005)


@pytest.mark.parametrize(
    ("sweep", "words"),
    [
        ({"lr": []}, "sweeps.s.lr: found an empty list"),
        ({"lr": [1, 1]}, "'s-lr=1' is declared twice"),
        ({"lr": [1, 2], "epohs": [3]}, "sweeps.s: unknown key 'epohs'; did you mean 'epochs'?"),
        ({"lr": [0.1, "fast"]}, "sweeps.s.lr: found 'fast', expected a number"),
        ({"epochs": list(range(1, 200)), "lr": list(range(1, 200))}, "expands to 39601 variants"),
        ({"loss": ["bce", "bcee"]}, "sweeps.s (variant s-bcee).loss: unknown loss 'bcee'; did you mean 'bce'?"),
        ({"optimizer": [{"name": "SGD", "momentum": -1}]}, "SGD.momentum: found -1"),
    ],
)
def test_bad_sweep_is_one_line_that_names_the_place(sweep, words):
    config = copy.deepcopy(DEFAULT) | {"sweeps": {"s": {"loss": "bce", "normalization": "unit"} | sweep}}
    with pytest.raises(UserError) as error:
        check(config)
    assert words in str(error.value)


def test_sweep_that_clashes_with_a_variant_is_refused():
    config = with_change("variants/s-lr=0.1", {"loss": "bce", "normalization": "unit"})
    config["sweeps"] = {"s": {"loss": "bce", "normalization": "unit", "lr": [0.1]}}
    with pytest.raises(UserError, match=r"sweeps\.s: variant 's-lr=0\.1' is declared twice"):
        check(config)


def with_everything(tmp_path) -> dict:
    """Arguments, constants, a swept optimizer, layers of none, names that look like other things."""
    return {
        "data": {"mirrors": [str(tmp_path), "https://example.org/mnist/"], "classes": [3, 8], "timeout": 7},
        "defaults": {"hidden": [], "optimizer": {"name": "Adam", "betas": [0.5, 0.9]}, "lr": 1e-7, "seeds": [3, 1]},
        "diagnosis": {"trials": 0},
        "normalizations": {"unit": "x / 255", "some": {"formula": "(x - a) / b", "b": 2, "a": 1e-9}, "unused": "x"},
        "losses": {
            "bce": {"module": "BCEWithLogitsLoss", "input": "logits", "pos_weight": 2},
            "eps": {"formula": "-mean(log(yhat + e))", "e": 1e-7},
            "no": "mean(yhat)",
        },
        "variants": {
            "1e5": {"loss": "no", "normalization": "unit", "activation": {"name": "LeakyReLU", "negative_slope": 1}},
            "yes": {"loss": "no", "normalization": "some", "optimizer": "Adam", "epochs": 3, "note": "a: b"},
        },
        "sweeps": {"s": {"loss": ["bce", "eps"], "normalization": "unit", "hidden": [[], [64, 32]], "lr": [1, 0.5]}},
    }


def test_effective_config_gives_the_same_experiment(tmp_path):
    config = with_everything(tmp_path)
    path = tmp_path / "config.yaml"
    path.write_text(as_yaml(effective(handed(check(config), *SECTIONS))))
    again = read_config(str(path))
    assert check(again) == check(config)
    assert "sweeps" not in again and len(again["variants"]) == 10
    assert again["variants"]["yes"] == {
        "loss": "no",
        "normalization": "some",
        "optimizer": "Adam",
        "epochs": 3,
        "note": "a: b",
    }
    # As --configfile beside the config that it was made of: Snakemake puts the one over the other.
    assert check(config | {key: {**config[key], **again[key]} for key in again}) == check(config)


def test_jobs_have_the_experiment_that_their_run_began_with(tmp_path):
    """Written as its run begins, and read by each job that is a snakemake of its own."""
    config = with_everything(tmp_path)
    config["variants"]["yes"]["note"] = "\ud800 // é\n// {x}"  # half a pair: as YAML has it, no UTF-8 can hold it
    experiment, path = check(config), tmp_path / "run"
    keep_begun(Begun("# é\nlosses: …\n", False, vars(experiment)), path)
    found = read_begun(path)
    assert (found.text, found.is_all) == ("# é\nlosses: …\n", False)
    assert Experiment(**found.experiment) == experiment
    for damage in (path.read_text()[:-5], path.read_text().replace("losses", "lasses"), sealed("[]"), sealed("{}")):
        path.write_text(damage)
        with pytest.raises(UserError, match="run: damaged: not"):
            read_begun(path)


def test_paths_in_the_effective_config_mean_the_same_in_any_folder(tmp_path, monkeypatch):
    config = with_everything(tmp_path)
    config["data"]["mirrors"] = ["here", "https://example.org/"]
    monkeypatch.chdir(tmp_path)
    assert yaml.safe_load(as_yaml(effective(handed(check(config), *SECTIONS))))["data"]["mirrors"] == [
        str(tmp_path / "here"),
        "https://example.org/",
    ]
