"""Which variant is the best: the paired test over images and seeds, and what the verdict makes of it."""

import itertools

import numpy as np
import pytest
from msgspec.structs import replace
from scipy.stats import norm

from builders.answers import outcome
from builders.records import PLAIN
from comparing.ranking import rank
from comparing.significance import MOST_COMPARED, significance
from comparing.statistics import holm, mcnemar, sign_flips
from records.comparison import Ranking
from records.metrics import Metrics
from records.training import Counts
from reporting.best import LONGEST, Best, best

IMAGES = 1000


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


def invented(**variants) -> tuple[list[Metrics], dict]:
    """Variants, each a list of the images that a seed gets wrong, or of a verdict in place of them; and wrong.json."""
    metrics, wrong = [], {}
    for name, seeds in variants.items():
        outcomes, wrong[name] = [], {"test": {}}
        for seed, of_seed in enumerate(seeds):
            missed = of_seed if not isinstance(of_seed, str) else ()
            one = replace(outcome(~np.isin(np.arange(IMAGES), list(missed))), seed=seed)
            match of_seed:
                case "diverged":
                    one = replace(one, verdict="fails", status="diverged", test_correct=None, test_accuracy=None)
                case "faulty" | "fails":
                    one = replace(one, verdict=of_seed)
            outcomes.append(one)
            if one.test_correct is not None:
                wrong[name]["test"][str(seed)] = list(missed)
        counts = Counts(train=(1, 1), test=(IMAGES - 600, 600))
        metrics.append(
            Metrics(
                device="cpu",
                code="0123456789",
                classes=[0, 1],
                variant=name,
                settings=PLAIN,
                counts=counts,
                seeds=outcomes,
            )
        )
    return metrics, wrong


def ranked(**variants) -> Ranking:
    return rank(*invented(**variants))


def told(**variants) -> Best:
    metrics, wrong = invented(**variants)
    return best(rank(metrics, wrong), metrics)


FEW, MORE = range(10, 13), range(40)


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


def test_number_of_comparisons_is_corrected_for():
    six = range(6)  # p = 0.03
    assert ranked(a=[()], b=[six]).worse == ["b"]
    ranking = ranked(a=[()], b=[six], c=[six])
    assert ranking.equals == ["b", "c"]
    assert ranking.p_values["b"] == pytest.approx(2 * mcnemar(0, 6))


def test_variants_of_unlike_many_seeds_are_compared_by_their_means():
    ranking = ranked(a=[FEW, FEW, FEW], b=[FEW, FEW], c=[MORE])
    assert (ranking.winners, ranking.worse) == (["a", "b"], ["c"])
    assert told(a=[FEW, FEW, FEW], b=[FEW, FEW], c=[MORE]).sentence.startswith(
        "a and b share the best test accuracy, 997.0 of 1,000 test images right on average."
    )


def test_sentence_and_note_say_what_was_done():
    answer = told(a=[FEW], b=[range(6)], c=[MORE], d=["faulty"])
    assert answer.sentence == (
        "Of the good ones, a does best, 997 of 1,000 test images right. Of all, d (faulty): 1,000. Not significantly"
        " worse: a and b. Significantly worse: c."
    )
    assert answer.note == (
        "Significantly means p < 0.05, by an exact paired test over all test images, Holm's correction for 3"
        " comparisons included. The best of 4 was chosen by these same test images, so on others it may do less well."
    )
    assert told(a=[FEW]).note == ""
    assert "≥" not in answer.sentence + answer.note
    many = told(a=["faulty"], **{f"b{number}": [FEW] for number in range(6)}, **{f"c{n}": [MORE] for n in range(6)})
    assert many.sentence == (
        "Of the good ones, b0, b1, b2, b3, b4 and 1 more do best, 997 of 1,000 test images right. Of all, a (faulty):"
        " 1,000. 6 others (=) are not significantly worse, 6 are."
    )
    assert told(a=[FEW], b=["faulty"], c=[FEW]).sentence.count("good ones") == 1
    assert told(a=["faulty"], b=["faulty"]).sentence.startswith("a (faulty) and b (faulty) share the best")


def test_where_no_variant_takes_part_the_sentence_says_why():
    assert told(a=["diverged"], b=["diverged", "diverged"]).sentence.startswith("No variant survived")
    assert told(a=["diverged"], b=["fails"]).sentence.startswith("No variant can be called the best")
    # A good model may do no better than guessing on few test images: that some are good is not denied.
    assert "trains well" not in told(a=[range(500)]).sentence


def test_answer_fits_two_lines_whatever_the_names_are():
    names = [f"{letter * 90}-{place}" for place, letter in enumerate("abcdefghij")]
    for of in (FEW, MORE), (MORE, FEW), (FEW, FEW):
        answer = told(**{name: [of[place % 2], of[0]] for place, name in enumerate(names)}, z=["faulty", ()])
        assert len(answer.sentence) <= LONGEST, answer.sentence


def test_best_of_thousands_are_compared_once_and_counted_as_everywhere_else(monkeypatch):
    """The 1,100 best make the same mistakes: each of the others meets one of them."""
    compared = []
    monkeypatch.setattr("comparing.ranking.sign_flips", lambda of: compared.append(of) or sign_flips(of))
    answer = told(**{f"v{place}": [FEW if place < 1100 else MORE] for place in range(2300)})
    assert len(compared) == 1200
    assert "v4 and 1,095 more share" in answer.sentence
    assert answer.sentence.endswith("1,200 others are significantly worse.")
    assert "The best of 2,300 was chosen" in answer.note


def test_every_two_variants_that_answer_have_a_p_whatever_their_number_of_seeds():
    variants = {"a": [range(3), range(2)], "b": [range(20)], "c": [FEW, "diverged"], "d": [(), range(3, 8), [1]]}
    metrics, wrong = invented(**variants)
    found = significance(metrics, wrong)
    assert found.compared == ["d", "a", "b"]  # 2, 2.5 and 20 wrong images; a seed of c has no answer
    assert found.ranking == rank(metrics, wrong)
    counts = {
        name: np.bincount(np.concatenate([np.array(list(one), dtype=int) for one in variants[name]]), minlength=IMAGES)
        for name in found.compared
    }
    for place, one in enumerate(found.compared):
        others = found.compared[:place]
        weighted = [counts[one] * len(variants[other]) - counts[other] * len(variants[one]) for other in others]
        assert found.p_values[place] == [sign_flips(differences) for differences in weighted]
    assert found.p_values[2][0] < 0.05 < found.p_values[1][0] < 1


def test_equal_mistakes_are_compared_once(monkeypatch):
    compared = []
    monkeypatch.setattr("comparing.significance.sign_flips", lambda of: compared.append(of) or sign_flips(of))
    found = significance(*invented(a=[FEW], b=[FEW, FEW], c=[MORE], d=[MORE, MORE], e=[FEW]))
    assert found.compared == ["a", "b", "e", "c", "d"]
    p = sign_flips(np.repeat([1, 0], [37, 3]))
    assert found.p_values == [[], [1], [1, 1], [p, p, p], [p, p, p, 1]]
    assert len(compared) == 1


def test_of_very_many_variants_the_best_are_compared():
    found = significance(*invented(**{f"v{place}": [range(300 - place)] for place in range(MOST_COMPARED + 50)}))
    assert found.compared == [f"v{place}" for place in range(MOST_COMPARED + 49, 49, -1)]
    assert [len(row) for row in found.p_values] == list(range(MOST_COMPARED))
