"""What the first screen says: counts, causes, intervals, the grid; from records made here."""

import math

import pandas as pd
import pytest
from msgspec.structs import replace

from builders.records import COUNTS, DEFAULTS, diverged, metrics, outcome, settings
from common.english import amount, shortened
from records.metrics import Metrics, finding
from records.training import Counts
from reporting import answer, intervals, summary, table
from reporting.page import difference, setting


def causes(found: list[Metrics], variants: dict) -> list[answer.Cause]:
    kinds = {"stuck-images": {"means": "images are wrong, and stay so: more of it. And so on"}}
    return answer.causes(found, variants, kinds, {}, 4, DEFAULTS)


def test_variant_counts_under_its_worst_seed_and_each_model_under_its_own():
    found = metrics(a=outcome(), b=[outcome(), diverged(2)], c=outcome(kind="frozen", verdict="fails"))
    tallies = [(one.word, one.variants, one.models) for one in answer.tallies(found)]
    assert tallies == [("good", 1, 2), ("faulty", 0, 0), ("fails", 1, 1), ("diverged", 1, 1)]


def test_baseline_is_the_class_that_is_larger_among_the_test_images():
    assert answer.baseline(COUNTS) == (1, 11, 20)
    assert answer.baseline(Counts(train=(60, 40), test=(9, 11))) == (1, 11, 20)
    assert answer.baseline(Counts(train=(40, 60), test=(12, 8))) == (0, 12, 20)


def test_variants_with_one_culprit_are_one_cause():
    found = metrics(a=diverged(epoch=0), b=diverged(epoch=7), c=diverged(expression="sqrt(yhat)"), d=outcome())
    first, second = causes(found, {name: settings("manual") for name in "abcd"})
    assert (first.who, first.what) == ("manual, 2 variants", "`log(1 - yhat)` is −∞; at epochs 0 and 7")
    assert [variant for variant, _ in first.each] == ["a", "b"]
    assert (second.who, second.each) == ("c", [("c", "What diverged did.")])


def test_wrong_sign_that_ends_in_nan_is_a_cause_of_its_own():
    """Whatever broke in the end: its first finding is the cause."""
    sign = diverged(findings=[finding("wrong-way", "Pushed away."), finding("diverged", "It broke.")])
    found = causes(metrics(a=diverged(), b=sign), {name: settings("manual") for name in "ab"})
    assert [(one.who, one.kind, one.what) for one in found] == [
        ("a", "diverged", "`log(1 - yhat)` is −∞; at epoch 5"),
        ("b", "wrong-way", "Pushed away"),
    ]


def test_cause_of_several_says_what_its_kind_means_and_of_one_what_was_found():
    found = metrics(a=outcome(kind="stuck-images"), b=outcome(kind="stuck-images"))
    (both,) = causes(found, {"a": settings(), "b": settings("bce", "raw")})
    assert (both.who, both.what) == ("bce, 2 variants", "images are wrong, and stay so")
    (one,) = causes(found[:1], {"a": settings()})
    assert (one.who, one.what) == ("a", "What stuck-images did")


def test_wilson_interval_is_that_of_the_book():
    # A. Agresti, Categorical Data Analysis: 0 of 25 has (0, 0.133).
    low, high = intervals.wilson(0, 25)
    assert low == 0
    assert high / 25 == pytest.approx(0.133, abs=5e-4)
    assert intervals.wilson(25, 25) == pytest.approx((25 - high, 25))


def test_mean_number_of_images_is_short_and_no_false_zero():
    values = {0.0: "0", 0.04: "0.04", 0.3: "0.3", 1.28: "1.3", 3.98: "4", 99.94: "99.9", 1134.5: "1,134"}
    assert {value: amount(value) for value in values} == values
    assert amount(intervals.wilson(0, 2115)[0]) == "0"
    assert [difference(value) for value in (None, 0.0, -1134.5, 0.5)] == ["–", "0", "−1,134", "+0.5"]


def over_seeds(**outcomes) -> list[summary.VariantRow]:
    return summary.over_seeds(metrics(**outcomes), {name: settings(name[0], name[1:]) for name in outcomes})


