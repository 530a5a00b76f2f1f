"""Which variant is the best: the paired test over images and seeds, and Holm's correction."""

import itertools

import numpy as np
import pytest
from scipy.stats import norm

from builders.ranked import FEW, IMAGES, MORE, invented, ranked, told
from comparing.ranking import MOST_COMPARED, PairedTests, paired_tests, rank
from comparing.significance import significance
from comparing.statistics import holm, mcnemar, sign_flips


@pytest.mark.parametrize("differences", [[], [0, 0], [1], [2, 2], [1, -1, 3], [3, 1, 2, -2, 0, 5, 1], [-4, -4, -6, 2]])
def test_p_is_the_share_of_all_signs_that_do_as_much(differences):
    differences = np.array(differences, dtype=int)
    sums = [abs(np.dot(signs, differences)) for signs in itertools.product([-1, 1], repeat=len(differences))]
    assert sign_flips(differences) == pytest.approx(np.mean(np.array(sums) >= abs(differences.sum())))


@pytest.mark.parametrize(("plus", "minus"), [(0, 0), (3, 1), (40, 12), (700, 300), (0, 900)])
def test_p_of_one_seed_each_is_mcnemar_s(plus, minus):
    differences = np.repeat([1, -1, 0], [plus, minus, 20])
    assert sign_flips(differences) == pytest.approx(mcnemar(plus, minus), rel=1e-9)
    assert sign_flips(7 * differences) == sign_flips(differences)


def test_p_of_many_images_and_models_is_near_that_of_a_normal_distribution():
    differences = np.random.default_rng(0).integers(-100, 101, 2000)
    z = abs(differences.sum()) / np.sqrt(np.square(differences).sum())
    assert sign_flips(differences) == pytest.approx(2 * norm.sf(z), rel=0.01)


def test_holm_s_correction_is_that_of_his_example():
    assert holm({"a": 0.01, "b": 0.04, "c": 0.03, "d": 0.005}) == pytest.approx(
        {"d": 0.02, "a": 0.03, "c": 0.06, "b": 0.06}
    )
    assert holm({"a": 0.7, "b": 0.6}) == {"b": 1.0, "a": 1.0}
    assert holm({}) == {}


def test_holm_s_correction_counts_hypotheses_that_share_a_p_and_those_that_have_none():
    alone = holm(dict(enumerate([0.001, 0.004, 0.004, 0.004, 0.02])), of=9)
    assert list(alone.values()) == pytest.approx([0.009, 0.032, 0.032, 0.032, 0.1])
    together = holm({"a": 0.001, "b": 0.004, "c": 0.02}, {"a": 1, "b": 3, "c": 1}, of=9)
    assert list(together.values()) == pytest.approx([0.009, 0.032, 0.1])


def test_variant_with_a_bad_seed_is_never_equal_to_the_best():
    collapsed = range(600)
    for seeds in ([FEW, "diverged"], [FEW, "fails"], [FEW, range(400)], ["diverged", FEW]):
        ranking = ranked(a=[FEW, FEW], b=seeds)
        assert (ranking.winners, ranking.equals, ranking.worse, ranking.out) == (["a"], [], [], ["b"])
    # A third seed that gets most images right takes part, and is held against the others with its own figure.
    ranking = ranked(a=[FEW, FEW, FEW], b=[FEW, FEW, range(300)])
    assert (ranking.equals, ranking.worse, ranking.out) == ([], ["b"], [])
    assert ranked(a=[collapsed], b=["diverged"]).winners == []


def test_all_seeds_count_not_only_the_first():
    """Either seed alone is not significantly worse (p = 0.06); both on the same images are not, either."""
    one, other = range(5), range(5, 10)
    assert ranked(a=[(), ()], b=[one, one]).equals == ["b"]
    ranking = ranked(a=[(), ()], b=[one, other])
    assert ranking.worse == ["b"]
    assert ranking.p_values["b"] == pytest.approx(2 / 2**10)


def test_every_two_variants_are_a_comparison_that_is_corrected_for():
    six = range(6)  # p = 0.03
    assert ranked(a=[()], b=[six]).worse == ["b"]
    ranking = ranked(a=[()], b=[six], c=[six])
    assert (ranking.equals, ranking.pairs, ranking.apart) == (["b", "c"], 3, 0)
    assert ranking.p_values["b"] == pytest.approx(3 * mcnemar(0, 6))
    # d differs from each of the three beyond luck. With these pairs rejected, three are left for a and b.
    ranking = ranked(a=[()], b=[range(8)], c=[[8]], d=[range(100, 200)])
    assert (ranking.worse, ranking.pairs, ranking.apart) == (["b", "d"], 6, 4)
    assert ranking.p_values["b"] == pytest.approx(3 * mcnemar(0, 8))
    assert 3 * mcnemar(0, 8) < 0.05 < 7 * mcnemar(0, 8)


def test_variant_is_worse_only_than_a_best_one_that_it_differs_from():
    """Two share the best accuracy, and b differs from one of them alone."""
    one, other = range(20), range(20, 40)
    ranking = ranked(a=[one], also=[other], b=[range(32)])
    assert (ranking.winners, ranking.equals, ranking.apart) == (["a", "also"], ["b"], 1)
    assert told(a=[one], also=[other], b=[range(32)]).sentence.endswith("Not significantly worse: b.")


