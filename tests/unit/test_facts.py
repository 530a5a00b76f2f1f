"""The facts that follow from the sign chart of a loss."""

import math
import subprocess
import sys

import pytest
import yaml

from builders.losses import LOSSES, after, all_charts, class_of, loss_of
from builders.places import ROOT, SHARED
from formulas.float32 import LARGEST, ONE_LOGIT, ZERO_LOGIT
from losses.facts import (
    border_optimum,
    floor,
    ignores_class,
    ignores_labels,
    is_safe,
    limits,
    never_finite,
    no_gradient,
    not_per_image,
    unbounded,
    wrong_way,
)
from losses.one_image import NotPerImage, one_image
from losses.sign_chart import sign_chart
from records.losses import LossChart

FACTS = {
    "not-per-image": not_per_image,
    "wrong-way": wrong_way,
    "never-finite": never_finite,
    "ignores-class": ignores_class,
    "ignores-labels": ignores_labels,
    "no-gradient": no_gradient,
    "border-optimum": border_optimum,
    "unbounded": unbounded,
    "floor": floor,
}
EVERYWHERE = {"whole": True, "parts": [[-LARGEST, LARGEST]]}
FOUND = {
    "bce": set(),
    "bce-logits": set(),
    "manual": set(),
    "hinge": set(),
    "softplus": set(),
    "exp": set(),
    "exponential": set(),
    "focal": set(),
    "weighted": set(),
    "slow": set(),
    "soft-margin": set(),
    "mse": set(),
    "class-mean": set(),
    "sign": {"wrong-way", "border-optimum"},
    "negative-bce": {"wrong-way", "border-optimum", "unbounded"},
    "hinge-01": {"ignores-class", "floor"},
    "kldiv": {"ignores-class"},
    "constant": {"no-gradient", "floor"},
    "ignores-y": {"ignores-labels", "wrong-way", "border-optimum"},
    "huber-logits": {"border-optimum"},
    "mse-logits": {"border-optimum"},
    "poisson": {"border-optimum", "floor"},
    "exp-capped": {"unbounded", "floor"},
    "linear": {"unbounded"},
    "flat-start": set(),
    "clamp": set(),
    "kldiv-log": {"wrong-way", "border-optimum", "unbounded"},
    "kink": {"ignores-labels", "wrong-way", "border-optimum"},
}


@pytest.fixture(scope="module")
def charts() -> dict[str, LossChart]:
    return all_charts()


@pytest.mark.parametrize("name", FOUND)
def test_facts_that_follow_from_a_chart(charts, name):
    assert facts_of(charts[name]) == FOUND[name]


def facts_of(chart: LossChart) -> set[str]:
    """Of the facts that hold, the kinds of finding that they are told as."""
    return {kind for kind, fact in FACTS.items() if fact(chart) is not None}


def test_wrong_way_says_which_part(charts):
    found = {name: wrong_way(charts[name]) for name in ("sign", "kldiv-log", "kink", "redescending")}
    assert [found["sign"][label]["whole"] for label in "01"] == [True, True]
    for label in "01":
        ((low, high),) = found["sign"][label]["parts"]
        assert (low, high) == (pytest.approx(ZERO_LOGIT), pytest.approx(ONE_LOGIT))
    assert found["kldiv-log"] == {"0": EVERYWHERE}
    assert found["kink"] == {"0": {"whole": False, "parts": [[-LARGEST, pytest.approx(0.3)]]}}
    # Wrong images that are wrong enough are given up: pushed farther out, not back.
    assert found["redescending"]["0"] == {"whole": False, "parts": [[after(3.0), LARGEST]]}
    assert found["redescending"]["1"] == {"whole": False, "parts": [[-LARGEST, after(-3.0, -1)]]}


def test_best_logit_on_the_border_or_beyond(charts):
    at_the_border = {"low": -0.0, "high": 0.0, "towards": None, "where": "border"}
    assert border_optimum(charts["huber-logits"]) == {"0": at_the_border}
    assert border_optimum(charts["sign"])["1"]["where"] == border_optimum(charts["kink"])["0"]["where"] == "beyond"
    chart = sign_chart(loss_of("mean((yhat - 0.5) ** 2 + 0 * y)"))  # in float32 flat around it, exactly the border
    assert {one["where"] for one in border_optimum(chart).values()} == {"border"}


