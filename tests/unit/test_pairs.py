"""What only shows when variants lie side by side: what one change did, and the images that many get wrong."""

import numpy as np
import pytest
from msgspec.structs import replace

from builders.answers import entry
from builders.workflows import small_config
from common.errors import UserError
from comparing.images import IMAGES_SHOWN, wrong_images
from comparing.pairs import changes, one_change_pairs
from comparing.statistics import sign_flips
from experiment.config import check
from records.comparison import Change
from reporting import pairs
from reporting.pictures import Pictures, hardest_digits, sureness, wrong_digits


def test_pairs_differ_in_exactly_one_key(small_mnist):
    config = small_config(small_mnist)
    config["variants"] = {
        "a": {"loss": "bce", "normalization": "unit"},
        "b": {"loss": "bce", "normalization": "unit", "lr": 0.1},
        "c": {"loss": "bce", "normalization": "unit", "lr": 0.1, "epochs": 9},
        "d": {"loss": "negative-log", "normalization": "unit", "epochs": 9},
        "same-as-a": {"loss": "bce", "normalization": "unit"},
    }
    variants = check(config).variants
    assert one_change_pairs(variants) == [("a", "b", "lr"), ("b", "c", "epochs"), ("same-as-a", "b", "lr")]


def test_number_is_compared_with_the_next_larger_one_and_a_name_with_every_other():
    def pairs(key: str, *values) -> list[str]:
        variants = {str(value): {key: value, "epochs": 1} for value in values}
        return [f"{before} {after}" for before, after, _ in one_change_pairs(variants)]

    assert pairs("lr", 0.1, 1e-05, 10.0, 2.0) == ["0.1 2.0", "1e-05 0.1", "2.0 10.0"]
    assert pairs("hidden", [16], [], [8]) == ["[8] [16]", "[] [8]"]
    assert pairs("hidden", [16], [8, 8], [8]) == ["[8, 8] [16]", "[8] [16]", "[8] [8, 8]"]
    assert pairs("loss", "c", "a", "b") == ["a b", "a c", "b c"]


def test_other_seeds_are_no_change():
    """Models are compared seed by seed: two lists of seeds have the same one in other places, or none in common."""
    variants = {str(seeds): {"lr": lr, "seeds": seeds} for lr, seeds in ((0.1, [1]), (0.1, [2, 1]), (0.2, [2]))}
    assert one_change_pairs(variants) == []
    assert one_change_pairs(variants | {"b": {"lr": 0.2, "seeds": [1]}}) == [("[1]", "b", "lr")]


def test_change_is_told_over_all_other_settings_and_seeds():
    lost = np.zeros(5)
    right = {
        "slow": [[1, 1, 0, 0, 1], [1, 1, 0, 1, 1]],
        "fast": [[1, 1, 0, 1, 1], [1, 1, 0, 1, 0]],
        "slow-long": [[1, 1, 1, 1, 1], lost],
        "fast-long": [[1, 0, 1, 0, 1], [1, 1, 1, 1, 1]],
    }
    right = {name: np.array(rows, dtype=bool) for name, rows in right.items()}
    variants = {name: {"lr": 0.1 if "fast" in name else 0.02, "epochs": 9 if "long" in name else 1} for name in right}
    found = changes(variants, {name: entry(name, rows) for name, rows in right.items()}, right)
    (change,) = [one for one in found if one.key == "lr"]
    assert change.values == [0.02, 0.1]  # by size, whichever variant comes first
    assert (change.models, change.diverged) == (4, (1, 0))
    # The mean is of the three that answer both times; a model that no longer diverges is better.
    assert (change.better, change.worse, change.equal, change.difference) == (2, 2, 0, pytest.approx(2 / 3))
    assert change.p_value is None
    pair, long = sorted(change.pairs, key=lambda one: len(one.a))
    assert (pair.a, pair.b, pair.wrong, pair.only_a, pair.only_b) == ("slow", "fast", ([2, 1], [1, 2]), 1, 1)
    assert pair.p_value == sign_flips(np.array([0, 0, 0, -1, 1])) == 1
    assert (long.wrong, long.only_a, long.only_b, long.p_value) == (([0, None], [2, 0]), 2, 0, None)
    assert {one.key for one in found} == {"lr", "epochs"}


def test_what_changed_is_found_among_many_variants():
    """1,770 pairs of losses, some with a model that gets half of the images wrong."""
    generator = np.random.default_rng(0)
    shares = np.where(np.arange(60) % 10, 0.99, 0.5)
    right = {f"v{i}": generator.random((3, 2115)) < share for i, share in enumerate(shares)}
    variants = {name: {"loss": name, "epochs": 1} for name in right}
    metrics = {name: entry(name, rows) for name, rows in right.items()}
    found = changes(variants, metrics, right)
    assert len(found) == 60 * 59 / 2


