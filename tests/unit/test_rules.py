"""The published rules of tests/benchmarks/published.py on made-up recordings, and what counts as found and as named."""

import json
from dataclasses import replace

import numpy as np
import published
import pytest
import recording
import rules
import torch
from recording import Recording
from train import train

from builders.needs import needs_shared_mnist
from builders.workflows import small_config
from common.errors import UserError
from experiment.config import check
from formulas.parsing import parse_normalization
from training.data import packed
from training.normalization import normalize

EPOCHS = 60


def healthy(**changed) -> Recording:
    """A training with which no rule finds fault: one ReLU layer, then ŷ; its validation is not suspiciously good."""
    steps = np.linspace(0, 1, EPOCHS)
    loss = 0.69 * np.exp(-3 * steps)
    layers = np.ones((EPOCHS, 2))
    made = Recording(
        epochs=np.array(EPOCHS),
        rate=np.array(0.002),
        pixels=np.array([0.0, 1.0]),
        loss=loss,
        accuracy=0.5 + 0.44 * np.sqrt(steps),
        test_loss=1.01 * loss,
        test_accuracy=0.5 + 0.43 * np.sqrt(steps),
        gradient_norm=0.1 * layers,
        gradient_mean=0.001 * layers,
        zero_gradients=np.full(EPOCHS, 0.2),
        update=0.01 * layers,
        not_positive=np.full((EPOCHS, 1), 0.5),
        inactive=np.full((EPOCHS, 1), 0.1),
        silent=np.full((EPOCHS, 1), 0.1),
        beyond_5=np.full((EPOCHS, 1), 0.1),
        saturated=np.full((EPOCHS, 1), 0.0),
    )
    return replace(made, **changed)


def first_epoch(**changed) -> Recording:
    rows = {name: values[:1] for name, values in vars(healthy()).items() if values.shape[:1] == (EPOCHS,)}
    return healthy(**rows | changed)


def columns(*values: float) -> np.ndarray:
    """(EPOCHS, len(values)): the same in each epoch."""
    return np.tile(np.array(values), (EPOCHS, 1))


def from_epoch(epoch: int, value: float, before: float) -> np.ndarray:
    return np.where(np.arange(EPOCHS) < epoch, before, value)


def at(values: np.ndarray, epoch: int, value: float) -> np.ndarray:
    changed = values.copy()
    changed[epoch] = value
    return changed


LOSS, TEST_LOSS = healthy().loss, healthy().test_loss
FLAT = np.full(EPOCHS, 0.53)
UNSEEN = {"accuracy": FLAT, "test_accuracy": FLAT}  # AUTOTRAINER judges only what has learned nothing
SAWTOOTH = 0.7 + 0.1 * (np.arange(EPOCHS) % 2)


@pytest.mark.parametrize("name", published.RULES)
def test_healthy_training_raises_no_alarm(name):
    assert published.RULES[name](healthy()) == set()


@pytest.mark.parametrize("name", published.RULES)
def test_loss_that_is_not_finite_is_diverged_by_all_rules(name):
    for loss in (np.nan, np.inf):
        short = first_epoch(loss=np.array([loss]))
        kinds = set().union(*(published.CAUSES[alarm] for alarm in published.RULES[name](short)))
        assert "diverged" in kinds


