"""The picture of a loss that stops being finite: what is shaded and named, and that all of it lies on the drawing."""

import math

import pandas as pd
import pytest
from msgspec.structs import replace

from builders.records import diverged, metrics, outcome
from records.losses import Interval, LabelChart, LossChart
from records.metrics import Image
from reporting import broke

LIMIT = 16.5


def chart(per_image=True) -> LossChart:
    """Finite up to a logit of 16.5 for a 1, from -88.5 on for a 0."""
    of_zero = [Interval(-3e38, -88.5, "inf", "nan"), Interval(-88.4, 3e38, "finite", "+")]
    of_one = [
        Interval(-3e38, 16.4, "finite", "-"),
        Interval(LIMIT, 99.0, "nan", "nan"),
        Interval(99.5, 3e38, "inf", "0"),
    ]
    labels = [LabelChart(label, of, 0.0, None, None, None) for label, of in enumerate((of_zero, of_one))]
    return LossChart(per_image, None, labels, False)


def history(*models: tuple[int, int], logit=lambda epoch: 2.0 * epoch) -> pd.DataFrame:
    """Of models (seed, the epoch at which it broke)."""
    rows = [
        (seed, epoch, 0.5 / (epoch + 1) if epoch < last else math.nan, -logit(epoch), logit(epoch))
        for seed, last in models
        for epoch in range(12)
    ]
    return pd.DataFrame(rows, columns=["seed", "epoch", "loss", "min_logit", "max_logit"])


def drawn(*models, of=None, **facts) -> broke.Broke:
    (entry,) = metrics(a=[replace(one, autopsy=replace(one.autopsy, **facts)) for one in models])
    rows = of if of is not None else history(*((one.seed, one.diverged_epoch) for one in models))
    return broke.broke(entry, rows, chart())


def numbers(path: str) -> list[tuple[float, float]]:
    return [tuple(map(float, pair.split(","))) for pair in path.removeprefix("M").split()]


def test_region_begins_at_the_loss_s_own_limit_and_says_what_happens_there():
    found = drawn(diverged(1, 9))
    assert found.region.edge[1] == "16.5"
    assert found.region.name == "ŷ = 1, log(1 - yhat) = −∞"
    assert (found.became, found.epoch, found.seed) == ("NaN", 9, 1)
    top, bottom = broke.LOGIT
    assert top == found.region.top < found.region.bottom < bottom
    assert found.region.bottom - found.region.top >= broke.BAND
    # The line enters it, and ends in the cross.
    line = numbers(found.logit.path)
    assert line[0][1] > found.region.bottom > line[-1][1]
    assert found.logit.end == line[-1]
    assert len(numbers(found.loss.path)) == 9  # the last loss is not finite


def test_lower_limit_is_at_the_bottom_and_of_the_smallest_logit():
    image = Image(index=3, y=0, yhat=0.0, logit=-100.0)
    found = drawn(diverged(1, 9), of=history((1, 9), logit=lambda epoch: 12.0 * epoch), image=image)
    assert found.logit.title == "smallest logit"
    assert (found.region.edge[1], found.region.bottom) == ("−88.5", broke.LOGIT[1])
    assert found.region.name.startswith("ŷ = 0, ")


@pytest.mark.parametrize("cause", ["network", "step", "optimizer", "decay", "momentum", "normalization", "device"])
def test_where_the_loss_is_not_to_blame_nothing_is_shaded(cause):
    assert drawn(diverged(1, 9), cause=cause).region is None


def test_loss_that_is_no_sum_over_images_and_image_without_a_logit_have_no_region():
    (entry,) = metrics(a=diverged(1, 9))
    assert broke.broke(entry, history((1, 9)), chart(per_image=False)).region is None
    assert broke.broke(entry, history((1, 9)), None).region is None
    assert drawn(diverged(1, 9), image=None).region is None
    assert drawn(diverged(1, 9), image=Image(index=3, y=1, yhat="nan", logit="nan")).region is None


def test_loss_that_is_finite_nowhere_has_no_limit_to_show():
    (entry,) = metrics(a=diverged(1, 9))
    nowhere = [Interval(-3e38, -1.0, "nan", "nan"), Interval(-0.9, 3e38, "inf", "nan")]
    labels = [LabelChart(label, nowhere, math.nan, None, None, None) for label in (0, 1)]
    assert broke.broke(entry, history((1, 9)), LossChart(True, None, labels, False)).region is None


def test_one_epoch_is_a_dot_and_none_is_only_a_cross():
    found = drawn(diverged(1, 1))
    assert found.loss.path == "" and found.loss.dot is not None
    gone = drawn(diverged(1, 0))
    assert (gone.loss.path, gone.loss.dot) == ("", None)
    assert [text for _, text in gone.epochs] == ["0"]


def test_other_seeds_that_diverged_are_thin_lines_of_the_same_drawing():
    found = drawn(diverged(1, 11), diverged(2, 4), diverged(3, 8))
    assert (found.seed, found.epoch) == (2, 4)
    assert len(found.logit.others) == 2
    for panel, (top, bottom) in ((found.loss, broke.LOSS), (found.logit, broke.LOGIT)):
        points = [point for path in (panel.path, *panel.others) for point in numbers(path)]
        assert all(broke.LEFT <= x <= broke.RIGHT and top <= y <= bottom for x, y in points)


def test_huge_logits_and_losses_stay_on_the_drawing_and_labels_apart():
    found = drawn(diverged(1, 11), of=history((1, 11), logit=lambda epoch: 10.0 ** (3 * epoch)))
    assert all(broke.LOGIT[0] <= y <= broke.LOGIT[1] for _, y in numbers(found.logit.path))
    at = [found.region.edge[0], *(pixel for pixel, _ in found.logit.ticks)]
    assert all(abs(one - other) > 10 for place, one in enumerate(at) for other in at[:place])


def test_long_name_of_a_region_is_told_below_the_drawing():
    long = diverged(1, 9, expression="log(1 - yhat + 0 * yhat + 0 * yhat + 0 * yhat + 0 * yhat)")
    assert not drawn(long).region.is_short
    assert drawn(diverged(1, 9)).region.is_short


def test_variant_that_finished_has_no_picture():
    (entry,) = metrics(a=outcome())
    assert broke.broke(entry, history((1, 99)), chart()) is None