def test_unbounded_says_where_to(charts):
    assert unbounded(charts["exp-capped"]) == {"1": {"towards": "inf", "own_side": True}}
    assert unbounded(charts["negative-bce"])["1"] == {"towards": "-inf", "own_side": False}
    assert unbounded(charts["capped"]) is None
    pole = sign_chart(loss_of("mean(where(y == 1, log(abs(logits - 2)), abs(logits + 2)))"))
    assert (pole.labels[1].infimum.low, pole.labels[1].infimum.high) == (2, 2)
    assert unbounded(pole) == {"1": {"towards": None, "own_side": True}}


def test_floor_says_how_high(charts):
    assert floor(charts["hinge-01"]) == {"0": {"infimum": 1.0}}
    assert floor(charts["constant"]) == {"0": {"infimum": 2.0}, "1": {"infimum": 2.0}}
    assert floor(charts["smooth"]) is None


def test_flat_start_is_flat_around_the_start(charts):
    zero, one = charts["flat-start"].labels
    for label in (zero, one):
        around = next(interval for interval in label.intervals if interval.low <= 0 <= interval.high)
        assert (around.gradient, around.exact) == ("0", "0")
        assert around.low <= -math.log(1.5) * (1 - 1e-6) or around.high >= math.log(1.5) * (1 - 1e-6)


LIMITS = {
    "manual": (ZERO_LOGIT, ONE_LOGIT),
    "sqrt": (-75 * math.log(2), ONE_LOGIT),  # yhat ** 2 is 0 in float32, and sqrt has no derivative at 0
    "exp": (None, 128 * math.log(2)),
    "bce": (None, None),
    "bce-logits": (None, None),
    "class-mean": (None, None),
    "exponential": (None, None),
}


@pytest.mark.parametrize("name", LIMITS)
def test_limit_that_a_run_approaches(charts, name):
    found = limits(charts[name])
    for side, expected in zip(("lower", "upper"), LIMITS[name], strict=True):
        assert found[side] == (expected and pytest.approx(expected, rel=1e-5))
        if expected:
            text = LOSSES[name]
            label, inwards = (0, 1) if side == "lower" else (1, -1)
            bad, good = class_of(text, label, [found[side], after(found[side], inwards)])
            assert set(bad) & {"nan", "inf", "-inf"}
            assert not set(good) & {"nan", "inf", "-inf"}


@pytest.mark.parametrize("name", LIMITS)
def test_loss_that_no_limit_is_known_of_is_safe(charts, name):
    assert is_safe(charts[name]) == (LIMITS[name] == (None, None))


def test_border_that_is_unsafe_has_no_limit_but_is_not_safe():
    for text in ("mean(log(yhat - 1))", "mean(log(logits) + log(-logits))"):
        chart = sign_chart(loss_of(text))
        assert limits(chart) == {"lower": None, "upper": None}
        assert not is_safe(chart)


def test_not_per_image_has_a_chart_in_company_and_no_exact_values():
    loss = loss_of("log(mean((yhat - y) ** 2))")
    chart = sign_chart(loss)
    assert not chart.per_image
    assert chart.why_not == "'log(mean((yhat - y) ** 2))' is no sum or mean over images"
    assert all(one.infimum is None and one.starved_above is None for one in chart.labels)
    with pytest.raises(NotPerImage, match="no sum or mean"):
        one_image(loss).exactly(1, 0.5)
    assert facts_of(chart) == {"not-per-image"}
    assert limits(chart) == {"lower": None, "upper": None}


def test_charts_are_read_without_torch():
    code = "import sys, losses.facts; sys.exit('torch' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT / "workflow/scripts", check=False).returncode == 0


@pytest.mark.skipif(not (SHARED / "bench/cases.yaml").is_file(), reason="the labelled cases are not in ../shared/bench")
def test_labelled_losses_are_told_what_they_must_be():
    """The kinds in labels.tsv that a loss alone decides."""
    cases = yaml.safe_load((SHARED / "bench/cases.yaml").read_text())
    rows = [line.split("\t") for line in (SHARED / "bench/labels.tsv").read_text().splitlines()[1:]]
    static = {"wrong-way", "ignores-class", "ignores-labels", "no-gradient", "border-optimum", "unbounded"}
    for case, verdict, kinds, *_ in rows:
        name = cases["variants"][case]["loss"]
        found = facts_of(sign_chart(loss_of(cases["losses"][name]))) & static
        wanted = set(kinds.replace("|", ",").split(",")) & static
        assert wanted <= found, case
        if verdict == "good":
            assert not found, case