@pytest.mark.parametrize(
    ("name", "changed", "alarm"),
    [
        ("AUTOTRAINER", {"loss": at(LOSS, 30, 1e3)}, "exploding"),
        ("AUTOTRAINER", {"test_loss": at(TEST_LOSS, 30, -0.1)}, "negative loss"),
        ("AUTOTRAINER", UNSEEN | {"zero_gradients": np.full(EPOCHS, 0.7)}, "dying ReLU"),
        ("AUTOTRAINER", UNSEEN | {"gradient_norm": columns(71, 1)}, "exploding"),
        ("AUTOTRAINER", UNSEEN | {"gradient_norm": columns(9e-5, 0.1)}, "vanishing"),
        ("AUTOTRAINER", UNSEEN, "slow"),
        ("AUTOTRAINER", {"accuracy": SAWTOOTH}, "oscillating"),
        ("DeepDiagnosis", {"gradient_mean": columns(9e-8, 1)}, "vanishing"),
        ("DeepDiagnosis", {"not_positive": columns(0.7)}, "dying ReLU"),
        ("DeepDiagnosis", {"beyond_5": columns(0.51)}, "saturated"),
        ("DeepDiagnosis", {"accuracy": from_epoch(40, 0.9, healthy().accuracy)}, "stagnant"),
        ("DeepDiagnosis", {"rate": np.array(0.2)}, "rate too high"),
        ("DeepDiagnosis", {"rate": np.array(9e-6)}, "rate too low"),
        ("DeepDiagnosis", {"pixels": np.array([0.0, 255.0])}, "inputs"),
        ("UMLAUT", {"pixels": np.array([-1.1, 1.0])}, "inputs"),
        ("UMLAUT", {"rate": np.array(0.011)}, "rate too high"),
        ("UMLAUT", {"rate": np.array(9e-8)}, "rate too low"),
        ("UMLAUT", {"test_loss": at(TEST_LOSS, 30, 0.6)}, "overfit"),
        ("UMLAUT", {"test_accuracy": np.full(EPOCHS, 0.951)}, "validation accuracy"),
        ("SageMaker Debugger", {"gradient_mean": columns(1, 9e-8)}, "vanishing"),
        ("SageMaker Debugger", {"inactive": columns(0.51)}, "dying ReLU"),
        ("SageMaker Debugger", {"saturated": columns(1)}, "saturated"),
        ("SageMaker Debugger", {"update": columns(0.01, 11)}, "large steps"),
        ("SageMaker Debugger", {"update": columns(9e-9, 0.01)}, "small steps"),
        ("SageMaker Debugger", {"test_loss": 1.11 * LOSS}, "overfit"),
        ("SageMaker Debugger", {"loss": from_epoch(30, LOSS[30], LOSS)}, "stagnant"),
        ("TheDeepChecker, in part", {"loss": at(LOSS, 0, 1.4)}, "first loss"),
        ("TheDeepChecker, in part", {"silent": columns(0.51)}, "dying ReLU"),
        ("TheDeepChecker, in part", {"gradient_mean": columns(9e-7, 1)}, "vanishing"),
        ("TheDeepChecker, in part", {"gradient_mean": columns(2e6, 1)}, "exploding"),
        ("TheDeepChecker, in part", {"update": columns(0.11, 0.01)}, "large steps"),
        ("TheDeepChecker, in part", {"update": columns(9e-5, 0.01)}, "small steps"),
    ],
)
def test_rule_fires_on_this_alone(name, changed, alarm):
    assert alarm in published.RULES[name](healthy(**changed))


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        # What is judged only in a training that learned nothing.
        ("AUTOTRAINER", {"zero_gradients": np.full(EPOCHS, 0.9), "gradient_norm": columns(71, 1)}),
        ("AUTOTRAINER", {"accuracy": SAWTOOTH / 4 + 0.5}),  # swings of 0.025
        ("DeepDiagnosis", {"not_positive": from_epoch(EPOCHS - 1, 0.5, 0.9)[:, None]}),  # alive at the end
        ("DeepDiagnosis", {"beyond_5": at(columns(0.1), 30, 0.9)}),  # between two of its looks
        ("UMLAUT", {"loss": at(LOSS, 30, 0.7), "test_loss": at(TEST_LOSS, 30, 0.7)}),  # both rise
        ("UMLAUT", {"test_accuracy": from_epoch(3, 0.9, 0.99)}),
        ("SageMaker Debugger", {"test_loss": at(TEST_LOSS, 30, 2.0)}),  # once is no overfit
        ("SageMaker Debugger", {"loss": at(LOSS, 30, LOSS[28]), "test_loss": LOSS}),  # falls over ten epochs
        ("TheDeepChecker, in part", {"loss": at(LOSS, 0, 1.38)}),
        ("TheDeepChecker, in part", {"update": at(columns(0.01, 0.01), 30, 5.0)}),  # one step of ten
    ],
)
def test_rule_does_not_fire_on_this(name, changed):
    assert published.RULES[name](healthy(**changed)) == set()


