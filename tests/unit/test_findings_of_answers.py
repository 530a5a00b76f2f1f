"""What the test images say: overfit, worse in the end, exchanged classes, another kind of picture."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from train import train

from builders.training import LOGITS, data, settings, trained
from findings import findings  # noqa: F401 (which registers the finders)
from findings.evidence import Evidence, State
from findings.finders import FINDERS
from findings.judging import judged
from findings.task import changed_task, task
from findings.unlike import unlike
from training.history import Row


def labels(n: int) -> torch.Tensor:
    return (torch.arange(n) >= n // 2).float().unsqueeze(1)


def answers(y: torch.Tensor, wrong: range) -> torch.Tensor:
    """ŷ, (n, 1), of which these are wrong."""
    says = y.clone()
    says[list(wrong)] = 1 - says[list(wrong)]
    return 0.1 + 0.8 * says


def evidence(
    then: range, now: range, then_in_training=0, now_in_training=0, n=800, m=200, kind=lambda: None
) -> Evidence:
    """Of a model whose wrong test images were `then` at epoch 10, of 20 looks, and are `now`."""
    y, y_test = labels(n), labels(m)
    nothing = torch.zeros(1, 1)
    end = State([], [], nothing, answers(y, range(now_in_training)), 0.1, nothing, [])
    shared = SimpleNamespace(
        data={"y_train": y, "y_test": y_test},
        pixels=SimpleNamespace(n=(n // 2, n // 2)),
        test_n=(m // 2, m // 2),
        classes=[3, 8],
        unlike=kind,
    )
    looks = [Row(0.1, 1 - then_in_training / n, -1.0, 1.0, 0, 0, len(then) if e % 5 == 0 else None) for e in range(100)]
    model = SimpleNamespace(
        record=SimpleNamespace(test_epoch=10, test_correct=m - len(now)),
        history=looks,
        test_answers=answers(y_test, then) > 0.5,
        test_yhat=answers(y_test, now),
    )
    return Evidence(shared, model, end, [], end, None, None)


def kinds(of: Evidence) -> dict:
    names = ("overfit", "was-better", "wrong-way-on-test", "test-unlike-training", "does-not-generalize")
    return {name: one for name in names if (one := FINDERS[name](of))}


def test_overfit_is_told_by_test_images_that_were_right_once():
    found = kinds(evidence(range(10), range(40), then_in_training=30, now_in_training=0))["overfit"]
    assert (found.alarm, found.epoch, found.count, found.against) == (True, 10, 40, 10)
    assert found.sentence == (
        "At epoch 10, 10 test images were wrong, and 40 in the end; of the training images, 30 then and 0 in the end."
    )


@pytest.mark.parametrize(
    ("then", "now"),
    [
        (range(7), range(7)),  # a test loss that rises says nothing while the same images are wrong
        (range(7), range(16)),  # of one look nine images more are no luck, of the best of 20 they may be
        (range(96), range(150)),  # no better than guessing then: 104 of 200
    ],
)
def test_test_images_that_may_have_been_right_by_luck_are_no_overfit(then, now):
    assert {"overfit", "was-better"} & set(kinds(evidence(then, now, then_in_training=9))) == set()


def test_model_that_was_better_on_the_training_images_too_is_no_overfit_and_no_alarm():
    found = kinds(evidence(range(10), range(40), then_in_training=5, now_in_training=60))
    assert "overfit" not in found
    assert not found["was-better"].alarm


def test_flipped_labels_learned_by_heart_are_overfit():
    """A fifth of the training labels is wrong: a real training."""
    parts = data(400, 800)
    for part in ("train", "test"):
        parts[f"x_{part}"] = parts[f"x_{part}"] + 0.3 * parts[f"y_{part}"]
    flipped = torch.rand(400, 1, generator=torch.Generator().manual_seed(2)) < 0.2
    parts["y_train"] = torch.where(flipped, 1 - parts["y_train"], parts["y_train"])
    parts["x_packed"] = parts["x_train"]
    chosen = settings(loss_definition=LOGITS, lr=0.003, epochs=100, hidden=[16])
    one = judged(trained(chosen, parts), task(chosen, parts), train).outcome
    (found,) = (finding for finding in one.findings if finding.kind == "overfit")
    assert (one.verdict, found.alarm) == ("faulty", True)
    assert found.against < found.count == one.test_n - one.test_correct
    assert found.epoch < 30


def test_exchanged_classes_of_the_test_images_are_named_and_fail():
    found = kinds(evidence(range(198), range(198)))
    assert found["wrong-way-on-test"].alarm
    assert found["wrong-way-on-test"].sentence == (
        "198 of 200 test images are wrong, more than by always naming the smaller class, and 800 of 800 training images"
        " are right: the classes of the test images seem exchanged."
    )
    assert "does-not-generalize" in found
    # Which explains what is wrong: no earlier epoch does.
    assert set(kinds(evidence(range(90), range(198), then_in_training=9))) == {
        "wrong-way-on-test",
        "does-not-generalize",
    }
    # Not of a model that learned nothing, nor of what may be luck.
    assert "wrong-way-on-test" not in kinds(evidence(range(198), range(198), now_in_training=390))
    assert "wrong-way-on-test" not in kinds(evidence(range(118), range(118)))


# Of images with a shape and a place: what was done to the test images, and how it is called.
DONE = {
    "inverted": lambda images: 255 - images,
    "turned by a quarter to the left": lambda images: images.rot90(1, (1, 2)),
    "turned by a quarter to the right": lambda images: images.rot90(-1, (1, 2)),
    "turned upside down": lambda images: images.rot90(2, (1, 2)),
    "mirrored left to right": lambda images: images.flip(2),
    "mirrored top to bottom": lambda images: images.flip(1),
    "mirrored at a diagonal, rows and columns exchanged": lambda images: images.transpose(1, 2),
    "mirrored at the other diagonal": lambda images: images.rot90(1, (1, 2)).flip(2),
    "shifted down by 2 and to the left by 3 pixels": lambda images: images.roll((2, -3), (1, 2)),
    "shifted up by 1 pixel": lambda images: images.roll(-1, 1),
}


def digits(change=lambda images: images, m=100) -> dict:
    """Images of a lopsided figure of two widths, drawn with noise."""
    generator, raw = torch.Generator().manual_seed(4), {}
    for part, n in (("train", 400), ("test", m)):
        label = (torch.arange(n) >= n // 2).long()
        image = torch.zeros(n, 28, 28)
        image[:, 4:20, 8:12] = 200.0
        image[:, 16:20, 8:18] = 160.0
        image[label == 1, 4:7, 8:22] = 120.0
        noise = torch.randint(0, 50, image.shape, generator=generator)
        raw[f"{part}_images"] = (image + noise).clamp(0, 255).to(torch.uint8)
        raw[f"{part}_labels"] = label
    return raw | {"test_images": change(raw["test_images"])}


@pytest.mark.parametrize("how", DONE)
def test_what_was_done_to_the_test_images_is_named(how):
    found = unlike(digits(DONE[how]))
    assert found.how == how
    assert found.after < found.before / 2
    of = evidence(range(90), range(90), kind=lambda: unlike(digits(DONE[how])))
    told = kinds(of)["test-unlike-training"]
    assert told.alarm and told.sentence.startswith(f"The test images seem {how}: ")
    # Where it explains what is wrong, the classes are not said to be exchanged.
    exchanged = evidence(range(198), range(198), kind=lambda: unlike(digits(DONE[how])))
    assert set(kinds(exchanged)) == {"test-unlike-training", "does-not-generalize"}


@pytest.mark.parametrize("m", [4, 20, 100])
def test_images_of_the_same_kind_are_not_called_unlike(m):
    assert unlike(digits(m=m)) is None
    white = unlike(digits(lambda images: torch.full_like(images, 255), m=m))
    assert white is None  # though a black image would be nearer
    brighter = unlike(digits(lambda images: (images.int() * 3 // 4).to(torch.uint8)))
    assert brighter is None  # another kind, but none of these


def test_class_that_is_hard_in_training_as_well_and_has_more_test_images_is_no_lack_of_generalizing():
    """Half of one class is wrong, in training and in the test, where it has four of five images."""
    few = evidence(range(40), range(40), n=400, m=100)
    y = torch.tensor([[0.0]] * 20 + [[1.0]] * 80)
    wrong = range(20, 60)
    hard = replace(
        few,
        task=SimpleNamespace(**vars(few.task) | {"data": few.task.data | {"y_test": y}, "test_n": (20, 80)}),
        end=replace(few.end, yhat=answers(labels(400), range(200, 300))),
        trained=SimpleNamespace(
            **vars(few.trained) | {"test_yhat": answers(y, wrong), "test_answers": answers(y, wrong) > 0.5}
        ),
    )
    assert "does-not-generalize" not in kinds(hard)
    assert "does-not-generalize" in kinds(replace(hard, end=replace(few.end, yhat=answers(labels(400), range(9)))))


def test_model_that_generalizes_is_not_asked_what_its_test_images_are():
    def unread():
        raise AssertionError("the raw images are looked at")

    assert kinds(evidence(range(3), range(3), kind=unread)) == {}


def test_distances_are_those_of_the_mean_images():
    raw = digits(DONE["turned upside down"])
    found = unlike(raw)
    means = {
        part: np.mean(
            [raw[f"{part}_images"][raw[f"{part}_labels"] == one].double().mean(0).numpy() for one in (0, 1)], axis=0
        )
        for part in ("train", "test")
    }
    assert found.before == pytest.approx(np.sqrt(((means["test"] - means["train"]) ** 2).mean()), rel=1e-6)
    undone = np.rot90(means["test"], 2)
    assert found.after == pytest.approx(np.sqrt(((undone - means["train"]) ** 2).mean()), rel=1e-6)


def test_trials_ask_the_same_of_the_test_images():
    chosen, parts = settings(), data()
    before = replace(task(chosen, parts), unlike=lambda: None)
    assert changed_task(before, chosen | {"lr": 0.1}, parts).unlike is before.unlike
