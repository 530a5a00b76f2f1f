"""What the page's charts are drawn of."""

import json
import math

import numpy as np
import pandas as pd

from builders.records import diverged, metrics, outcome
from records.metrics import Metrics
from reporting import charts


def test_looks_do_not_repeat_and_many_variants_have_that_of_their_loss():
    few = {f"v{number}": {"loss": "bce", "normalization": "raw", "lr": number} for number in range(11)}
    assert len({json.dumps(look) for look in charts.looks(few).values()}) == 11
    many = {f"v{number}": {"loss": f"loss-{number % 3}", "normalization": "raw"} for number in range(60)}
    found = charts.looks(many)
    assert len({json.dumps(look) for look in found.values()}) == 3
    assert found["v0"] == found["v3"] != found["v1"]
    assert set(charts.keys(many)) == {"loss"}


def test_many_variants_are_coloured_by_the_first_setting_with_a_colour_for_each_value():
    many = {f"v{n}": {"loss": f"loss-{n}", "normalization": f"norm-{n % 4}"} for n in range(12)}
    assert charts.first_key(many) == "normalization"
    assert charts.first_key({"a": {"loss": "bce", "normalization": "raw"}}) is None


def test_effect_is_of_settings_with_several_values_among_variants_that_are_alike_otherwise():
    found = metrics(a=[outcome(0)], b=[outcome(0)], c=[diverged(0, 3)], d=[diverged(0, 3)])
    names = {"a": ("bce", "raw"), "b": ("mse", "raw"), "c": ("hinge", "unit"), "d": ("hinge", "std")}
    variants = {name: {"loss": loss, "normalization": norm} for name, (loss, norm) in names.items()}
    assert charts.effects(variants, found) == ["loss"]  # both that differ in the normalization diverged
    del variants["b"]
    assert charts.effects(variants, [entry for entry in found if entry.variant != "b"]) == []


def test_survival_is_of_variants_with_several_seeds():
    found = metrics(one=[diverged(0, 3)], two=[diverged(0, 3), outcome(1)], three=[outcome(0), outcome(1)])
    assert [line["v"] for line in charts.survival(found)] == ["two"]


def test_long_run_is_thinned_with_its_first_and_last_epochs_and_those_of_test_counts():
    table = pd.DataFrame({"loss": 1.0, "test": np.where(np.arange(10_000) % 7 == 0, 1, np.nan)}, index=range(10_000))
    kept = charts._thinned(table, 200)
    assert len(kept) <= 200
    assert kept[:5] == [0, 1, 2, 3, 4]
    assert kept[-1] == 9_999
    assert table.loc[kept, "test"].notna().sum() > 60


def diverged_at(epoch: int, **seeds) -> tuple[Metrics, pd.DataFrame]:
    """A model per seed: of 'a', which diverges there, the largest logit is 10 times the epoch, of 'b', which does not,
    1; and their history."""
    rows = []
    for seed, name in enumerate(seeds):
        for at in range(9):
            loss = math.nan if name == "a" and at >= epoch else 0.5
            logit = 10.0 * at if name == "a" else 1.0
            rows.append(
                {"seed": seed, "epoch": at, "loss": loss, "accuracy": 0.75, "max_logit": logit, "test_wrong": 3}
            )
    outcomes = [diverged(seed, epoch) if name == "a" else outcome(seed) for seed, name in enumerate(seeds)]
    (entry,) = metrics(v=outcomes)
    return entry, pd.DataFrame(rows)


def test_curves_keep_the_epoch_that_broke_for_all_that_is_finite_in_it_and_end_there_in_a_cross():
    entry, history = diverged_at(6, a=1)
    (line,) = charts.lines([entry], [history])
    assert (line["e"], line["logit"][-1], line["wrong"][-1]) == ([*range(7)], 60.0, 25.0)
    assert (line["loss"][-2], line["loss"][-1]) == (0.5, None)
    (cross,) = charts.crosses([entry], [history])
    assert cross == {"v": "v", "s": 0, "e": 6, "wrong": 25.0, "loss": 0.5, "logit": 60.0, "test": 3.0}


def test_cross_of_a_seed_is_at_its_own_values_not_at_those_of_the_median():
    entry, history = diverged_at(4, a=1, b=1)
    (line,) = charts.lines([entry], [history])
    assert line["e"] == [*range(9)]
    assert (line["logit"][2][4], line["logit"][2][5]) == (40.0, 1.0)
    (cross,) = charts.crosses([entry], [history])
    assert (cross["e"], cross["logit"]) == (4, 40.0)
    entry, history = diverged_at(0, a=1)
    (cross,) = charts.crosses([entry], [history])
    assert (cross["loss"], cross["logit"]) == (None, 0.0)
