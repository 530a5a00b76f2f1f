"""What can be known before a training: of its loss, its pixels, and the least that its loss could become."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from findings.pixels import PixelFacts, look
from findings.unlike import Unlike
from losses.constant import constant_answers
from losses.facts import unbounded
from records.losses import LossChart
from training.loss import Loss, build_loss


@dataclass(frozen=True)
class Task:
    """What all seeds of a variant share.

    settings: of the variant, with `classes`, what y = 0 and y = 1 are called. data: x_train (n, 784), the same as
    x_packed, y_train (n, 1), x_test (m, 784), y_test (m, 1). chart: of the loss. coin: the loss with every logit 0.
    constant: the least loss of one answer for all images; floor: that of the best answers of all; None where there is
    none. can_be_learned: whether some answers have less loss than any single one for all images, by more than rounding.
    unlike: what was done to the test images, if they are another kind of picture; asked of what does not generalize.
    """

    settings: dict
    data: dict
    loss: Loss
    chart: LossChart
    pixels: PixelFacts
    coin: float
    constant: float | None
    floor: float | None
    can_be_learned: bool
    unlike: Callable[[], Unlike | None] = lambda: None

    @property
    def classes(self) -> list:
        return self.settings["classes"]

    @property
    def test_n(self) -> tuple[int, int]:
        """Test images of y = 0 and y = 1."""
        ones = int((self.data["y_test"] == 1).sum())
        return len(self.data["y_test"]) - ones, ones


def task(settings: dict, data: dict, chart: LossChart | None = None, pixels: PixelFacts | None = None) -> Task:
    """What can be known before training. chart, pixels: where they are known already."""
    loss, y = build_loss(settings["loss_definition"]), data["y_train"]
    if chart is None:
        from losses.sign_chart import sign_chart  # of a trial alone

        chart = sign_chart(loss)
    found, is_bounded = constant_answers(loss, y), unbounded(chart) is None
    return Task(
        settings=settings,
        data=data,
        loss=loss,
        chart=chart,
        pixels=pixels or look(data["x_train"], y, data["x_test"]),
        coin=found.coin,
        constant=found.constant if is_bounded else None,
        floor=found.floor if is_bounded and chart.per_image else None,
        can_be_learned=is_bounded and found.differ,
    )


def changed_task(before: Task, settings: dict, data: dict) -> Task:
    """Another task, of which nothing is computed again that is the same."""
    is_same_loss = settings["loss_definition"] == before.settings["loss_definition"]
    chart, pixels = before.chart if is_same_loss else None, before.pixels if data is before.data else None
    return replace(task(settings, data, chart, pixels), unlike=before.unlike)
