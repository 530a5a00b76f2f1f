"""Damaged configs: each is refused in one line that names the place, or every job of a run with it ends well."""

import copy
import math

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from builders.cases import cases
from builders.pipeline import ONE_LINE, Pipeline, checked
from builders.places import ROOT
from builders.workflows import Workflow
from common.errors import UserError
from experiment.config import Experiment
from experiment.reading import read_config
from experiment.schema import SCHEMA

SMALL = """\
data: {source: sample}
defaults: {hidden: [3], epochs: 4, seeds: [1, 2]}
diagnosis: {trials: 1}
normalizations:
  unit: x / 255
  scaled: {formula: (x - mean) / scale, scale: 80.0}
losses:
  bce: {module: BCELoss}
  logits: {module: BCEWithLogitsLoss, input: logits, pos_weight: 2}
  typed: {formula: "-mean(y * log(yhat + eps) + (1 - y) * log(1 - yhat + eps))", eps: 1e-7}
variants:
  a: {loss: bce, normalization: unit, note: the first}
  b: {loss: typed, normalization: scaled, optimizer: {name: SGD, momentum: 0.9}, lr: 0.1}
sweeps:
  s: {loss: logits, normalization: unit, lr: [0.01, 1], activation: [ReLU, {name: ELU, alpha: 0.5}]}
"""
PIECES = ["", *" \n\t\x00:,[]{}'\"#-|>~0é", ": ", "--- ", "...", "<<", "&a", "*a", "!!bool ", "!!int ", "%YAML 9"]
PIECES += ["\ud7ff", "null", "true", "-1", "1e400", ".nan", ".inf", "1,5", "0x10", "1_0", "2026-11-27", "1" * 400]
PIECES += ["x" * 5000, "name", "loss", "lr", "epochs", "yhat", "mean(", "sum"]
VALUES = [None, True, 0, -1, 1.5, math.nan, math.inf, 10**400, 1e-320, 1e39, "", "x", "0,1", [], [[]], {}, {"a": {}}]
VALUES += [{"name": "x"}, [1, "x"], "a\nb", "é" * 300, {1: 2}, "lr", ["ReLU"] * 3, 2**31, "1e-3", {"formula": None}]


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory) -> Pipeline:
    return Pipeline(tmp_path_factory.mktemp("pipeline"))


@st.composite
def damaged_texts(draw) -> str:
    text = draw(st.sampled_from([SMALL, (ROOT / "config.yaml").read_text()]))
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(text)))
        text = text[:start] + draw(st.sampled_from(PIECES)) + text[start + draw(st.integers(0, 12)) :]
    return text


def _places(value, path=()):
    """The path of everything in a config, from the top."""
    yield path
    for key, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from _places(item, (*path, key))


@st.composite
def damaged_values(draw) -> dict:
    """A config in which a value is another one, gone, or stands beside an unknown key."""
    config = yaml.safe_load(SMALL)
    for _ in range(draw(st.integers(1, 2))):
        place = draw(st.sampled_from(list(_places(config))[1:]))
        holder = config
        for key in place[:-1]:
            holder = holder[key]
        keys = [*SCHEMA["properties"]["defaults"]["properties"], "seed", "Lr", 1, "loss"]
        match draw(st.sampled_from(["another", "gone", "beside"])):
            case "gone":
                del holder[place[-1]]
            case "beside" if isinstance(holder, dict):
                holder[draw(st.sampled_from(keys))] = copy.deepcopy(draw(st.sampled_from(VALUES)))
            case _:
                holder[place[-1]] = copy.deepcopy(draw(st.sampled_from(VALUES)))
    return config


def is_small(experiment: Experiment) -> bool:
    """Whether all its trainings take seconds, and its images are those of the pipeline here."""
    of = experiment.variants.values()
    steps = sum(one["epochs"] * len(one["seeds"]) * (1 + sum(one["hidden"])) for one in of)
    return steps < 2000 and experiment.data["classes"] == [0, 1] and {one["device"] for one in of} == {"cpu"}


def run(pipeline: Pipeline, experiment: Experiment | None) -> None:
    if experiment and is_small(experiment):
        pipeline.run(experiment)


@settings(max_examples=cases(300, 900), suppress_health_check=list(HealthCheck))
@given(damaged_texts())
def test_damaged_text_is_refused_in_a_line_or_runs(pipeline, tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "config.yaml"
    path.write_bytes(text.encode(errors="surrogatepass"))
    try:
        config = read_config(path)
    except UserError as error:
        assert len(str(error)) < ONE_LINE + len(str(path))
        assert str(error).startswith(str(path))
        return
    experiment = checked(config)
    if cases(0, 1):
        run(pipeline, experiment)


@settings(max_examples=cases(25, 900), suppress_health_check=list(HealthCheck))
@given(damaged_values())
def test_damaged_value_is_refused_in_a_line_or_runs(pipeline, config):
    run(pipeline, checked(config))


EXTREMES = [0, -0.0, 1, -1, 2, 1e-45, 1e-38, 1e-300, 5e-324, 0.999999999, 1e10, -1e10, 1e38, 3.4e38, -3.4e38, 3.5e38]
EXTREMES += [1e300, 10**18, 2**31, 2**63, 2**64, 10**400, math.inf, math.nan, True, "1e-3", None, [0, 1], [1e38, 1e38]]
SECTIONS = {"activations": "activation", "optimizers": "optimizer", "losses": "loss"}
ARGUMENTS = [
    (section, name, argument, value)
    for section in SECTIONS
    for name, schema in SCHEMA["$defs"][section].items()
    for argument in schema["properties"]
    for value in EXTREMES
]


@pytest.mark.parametrize("part", range(10))
def test_extreme_argument_is_refused_in_a_line_or_trains(pipeline, part):
    for section, name, argument, value in ARGUMENTS[part :: cases(400, 10)]:
        config = yaml.safe_load(SMALL) | {"sweeps": {}, "diagnosis": {"trials": 0}}
        config["variants"] = {"a": config["variants"]["a"]}
        if section == "losses":
            config["losses"] = {"bce": {"module": name, argument: value}}
        else:
            config["variants"]["a"][SECTIONS[section]] = {"name": name, argument: value}
        run(pipeline, checked(config))


def test_refusals_are_those_of_the_real_snakemake(tmp_path):
    workflow = Workflow(tmp_path, {})
    typed = [SMALL.replace("trials: 1", "trials: 1,5"), SMALL.replace("unit: x", "unit: : x"), "\xff\xfe\x00junk", ""]
    for content in typed:
        (tmp_path / "config.yaml").write_bytes(content.encode("latin1"))
        result = workflow.run("--dry-run")
        assert (result.returncode, result.stdout) == (1, "")
        said = [line for line in result.stderr.splitlines() if not line.startswith(("Using workflow", "Config file"))]
        assert len(said) == 1 and said[0].startswith("error: config"), content
