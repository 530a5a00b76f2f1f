"""The verdict by the answers: counts of right images, and which of them may be luck."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.stats import binomtest, fisher_exact

from comparing.statistics import at_least, fisher, interval
from findings.catalogue import CATALOGUE
from findings.evidence import Evidence, State
from findings.finders import FINDERS
from findings.findings import verdict
from records.metrics import finding
from training.loss import build_loss

OF_ANSWERS = ("one-class", "chance-level", "does-not-generalize", "no-better-than-constant", "little-progress")


def labels(n: tuple[int, int]) -> torch.Tensor:
    return torch.tensor([[0.0]] * n[0] + [[1.0]] * n[1])


def answers(n: tuple[int, int], right: tuple[int, int]) -> torch.Tensor:
    """ŷ of n images of either class, so many of which are right."""
    wrong = [[0.9]] * (n[0] - right[0]), [[0.1]] * (n[1] - right[1])
    return torch.tensor([[0.1]] * right[0] + wrong[0] + [[0.9]] * right[1] + wrong[1])


def judged(train: tuple, test: tuple = ((100, 100), (100, 100)), loss=0.1, constant=0.7, floor=0.0, differ=True):
    """(verdict, {kind: finding}) of a model by its answers: ((images of 0, of 1), (right ones)), and by its loss."""
    nothing = torch.zeros(1, 1)
    state = State([], [], nothing, answers(*train), loss, nothing, [])
    task = SimpleNamespace(
        data={"y_train": labels(train[0]), "y_test": labels(test[0])},
        pixels=SimpleNamespace(n=train[0]),
        test_n=test[0],
        constant=constant,
        floor=floor,
        can_be_learned=differ,
        classes=[3, 8],
        loss=build_loss(["module", "BCEWithLogitsLoss", [], "logits"]),
        unlike=lambda: None,
    )
    record = SimpleNamespace(test_correct=sum(test[1]))
    model = SimpleNamespace(record=record, test_yhat=answers(*test))
    evidence = Evidence(task, model, state, [], state, None, None)
    found = [one for name in OF_ANSWERS if (one := FINDERS[name](evidence))]
    return verdict(evidence, found), {one.kind: one for one in found}


HALVES, BALANCED = (400, 400), ((400, 400), (400, 400))


@pytest.mark.parametrize(
    ("train", "word", "kind"),
    [
        ((HALVES, (400, 400)), "good", None),
        ((HALVES, (1, 400)), "fails", "chance-level"),  # 401 of 800
        (((5923, 6742), (189, 6742)), "fails", "chance-level"),  # 6,931 of 12,665, where 6,742 is guessing
        ((HALVES, (77, 400)), "faulty", "little-progress"),  # 477 of 800
        ((HALVES, (201, 400)), "good", None),
        ((HALVES, (0, 400)), "fails", "one-class"),
        ((HALVES, (9, 9)), "fails", "chance-level"),  # far worse than guessing
        (((1, 1), (1, 1)), "good", None),  # 2 of 2
        (((6, 6), (5, 5)), "good", None),  # of so few, perfect answers may be luck, too: nothing is said
        (((7, 7), (5, 5)), "fails", "chance-level"),  # 10 of 14
        (((7, 7), (7, 6)), "good", None),  # 13 of 14: p = 0.002, but nearly all are right
        (((10, 990), (1, 990)), "fails", "chance-level"),  # one of ten rare ones
        (((10, 990), (8, 990)), "good", None),
    ],
)
def test_training_answers_that_may_be_guessed_fail(train, word, kind):
    found, kinds = judged(train, floor=None, differ=False)
    assert found == word, kinds
    assert [name for name in kinds if kinds[name].alarm] == [kind] * (kind is not None)


def test_chance_level_says_what_guessing_gets_and_how_likely_that_is():
    _, kinds = judged((HALVES, (1, 400)))
    assert kinds["chance-level"].sentence == (
        "401 of 800 training images are right; always naming the larger class gets 400."
    )
    _, kinds = judged(((7, 7), (5, 5)))
    assert kinds["chance-level"].sentence == (
        "10 of 14 training images are right; always naming the larger class gets 7; answers at random are as good with"
        " a probability of 0.14."
    )


@pytest.mark.parametrize(
    ("train", "test", "word"),
    [
        (HALVES, ((100, 100), (99, 0)), "fails"),  # 99 of 200
        ((60, 60), ((20, 20), (18, 10)), "faulty"),  # 28 of 40
        ((60, 60), ((20, 20), (19, 10)), "good"),  # 29 of 40: may be luck
        ((60, 60), ((2, 2), (0, 0)), "fails"),  # 0 of 4
        ((60, 60), ((2, 2), (1, 0)), "good"),  # 1 of 4: may be luck
        ((60, 60), ((10, 10), (10, 2)), "fails"),  # 12 of 20: may be guessed
        ((60, 60), ((10, 10), (10, 3)), "good"),
        (HALVES, ((100, 100), (100, 49)), "faulty"),  # 149 of 200
        (HALVES, ((100, 100), (100, 50)), "good"),
    ],
)
def test_test_answers_far_below_those_of_training_do_not_generalize(train, test, word):
    found, kinds = judged((train, train), test)
    assert (found, "does-not-generalize" in kinds) == (word, word != "good")


def test_what_fails_a_model_stands_before_what_may_come_and_what_it_brought_about():
    order = [[*CATALOGUE].index(name) for name in ("does-not-generalize", "will-diverge", "worse-than-start")]
    assert order == sorted(order)


def test_does_not_generalize_says_how_many_are_wrong_and_how_sure_that_is():
    _, kinds = judged(((60, 60), (60, 60)), ((20, 20), (18, 10)))
    assert kinds["does-not-generalize"].sentence == (
        "12 of 40 test images are wrong (on others like these 17 to 47 of 100), none of the 120 training images."
    )
    # Training images that are as often wrong are another fault.
    assert "does-not-generalize" not in judged((HALVES, (400, 190)), ((100, 100), (100, 49)))[1]


def test_test_images_without_an_answer_are_not_counted_as_wrong():
    nan = torch.full((200, 1), float("nan"))
    state = State([], [], nan, answers(HALVES, HALVES), 0.1, nan, [])
    task = SimpleNamespace(data={"y_train": labels(HALVES), "y_test": labels((100, 100))}, test_n=(100, 100))
    model = SimpleNamespace(record=SimpleNamespace(test_correct=None, test_loss=0.1), test_yhat=nan)
    blind = Evidence(task, model, state, [], state, None, None)
    assert (blind.test_right, blind.test_avoids, blind.is_test_guessed) == (None, None, False)
    assert FINDERS["does-not-generalize"](blind) is None


def test_loss_alone_never_fails_a_model_whose_answers_are_right():
    """800 of 800 and 199 of 200 right, with a loss that is no less than a constant's: a fact, and no alarm."""
    word, kinds = judged(BALANCED, ((100, 100), (100, 99)), loss=0.8)
    assert (word, kinds["no-better-than-constant"].alarm) == ("good", False)
    assert kinds["no-better-than-constant"].sentence == (
        "The answers are right, but the loss is larger than a constant's: 0.8, and 0.7 with the best single answer for"
        " all images."
    )
    word, kinds = judged(BALANCED, ((100, 100), (100, 99)), loss=0.5)
    assert (word, kinds["little-progress"].alarm) == ("good", False)
    # With a fifth of the test images wrong it is an alarm, and the model is faulty.
    assert judged(BALANCED, ((100, 100), (100, 70)), loss=0.8)[0] == "faulty"
    assert judged((HALVES, (400, 250)), loss=0.8)[0] == "faulty"