def test_one_model_that_collapses_says_little_of_a_change_over_many():
    def change(wrong_after: list[int]) -> float:
        rows = {"slow": np.ones((len(wrong_after), 100), bool), "fast": np.ones((len(wrong_after), 100), bool)}
        for row, wrong in zip(rows["fast"], wrong_after, strict=True):
            row[:wrong] = False
        variants = {"slow": {"lr": 0.02}, "fast": {"lr": 0.1}}
        (found,) = changes(variants, {name: entry(name, its) for name, its in rows.items()}, rows)
        return found.p_value

    assert change([90, 0, 0, 0, 0, 0]) == 1
    assert change([90, 1, 0, 1, 0, 0]) > 0.2
    assert change([90, 1, 2, 1, 5, 1]) == pytest.approx(2 / 2**6)
    assert change([90, 0, 0, 0, 0]) < 1e-20  # of five models none could be significant: the images are asked


def of_models(before: list[int | None], after: list[int | None], **others) -> Change:
    """What lr did to models with so many of 100 test images wrong, None where they diverged; others: {variant: (lr,
    seeds, such counts)}, of more variants."""
    seeds = list(range(1, len(before) + 1))
    models = {"slow": (0.02, seeds, before), "fast": (0.1, seeds, after)} | others
    right = {
        name: np.array([np.arange(100) >= (100 if n is None else n) for n in of]) for name, (_, _, of) in models.items()
    }
    metrics = {}
    for name, (_, seeds, _) in models.items():
        of = entry(name, right[name])
        metrics[name] = replace(of, seeds=[replace(one, seed=n) for one, n in zip(of.seeds, seeds, strict=True)])
    (found,) = changes({name: {"lr": lr, "seeds": seeds} for name, (lr, seeds, _) in models.items()}, metrics, right)
    return found


def test_change_that_makes_models_diverge_is_worse_and_no_luck():
    change = of_models([3] * 24, [None] * 16 + [2] * 4 + [3] * 4)
    assert (change.better, change.worse, change.equal, change.difference) == (4, 16, 4, -0.5)
    assert change.p_value == pytest.approx(2 / 2**16)
    back = of_models([None] * 16 + [2] * 4 + [3] * 4, [3] * 24)
    assert (back.better, back.worse, back.p_value) == (16, 4, change.p_value)
    none = of_models([3] * 6, [None] * 6)
    assert (none.worse, none.difference, none.p_value) == (6, None, pytest.approx(2 / 2**6))
    assert pairs.clearest([change, none])[1].difference is None


def test_few_models_of_which_one_diverged_have_no_p():
    """Its images tell nothing but that it diverged."""
    change = of_models([3] * 5, [None] * 4 + [3])
    assert (change.better, change.worse, change.equal, change.difference, change.p_value) == (0, 4, 1, 0, None)
    # What diverges before and after is no difference.
    assert of_models([3, None], [9, None]).p_value == pytest.approx(2 / 2**6)
    assert of_models([None], [None]).p_value is None


def test_equal_models_count_once_in_what_a_change_did():
    """Three copies times two are six pairs, but one model on each side."""
    alone = of_models([3], [9])
    assert (alone.models, alone.worse, alone.p_value) == (1, 1, pytest.approx(2 / 2**6))
    copies = {f"slow-{n}": (0.02, [1], [3]) for n in (1, 2)} | {"fast-1": (0.1, [1], [9])}
    assert of_models([3], [9], **copies) == replace(alone, pairs=of_models([3], [9], **copies).pairs)
    assert len(of_models([3], [9], **copies).pairs) == 1
    # Of another list of seeds, the one that both have.
    more = {"slow-more": (0.02, [2, 1], [5, 3]), "fast-more": (0.1, [2, 1], [7, 9])}
    change = of_models([3], [9], **more)
    assert (change.models, change.worse, change.difference, len(change.pairs)) == (2, 2, 4, 2)


def test_page_shows_first_the_changes_that_are_no_luck_and_then_those_that_make_models_diverge():
    shared = {"key": "lr", "values": [1, 2], "models": 1, "better": 0, "worse": 0, "pairs": []}
    dead = [Change(**shared, equal=1, diverged=(0, count), difference=None, p_value=None) for count in (0, 1)]
    alive = [Change(**shared, equal=1, diverged=(0, 0), difference=1.0, p_value=p) for p in (0.5, 0.0, 0.01)]
    order = pairs.clearest([*dead * 30, *alive])
    # Corrected for three that have one, by Holm.
    assert [one.p_value for one in order[:3]] == [0.0, 0.02, None]
    assert {one.diverged for one in order[2:32]} == {(0, 1)}  # all that begin to diverge
    assert (order[32].p_value, order[33].p_value, len(order)) == (0.5, None, pairs.PAIR_ROWS)