def test_test_counts_have_the_range_of_several_seeds_or_the_interval_of_one_and_training_counts_have_neither():
    def spread(*right: int | None) -> str:
        seeds = [diverged(seed) if n is None else outcome(seed, n) for seed, n in enumerate(right)]
        seeds = [replace(one, test_n=1000, test_accuracy=n and n / 1000) for one, n in zip(seeds, right, strict=True)]
        (row,) = over_seeds(a1=seeds)
        return intervals.spread(intervals.of_test(row))

    assert [spread(999, 999, 900), spread(997, None, 996), spread(997, 997)] == ["1 to 100", "3 to 4", "each seed"]
    assert spread(997) == spread(997, None) == "95 %: 1 to 8.8"
    (row,) = over_seeds(a1=[outcome(1), outcome(2, correct=97, accuracy=0.97)])
    (line,) = table.table_lines([row], [], [])
    assert line.train == 2


def test_best_of_the_good_comes_before_a_faulty_one_with_fewer_wrong_images():
    rows = over_seeds(a1=outcome(test_correct=20, kind="slow"), a2=outcome(test_correct=19))
    assert [line.row.variant for line in table.table_lines(rows, ["a2"], ["a1"])] == ["a2", "a1"]


def test_best_comes_first_and_the_diverged_last():
    rows = over_seeds(a1=diverged(), a2=outcome(test_correct=17), a3=outcome(test_correct=20, verdict="fails"))
    rows += over_seeds(a4=outcome(test_correct=19))
    lines = table.table_lines(rows, ["a4"], ["a2"])
    assert [(line.row.variant, line.place) for line in lines] == [
        ("a4", "best"),
        ("a2", "equal"),
        ("a3", ""),
        ("a1", ""),
    ]


def test_one_variant_alone_has_no_place():
    (line,) = table.table_lines(over_seeds(a1=outcome()), ["a1"], [])
    assert line.place == ""


def test_long_name_keeps_its_ends():
    assert shortened("a" * 40, table.NAME) == "a" * 40
    name = f"{'begin' * 10}{'ended' * 10}"
    assert shortened(name, table.NAME) == f"{name[:20]}…{name[-19:]}"
    assert len(shortened(name, table.NAME)) == table.NAME


def test_columns_get_the_letters_of_their_words_until_there_is_no_room():
    few = table.table_lines(over_seeds(**{"ab": outcome(), "bb": outcome(kind="stuck-images")}), [], [])
    found = table.letters(few, ["lr"], setting)
    assert (found["variant"], found["kinds"], found["lr"]) == (2, len("stuck-images") + 1, len("0.1") + 1)
    keys = ["loss", "normalization", "epochs", "lr", "hidden"]
    variants = {f"{'n' * 39}{i}": settings(f"a-loss-of-a-long-name-{i}", f"a-long-one-{i}") for i in range(2)}
    rows = summary.over_seeds(metrics(**{name: outcome(kind="stuck-images") for name in variants}), variants)
    found = table.letters(table.table_lines(rows, [], []), keys, setting)
    assert sum(found[key] for key in [*keys, "kinds"]) <= table.TABLE_LETTERS - 40 + len(keys)
    assert min(found[key] for key in keys) >= table.NARROWEST
    assert found["kinds"] > found["loss"]  # alarms before settings


def test_loss_that_broke_first_is_told_as_what_it_was():
    (entry,) = metrics(a=[diverged(1, epoch=5), outcome(2), diverged(3, epoch=2)])
    rows = [(1, 5, math.nan), (2, 5, 0.1), (3, 1, 0.2), (3, 2, -math.inf)]
    history = pd.DataFrame(rows, columns=["seed", "epoch", "loss"])
    assert summary.broken_loss(entry, history) == -math.inf
    assert math.isnan(summary.broken_loss(entry, history[:3]))  # the last step broke the weights
    (good,) = metrics(a=outcome())
    assert summary.broken_loss(good, history) is None


def test_derivative_that_is_not_finite_is_named_as_such():
    autopsy = replace(diverged().autopsy, cause="gradient")
    (found,) = causes(metrics(a=replace(diverged(), autopsy=autopsy)), {"a": settings("manual")})
    assert found.what == "the derivative of `log(1 - yhat)` is not finite; at epoch 5"


def test_first_epoch_of_several_seeds_is_called_the_first():
    (found,) = causes(metrics(a=[diverged(1, 9), diverged(2, 4)]), {"a": settings("manual")})
    assert found.what == "`log(1 - yhat)` is −∞; first at epoch 4"