def test_loss_that_is_least_at_one_answer_says_nothing_of_a_model():
    """Of the perceptron criterion L* is L∞: 0 for every right answer, and 0 at the border."""
    assert judged(BALANCED, loss=0.0, constant=0.0, floor=0.0, differ=False) == ("good", {})
    word, kinds = judged((HALVES, (102, 400)), loss=0.1, constant=0.0, differ=False)
    assert (word, kinds["little-progress"].sentence) == (
        "faulty",
        "502 of 800 training images are right; always naming the larger class gets 400.",
    )


def test_alarm_of_another_kind_makes_a_model_faulty():
    evidence = SimpleNamespace(is_test_guessed=False)
    assert verdict(evidence, [finding("stuck-images", "", alarm=True)]) == "faulty"
    assert verdict(evidence, [finding("stuck-images", "", alarm=False)]) == "good"


@pytest.mark.parametrize(
    ("wrong", "n", "share"), [(4, 4, 0.1), (3, 4, 0.1), (51, 200, 0.1), (0, 9, 0.3), (1999, 2115, 0.9)]
)
def test_binomial_test_and_interval_are_those_of_scipy(wrong, n, share):
    expected = binomtest(wrong, n, share, "greater")
    assert at_least(wrong, n, share) == pytest.approx(expected.pvalue)
    exact = binomtest(wrong, n).proportion_ci(method="exact")
    np.testing.assert_allclose(interval(wrong, n), (exact.low, exact.high), atol=1e-7)


@pytest.mark.parametrize(
    ("wrong", "n", "others_wrong", "others"), [(3, 20, 0, 60), (0, 20, 0, 60), (5, 20, 9, 60), (400, 400, 1, 400)]
)
def test_fisher_is_that_of_scipy(wrong, n, others_wrong, others):
    table = [[wrong, n - wrong], [others_wrong, others - others_wrong]]
    assert fisher(wrong, n, others_wrong, others) == pytest.approx(fisher_exact(table, "greater").pvalue)