def test_page_shows_no_change_of_which_no_model_answers_unless_others_diverged():
    silent, lost = of_models([None, None], [None, None]), of_models([None], [9])
    assert pairs.says_nothing(silent)
    assert not pairs.says_nothing(of_models([3], [3]))
    assert [one.diverged for one in pairs.clearest([silent, lost])] == [lost.diverged]
    assert not pairs.says_nothing(replace(silent, diverged=(1, 2)))


@pytest.mark.parametrize(
    ("yhat", "told"),
    [
        (1.0, "100 %"),
        (0.0, "100 %"),
        (1e-45, "> 99.9 %"),
        (0.99951, "> 99.9 %"),
        (0.9969, "99.6 %"),
        (0.9899, "98 %"),
        (0.019, "98 %"),
        (0.5, "50 %"),
        (np.nan, "ŷ is NaN"),
    ],
)
def test_only_an_answer_of_exactly_0_or_1_is_sure(yhat, told):
    assert sureness(yhat) == told


def black_images(folder, count: int) -> Pictures:
    """The pictures of so many training and test images, none with any ink."""
    arrays = {f"{part}_images": np.zeros((count, 28, 28), np.uint8) for part in ("train", "test")}
    np.savez(folder / "digits.npz", **arrays)
    return Pictures(folder / "digits.npz")


def test_page_shows_the_surest_and_the_hardest_of_all_images(tmp_path):
    """Three models that get a hundred images wrong, the last ones the surest; one image at the end by all of them."""
    m = 400
    wrong = {name: [*range(100 * place, 100 * place + 100), m - 1] for place, name in enumerate("abc")}
    y = np.zeros(m, dtype=bool)
    yhat = np.full((3, m), 0.1, dtype=np.float32)
    for row, images in zip(yhat, wrong.values(), strict=True):
        row[images] = np.linspace(0.51, 0.99, len(images))
    predictions = {name: dict.fromkeys(("train", "test"), row[None]) for name, row in zip(wrong, yhat, strict=True)}
    metrics = [entry(name, (row <= 0.5)[None]) for name, row in zip(wrong, yhat, strict=True)]
    y_of = {"train": y, "test": y}
    _, of_each = wrong_images(metrics, predictions, y_of)
    pictures = black_images(tmp_path, m)
    for one, row in zip(metrics, yhat, strict=True):
        for part in wrong_digits(pictures, one, of_each[one.variant], dict.fromkeys(y_of, row), y_of):
            assert part["count"] == 101
            surest = wrong[one.variant][: -IMAGES_SHOWN - 1 : -1]
            assert [image["index"] for image in part["images"]] == surest
    first, *_ = hard = hardest_digits(pictures, metrics, of_each, y_of)
    assert (first["index"], first["variants"], first["of"], len(hard)) == (m - 1, ["a", "b", "c"], 3, IMAGES_SHOWN)
    shown = {f"{part}-{index}" for of in wrong.values() for index in of[: -IMAGES_SHOWN - 1 : -1] for part in y_of}
    assert set(pictures.shown) == shown | {f"test-{image['index']}" for image in hard}
    for index in (m, -1):
        with pytest.raises(
            UserError, match=rf"digits\.npz: damaged: no picture of test image {index}; to make it anew: "
        ):
            pictures.show("test", index)


def test_finished_model_with_a_nan_for_a_test_image_has_pictures_of_its_training_images_alone(tmp_path):
    right = np.array([[True, False, True, True]])
    of_it = entry("a", right)
    of_it = replace(of_it, seeds=[replace(of_it.seeds[0], test_correct=None, test_accuracy=None)])
    yhat = {"train": np.array([[0.1, 0.9, 0.1, 0.1]]), "test": np.array([[0.1, 0.9, np.nan, 0.1]])}
    y = {part: np.zeros(4, dtype=bool) for part in yhat}
    _, wrong = wrong_images([of_it], {"a": yhat}, y)
    pictures = black_images(tmp_path, 4)
    parts = wrong_digits(pictures, of_it, wrong["a"], {part: rows[0] for part, rows in yhat.items()}, y)
    assert {one["part"]: [image["index"] for image in one["images"]] for one in parts} == {"train": [1]}
    assert set(pictures.shown) == {"train-1"}
