"""What variants have in common, in words."""

import itertools

import pytest

from builders.records import settings
from reporting.alike import alike

VARIANTS = {
    f"{loss}-{unit}-{lr}-{len(hidden)}": settings(loss, unit, lr=lr, hidden=hidden)
    for loss, unit, lr, hidden in itertools.product(("bce", "mse"), ("raw", "unit"), (0.1, 0.2), ([], [64]))
}


def chosen(**having) -> set[str]:
    return {name for name, of in VARIANTS.items() if all(of[key] == value for key, value in having.items())}


@pytest.mark.parametrize(
    ("having", "words"),
    [
        ({"loss": "bce"}, "bce, with every normalization"),
        ({"loss": "bce", "normalization": "unit"}, "bce on unit"),
        ({"normalization": "unit", "lr": 0.1, "hidden": []}, "unit with no hidden layer and lr 0.1, with every loss"),
        ({"lr": 0.2}, "lr 0.2, with every loss"),
        ({"loss": "mse", "hidden": [64]}, "mse with hidden 64, with every normalization"),
    ],
)
def test_settings_that_all_of_them_and_no_other_have_are_their_description(having, words):
    (found,) = alike(chosen(**having), set(VARIANTS), VARIANTS, 2)
    assert (found.words, found.names) == (words, chosen(**having))


def test_description_holds_for_no_other_one():
    """Of those it is said among; what is left over has a second description or none."""
    names = chosen(loss="bce", lr=0.1) | chosen(loss="mse", normalization="unit", lr=0.2)
    found = alike(names, set(VARIANTS), VARIANTS, 3)
    assert {one.words for one in found} == {
        "bce with lr 0.1, with every normalization",
        "mse on unit with lr 0.2",
    }
    assert alike({"bce-raw-0.1-0", "mse-unit-0.2-1"}, set(VARIANTS), VARIANTS, 2) == []
    assert alike(set(), set(VARIANTS), VARIANTS, 2) == []


def test_every_loss_is_said_of_all_that_there_are_not_only_of_those_among_which_it_is_said():
    among = {name for name in VARIANTS if not name.startswith("mse-unit")}
    (found,) = alike(chosen(loss="bce", normalization="unit"), among, VARIANTS, 1)
    assert found.words == "unit, with every loss"  # each loss has variants with unit, though those of one take no part
    variants = {name: of for name, of in VARIANTS.items() if name in among}
    (found,) = alike(chosen(loss="bce", normalization="unit"), among, variants, 1)
    assert found.words == "unit"