def page(generator: np.random.Generator, variants: int, images: int) -> dict[str, np.ndarray]:
    """Variants that are equally good, and fail on the same hard images."""
    difficulty = np.where(generator.random(images) < 0.1, 0.3, 0.005)
    return {f"v{place}": (generator.random(images) < difficulty).astype(np.int64) for place in range(variants)}


def is_any_worse(errors: dict[str, np.ndarray], tests: PairedTests) -> bool:
    return bool(rank(list(errors), [], tests).worse)


def test_of_equal_variants_none_is_called_worse_though_the_best_is_chosen_on_the_same_images():
    """On at most 5 % of pages. Held against the best alone, some variant would be worse on many more."""
    generator, worse, against_the_best = np.random.default_rng(1), 0, 0
    for _ in range(250):
        errors = page(generator, 16, 400)
        worse += is_any_worse(errors, paired_tests(errors, {name: name for name in errors}, errors))
        fewest = min(errors.values(), key=np.sum)
        against_the_best += min(holm({name: sign_flips(one - fewest) for name, one in errors.items()}).values()) < 0.05
    assert worse <= 0.05 * 250 < 0.1 * 250 < against_the_best


def test_variants_of_unlike_many_seeds_are_compared_by_their_means():
    ranking = ranked(a=[FEW, FEW, FEW], b=[FEW, FEW], c=[MORE])
    assert (ranking.winners, ranking.worse) == (["a", "b"], ["c"])
    assert told(a=[FEW, FEW, FEW], b=[FEW, FEW], c=[MORE]).sentence == (
        "Best of the 3 good ones: a and b, 997.0 of 1,000 test images right on average each. Significantly worse: c."
    )


def test_star_is_the_best_of_the_good_and_a_faulty_one_may_be_significantly_better():
    ranking = ranked(a=[MORE], b=["faulty"], c=[range(41)], d=["faulty"])
    assert (ranking.winners, ranking.equals, ranking.better, ranking.worse) == (["a"], ["c"], ["b", "d"], [])
    answer = told(a=[MORE], b=["faulty"], c=[range(41)], d=["faulty"])
    assert answer.sentence == (
        "Best of the 2 good ones: a, 960 of 1,000 test images right. Not significantly worse: c."
    )
    assert answer.note.startswith("b gets 1,000 right and d gets 1,000 right, but both are faulty.")


def test_of_very_many_variants_each_is_held_against_the_best():
    """Not only the 200 that are compared among themselves."""
    most = {f"v{place}": [range(place)] for place in range(MOST_COMPARED + 100)}
    ranking = ranked(**most)
    bound = len(ranking.equals) + 1
    assert (ranking.winners, ranking.worse) == (["v0"], [f"v{place}" for place in range(bound, len(most))])
    assert mcnemar(0, bound) * ranking.pairs < 0.05 * 20
    # Of those beyond, one that differs from another is not asked for, and no more is claimed.
    near = {f"v{place}": [range(place % 2)] for place in range(MOST_COMPARED + 100)}
    assert told(**near).sentence.endswith("150 more cannot be told apart.")


def test_every_two_variants_that_take_part_have_a_p_whatever_their_number_of_seeds():
    variants = {"a": [range(3), range(2)], "b": [range(20)], "c": [FEW, "diverged"], "d": [(), range(3, 8), [1]]}
    metrics, wrong = invented(**variants)
    found = significance(metrics, wrong)
    assert found.compared == ["d", "a", "b"]  # 2, 2.5 and 20 wrong images; a seed of c has no answer
    assert found.ranking.p_values == {"a": found.corrected[1][0], "b": found.corrected[2][0]}
    counts = {
        name: np.bincount(np.concatenate([np.array(list(one), dtype=int) for one in variants[name]]), minlength=IMAGES)
        for name in found.compared
    }
    for place, one in enumerate(found.compared):
        others = found.compared[:place]
        weighted = [counts[one] * len(variants[other]) - counts[other] * len(variants[one]) for other in others]
        assert found.p_values[place] == [sign_flips(differences) for differences in weighted]
    assert found.p_values[2][0] < 0.05 < found.p_values[1][0] < 1
    one, other, another = (found.p_values[place][other] for place, other in ((1, 0), (2, 0), (2, 1)))
    in_order = holm({(1, 0): one, (2, 0): other, (2, 1): another})
    assert found.corrected == [[], [in_order[1, 0]], [in_order[2, 0], in_order[2, 1]]]


def test_equal_mistakes_are_compared_once(monkeypatch):
    compared = []
    monkeypatch.setattr("comparing.ranking.sign_flips", lambda of: compared.append(of) or sign_flips(of))
    found = significance(*invented(a=[FEW], b=[FEW, FEW], c=[MORE], d=[MORE, MORE], e=[FEW]))
    assert found.compared == ["a", "b", "e", "c", "d"]
    p = sign_flips(np.repeat([1, 0], [37, 3]))
    assert found.p_values == [[], [1], [1, 1], [p, p, p], [p, p, p, 1]]
    assert found.corrected[3] == pytest.approx([10 * p] * 3)  # six of the ten pairs have this p, and four have 1
    assert len(compared) == 1


def test_of_very_many_variants_the_best_are_compared():
    found = significance(*invented(**{f"v{place}": [range(300 - place)] for place in range(MOST_COMPARED + 50)}))
    assert found.compared == [f"v{place}" for place in range(MOST_COMPARED + 49, 49, -1)]
    assert [len(row) for row in found.p_values] == list(range(MOST_COMPARED))
