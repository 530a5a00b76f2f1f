"""When a run that ended well would diverge: the range that is told, and what it is worth."""

import gzip
import json
import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from msgspec.structs import replace

from builders.places import SHARED
from findings import findings  # noqa: F401 (which registers the finders)
from findings.finders import FINDERS
from findings.forecast import forecast, is_soon
from formulas.float32 import ONE_LOGIT
from records.metrics import Forecast

TRAJECTORIES = SHARED / "bench/sample/trajectories.jsonl.gz"


def test_forecast_of_a_straight_line_begins_before_its_end_and_of_a_logarithm_ends_after_it():
    straight = [0.1 * epoch for epoch in range(100)]  # at 16.64 at epoch 167
    found = forecast(straight, ONE_LOGIT)
    assert found.low < 167 <= found.epoch <= found.high
    mirrored = forecast([-logit for logit in straight], -ONE_LOGIT)
    assert (mirrored.low, mirrored.epoch, mirrored.high) == (found.low, found.epoch, found.high)
    curved = [2.9 * math.log(epoch + 1) for epoch in range(100)]  # there at epoch 309
    found = forecast(curved, ONE_LOGIT)
    assert found.low <= found.epoch <= 309 <= found.high


def test_forecast_says_when_it_sees_nothing():
    assert forecast([1.0] * 100, ONE_LOGIT) == Forecast(epoch=None, why="not in sight")
    assert forecast([-0.01 * e for e in range(100)], ONE_LOGIT).epoch is None
    assert forecast([0.5] * 50, ONE_LOGIT).why == "fewer than 50 epochs are too few to tell"
    assert forecast([1.0, math.nan], ONE_LOGIT).epoch is None


def test_logit_that_the_last_step_brought_there_is_that_of_the_next_loss():
    """20 epochs, 0 to 19: the loss of epoch 20 is the first that is not finite."""
    assert forecast([*range(16), *[16.0] * 4, 17.0], ONE_LOGIT).epoch == 20
    assert forecast([*range(20), 17.0], ONE_LOGIT) == Forecast(
        epoch=None, why="logits beyond that limit have not broken it"
    )


def test_range_holds_the_epoch_and_none_that_has_passed():
    generator = np.random.default_rng(0)
    told = 0
    for _ in range(300):
        n = int(generator.integers(51, 400))
        steps = generator.gamma(1, 0.1, n) * np.arange(1, n + 1) ** -generator.uniform(0, 1.2)
        logits = np.cumsum(steps) * generator.uniform(4, 16) / steps.sum() + generator.normal(0, 0.01, n)
        found = forecast(list(logits), ONE_LOGIT)
        if found.epoch is not None:
            told += 1
            assert n - 1 <= found.low <= found.epoch
            assert found.high is None or found.epoch <= found.high
    assert told > 100


def will_diverge(found: Forecast | None, epochs: int = 200):
    model = SimpleNamespace(logits=torch.tensor([[-9.0], [15.42]]))
    evidence = SimpleNamespace(forecast=found, trained=model, task=SimpleNamespace(settings={"epochs": epochs}))
    return FINDERS["will-diverge"](evidence)


def test_divergence_in_sight_is_an_alarm_only_where_every_line_is_there_within_twice_the_epochs():
    found = Forecast(epoch=256, low=232, high=450, side="upper", limit=ONE_LOGIT)
    told = will_diverge(found)
    assert (told.alarm, told.epoch) == (True, 256)
    assert told.sentence == (
        "Trained on like this, the loss is no longer finite at about epoch 256 (232 to 450): the largest logit is 15.42"
        " and grows, and at 16.64 this loss or its gradient is not finite."
    )
    assert not will_diverge(replace(found, high=451)).alarm
    later = will_diverge(replace(found, high=None, side="lower", limit=-88.7))
    assert not later.alarm
    assert "epoch 256 (232 or later): the smallest logit is −9 and falls, and at −88.7 this" in later.sentence
    assert will_diverge(Forecast(epoch=None, why="not in sight")) is None
    assert will_diverge(None) is None


@pytest.mark.skipif(not TRAJECTORIES.exists(), reason="the trajectories are not in ../shared/bench/sample")
def test_forecasts_of_real_trajectories_hold_the_truth_and_false_alarms_are_rare(record_property):
    held = due = told = alarms = false = cases = 0
    with gzip.open(TRAJECTORIES) as file:
        trajectories = list(map(json.loads, file))
    for trajectory in trajectories:
        end, truth = trajectory["n"], trajectory["div"] or math.inf
        for epochs in (cut for share in (0.3, 0.5, 0.7, 0.9) if (cut := round(share * min(end, truth))) >= 50):
            sides = {"upper": "max", "lower": "min"}
            found = [
                forecast(trajectory[sides[side]][: epochs + 1], limit)
                for side, limit in trajectory["lim"].items()
                if limit is not None
            ]
            first = min((one for one in found if one.epoch), key=lambda one: one.epoch, default=None)
            is_alarm = bool(first and is_soon(first, epochs))
            alarms, due, told = (
                alarms + is_alarm,
                due + (truth <= 2 * epochs),
                told + (is_alarm and truth <= 2 * epochs),
            )
            # A run that ended before the late end of the range has neither confirmed nor refuted it.
            false += is_alarm and truth > 2 * epochs and end > first.high
            if trajectory["div"]:
                cases += 1
                held += bool(first and first.low <= truth <= (first.high or math.inf))
    record_property(
        "table",
        f"the range held the truth {held} times of {cases}; of {due} due, {told} told; {false} of {alarms} false",
    )
    assert held >= 0.95 * cases > 50
    assert false <= 0.02 * alarms
    assert told >= 0.65 * due