def test_every_alarm_has_its_causes():
    known = {"diverged", "worse-than-start", "bad-start", "rate-too-large", "slow", "vanishing", "dead-layer"}
    assert known <= set().union(*published.CAUSES.values())
    assert all(isinstance(kinds, set) for kinds in published.CAUSES.values())


@pytest.mark.parametrize(
    ("required", "kinds", "is_named"),
    [
        ("slow", {"slow", "one-class"}, True),
        ("slow", {"one-class"}, False),
        ("slow", set(), False),
        ("diverged,decay", {"diverged"}, False),
        ("diverged,decay", {"decay", "diverged"}, True),
        ("frozen|stuck-images", {"stuck-images"}, True),
        ("frozen|stuck-images", {"slow"}, False),
        ("diverged,frozen|slow", {"diverged", "slow"}, True),
        ("diverged,frozen|slow", {"frozen", "slow"}, False),
    ],
)
def test_comma_is_and_bar_is_or(required, kinds, is_named):
    assert rules.names_cause(required, kinds) is is_named


def finding(kind: str, alarm: bool = True) -> dict:
    return {"kind": kind, "alarm": alarm, "sentence": "So it is.", "count": 3}


def write_metrics(path, verdict: str, findings: list[dict]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    seeds = [{"seed": 1, "verdict": verdict, "findings": findings}, {"seed": 2, "verdict": "good", "findings": []}]
    path.write_text(json.dumps({"variant": path.parent.name, "seeds": seeds}))


def test_metrics_are_found_by_verdict_and_named_by_every_finding(tmp_path):
    path = tmp_path / "metrics.json"
    write_metrics(path, "faulty", [finding("slow"), finding("bad-start", alarm=False)])
    assert rules.answer_of_project(path) == rules.Answer(True, ["slow"], {"slow", "bad-start"})
    write_metrics(path, "good", [finding("bad-start", alarm=False)])
    assert rules.answer_of_project(path) == rules.Answer(False, [], {"bad-start"})


@pytest.mark.parametrize("content", ["", "[]", '{"seeds": []}', '{"seeds": [{"seed": 1, "status": "finished"}]}'])
def test_metrics_without_a_verdict_are_told_in_one_line(tmp_path, content):
    path = tmp_path / "metrics.json"
    path.write_text(content)
    with pytest.raises(UserError, match=r"metrics\.json: found no verdict and findings"):
        rules.answer_of_project(path)


def test_missing_metrics_are_told_in_one_line(tmp_path):
    with pytest.raises(UserError, match=r"metrics\.json: cannot be read: No such file"):
        rules.answer_of_project(tmp_path / "metrics.json")


def test_tables_count_found_false_and_named():
    cases = {"a": rules.Case(True, "slow"), "b": rules.Case(True, "decay|slow"), "c": rules.Case(False, "")}
    said = {
        "a": rules.Answer(True, ["stagnant"], {"slow"}),
        "b": rules.Answer(True, ["inputs"], {"bad-start"}),
        "c": rules.Answer(True, ["overfit"], {"overfit"}),
    }
    silent = dict.fromkeys(cases, rules.Answer(False, [], set()))
    answers = {"loud": said, "silent": silent}
    assert rules.summary(cases, answers).splitlines()[2:] == [
        "| loud | 2/2 | 1/1 | 1/2 |",
        "| silent | 0/2 | 0/1 | 0/2 |",
    ]
    assert rules.by_case(cases, answers).splitlines()[2:] == [
        "| a | slow | ✓ stagnant | – |",
        "| b | decay or slow | inputs | – |",
        "| c | good | overfit | – |",
    ]


def write_labels(path, rows: list[tuple[str, str, str]]) -> None:
    lines = ["variant\tverdict\tfindings\twhat happens", *("\t".join([*row, '"quoted" |1 - lr|']) for row in rows)]
    path.write_text("\n".join(lines))


def test_labels_are_those_of_the_cases(tmp_path, small_mnist):
    cases, labels = tmp_path / "cases.yaml", tmp_path / "labels.tsv"
    cases.write_text(json.dumps(small_config(small_mnist)))
    write_labels(labels, [("good", "good", ""), ("bad", "bad", "diverged")])
    assert rules.labelled(cases, labels)[2] == {"good": rules.Case(False, ""), "bad": rules.Case(True, "diverged")}
    write_labels(labels, [("good", "good", "")])
    with pytest.raises(UserError, match=r"labels\.tsv: bad is not in it and in .*, expected the same variants"):
        rules.labelled(cases, labels)
    write_labels(labels, [("good", "fine", "")])
    with pytest.raises(UserError, match=r"labels\.tsv: good: found verdict fine, expected good or bad"):
        rules.labelled(cases, labels)
    with pytest.raises(UserError, match=r"none\.tsv: cannot be read: No such file"):
        rules.labelled(cases, tmp_path / "none.tsv")


@needs_shared_mnist
def test_labelled_cases_are_all_there():
    _, _, cases = rules.labelled(rules.BENCH / "cases.yaml", rules.BENCH / "labels.tsv")
    assert sum(case.is_bad for case in cases.values()) == 23
    assert all(case.required for case in cases.values() if case.is_bad)


def test_recording_is_of_the_training_that_the_pipeline_does(small_mnist):
    config = small_config(small_mnist)
    config["defaults"] |= {"hidden": [4, 3], "lr": 0.1}
    settings = check(config).variants["good"]
    made = recording.record_variant(settings, [0, 1], small_mnist)
    (images, y), (test, y_test) = (recording.digits(small_mnist, (0, 1))[part] for part in ("train", "test"))
    x, x_test = normalize(parse_normalization("x / 255", {}), images, test)
    data = packed({"x_train": x, "y_train": y, "x_test": x_test, "y_test": y_test})
    model = train(settings | {"variant": "good", "classes": [0, 1], "code": "0123456789"}, 1, data)
    assert made.loss == pytest.approx([row.loss for row in model.history], rel=1e-5)
    assert made.accuracy == pytest.approx([row.accuracy for row in model.history])
    assert made.test_loss[0] == pytest.approx(model.history[0].test_loss, rel=1e-5)
    shapes = {name: getattr(made, name).shape for name in ("update", "gradient_norm", "not_positive", "beyond_5")}
    assert shapes == {"update": (5, 3), "gradient_norm": (5, 3), "not_positive": (5, 2), "beyond_5": (5, 1)}


def test_recording_ends_with_the_first_loss_that_is_not_finite(small_mnist):
    settings = check(small_config(small_mnist)).variants["bad"]
    made = recording.record_variant(settings, [0, 1], small_mnist)
    assert made.loss.shape == (1,)
    assert made.epochs == 5
    assert np.isnan(made.loss).all()


def test_dead_and_saturated_units_are_counted_per_unit():
    network = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.ReLU(), torch.nn.Linear(2, 1), torch.nn.Sigmoid())
    with torch.no_grad():
        network[0].weight.copy_(torch.tensor([[1.0, 0.0], [0.0, -1.0]]))  # the second unit is dead for pixels ≥ 0
        network[0].bias.zero_()
        network[2].weight.copy_(torch.tensor([[30.0, 0.0]]))
        network[2].bias.zero_()
    values = recording.forward(network, torch.tensor([[1.0, 1.0], [2.0, 0.5]]))
    assert recording.of_activations(network, values) == {
        "not_positive": [0.5],
        "inactive": [0.5],
        "silent": [0.5],
        "beyond_5": [1.0],
        "saturated": [1.0],
    }
    broken = recording.of_activations(network, [value * np.nan for value in values])
    assert (broken["inactive"], broken["saturated"]) == ([0.0], [0.0])


def test_cache_gives_the_same_recording_without_training(small_mnist, tmp_path, monkeypatch):
    settings = check(small_config(small_mnist)).variants["good"]
    made = recording.cached(settings, [0, 1], small_mnist, tmp_path)
    monkeypatch.setattr(recording, "record_variant", None)
    again = recording.cached(settings, [0, 1], small_mnist, tmp_path)
    assert all(np.array_equal(getattr(made, name), getattr(again, name)) for name in made.__dataclass_fields__)
    with pytest.raises(TypeError):
        recording.cached(settings | {"lr": 0.5}, [0, 1], small_mnist, tmp_path)
