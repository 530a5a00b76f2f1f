"""Which variant is the best: the paired test over images and seeds, and what the verdict makes of it."""

import itertools

import numpy as np
import pytest
from msgspec.structs import asdict, replace
from scipy.stats import norm

from builders.answers import outcome
from builders.records import PLAIN
from comparing.ranking import MOST_COMPARED, PairedTests, paired_tests, rank
from comparing.significance import significance
from comparing.statistics import holm, mcnemar, sign_flips
from records.comparison import Ranking
from records.metrics import Metrics, finding
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


def test_holm_s_correction_counts_hypotheses_that_share_a_p_and_those_that_have_none():
    alone = holm(dict(enumerate([0.001, 0.004, 0.004, 0.004, 0.02])), of=9)
    assert list(alone.values()) == pytest.approx([0.009, 0.032, 0.032, 0.032, 0.1])
    together = holm({"a": 0.001, "b": 0.004, "c": 0.02}, {"a": 1, "b": 3, "c": 1}, of=9)
    assert list(together.values()) == pytest.approx([0.009, 0.032, 0.1])


def invented(**variants) -> tuple[list[Metrics], dict]:
    """Variants of different settings, each a list of the images that a seed gets wrong, or of a verdict in place of
    them; and wrong.json."""
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
                settings=replace(PLAIN, lr=0.001 * (len(metrics) + 1)),
                counts=counts,
                seeds=outcomes,
            )
        )
    return metrics, wrong


def ranked(**variants) -> Ranking:
    return significance(*invented(**variants)).ranking


def answered(ranking: Ranking, metrics: list[Metrics]) -> Best:
    kinds = {"frozen": {"means": "every gradient is 0: more of it"}}
    return best(ranking, metrics, {entry.variant: asdict(entry.settings) for entry in metrics}, kinds)


def told(**variants) -> Best:
    metrics, wrong = invented(**variants)
    return answered(significance(metrics, wrong).ranking, metrics)


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


def test_copies_of_a_variant_change_no_p():
    """Equal settings and seeds are one variant, however often it is there; with other settings they are another."""
    alone = significance(*invented(a=[()], b=[range(7)], c=[range(9)])).ranking
    metrics, wrong = invented(a=[()], b=[range(7)], c=[range(9)], again=[()], b2=[range(7)], b3=[range(7)])
    of = {entry.variant: entry for entry in metrics}
    others = significance(metrics, wrong).ranking
    copies = [
        replace(of[name], settings=of[other].settings) for name, other in (("again", "a"), ("b2", "b"), ("b3", "b"))
    ]
    # The name of a loss trains nothing.
    copies[0] = replace(copies[0], settings=replace(copies[0].settings, loss="another name of it"))
    ranking = significance([*metrics[:3], *copies], wrong).ranking
    assert (ranking.winners, ranking.pairs, alone.pairs) == (["a", "again"], 3, 3)
    assert ranking.p_values == alone.p_values | dict.fromkeys(("b2", "b3"), alone.p_values["b"])
    assert (ranking.worse, others.worse) == (["b", "c", "b2", "b3"], [])
    assert "for all 3 pairs included, those with equal settings counted once." in answered(ranking, metrics).note
    # Of a GPU, where the same settings may give another model.
    wrong["b3"]["test"]["0"] = list(range(1, 8))
    assert significance([*metrics[:3], *copies], wrong).ranking.pairs == 6


def test_variants_of_unlike_many_seeds_are_compared_by_their_means():
    ranking = ranked(a=[FEW, FEW, FEW], b=[FEW, FEW], c=[MORE])
    assert (ranking.winners, ranking.worse) == (["a", "b"], ["c"])
    assert told(a=[FEW, FEW, FEW], b=[FEW, FEW], c=[MORE]).sentence == (
        "Best of the 3 good ones: a and b, 997.0 of 1,000 test images right on average each. Significantly worse: c."
    )


def test_sentence_and_note_say_what_was_done():
    answer = told(a=[FEW], b=[range(6)], c=[MORE], d=["faulty"])
    assert answer.sentence == (
        "Best of the 3 good ones: a, 997 of 1,000 test images right. Not significantly worse: b and d (faulty)."
        " Significantly worse: c."
    )
    assert answer.note == (
        "d gets 1,000 right, but is faulty. Significantly means p < 0.05, by an exact paired test over all test images,"
        " Holm's correction for all 6 pairs included. The best of 3 was chosen by these same test images, so on others"
        " it may do less well."
    )
    assert "≥" not in answer.sentence + answer.note
    many = told(a=["faulty"], **{f"b{number}": [FEW] for number in range(6)}, **{f"c{n}": [MORE] for n in range(6)})
    assert many.sentence == (
        "No single best: 6 of the 12 good ones get 997 of 1,000 test images right. Not significantly worse: a"
        " (faulty). 6 others are significantly worse."
    )
    shared = told(a=["faulty"], b=["faulty"])
    assert shared.sentence == "None is good. Best of the 2 faulty ones: a and b, 1,000 of 1,000 test images right each."
    assert shared.note == "The best of 2 was chosen by these same test images, so on others it may do less well."


def test_star_is_the_best_of_the_good_and_a_faulty_one_may_be_significantly_better():
    ranking = ranked(a=[MORE], b=["faulty"], c=[range(41)], d=["faulty"])
    assert (ranking.winners, ranking.equals, ranking.better, ranking.worse) == (["a"], ["c"], ["b", "d"], [])
    answer = told(a=[MORE], b=["faulty"], c=[range(41)], d=["faulty"])
    assert answer.sentence == (
        "Best of the 2 good ones: a, 960 of 1,000 test images right. Not significantly worse: c."
    )
    assert answer.note.startswith("b gets 1,000 right and d gets 1,000 right, but both are faulty.")


def test_answer_says_of_which_variants_it_is_the_best():
    only = told(a=[FEW], b=["diverged"], c=["fails"])
    assert only.sentence == "Use a: the only one that trains well, 997 of 1,000 test images right."
    why = "diverged, failed, has a ŷ that is NaN for a test image, or does no better on the test images than guessing."
    assert only.note == f"2 of 3 variants are not ranked: a model of each {why}"
    answer = told(a=[FEW], b=[MORE], c=["diverged", FEW])
    assert answer.sentence.startswith("Best of the 2 good ones: a, 997 of 1,000")
    assert answer.note.endswith(f" 1 of 3 variants is not ranked: a model of it {why}")
    assert told(a=["faulty"], b=["fails"]).sentence == (
        "None is good; only a, which is faulty, is ranked: 1,000 of 1,000 test images right."
    )
    # A good model that does no better than guessing is not ranked: the other is not "the only one that trains well".
    assert told(a=[FEW], b=[range(500)]).sentence.startswith("Use a: the only good one that is ranked, 997")


def test_single_variant_has_an_answer_without_a_comparison():
    assert told(a=[FEW]) == Best(sentence="It trains well: 997 of 1,000 test images right.", note="")
    assert told(a=[range(500)]).sentence == (
        "It learns the training images, but not the test images: 500 of 1,000 test images right."
    )
    metrics, wrong = invented(a=["faulty", FEW])
    frozen = [replace(one, findings=[finding("frozen", "It is.")]) for one in metrics[0].seeds]
    metrics = [replace(metrics[0], seeds=frozen)]
    found = answered(significance(metrics, wrong).ranking, metrics).sentence
    assert found == (
        "It trains, with a fault in 1 of 2 models: every gradient is 0. 998.5 of 1,000 test images right on average."
    )
    gone = [replace(one, diverged_epoch=7, findings=[]) for one in invented(a=["diverged"])[0][0].seeds]
    metrics = [replace(metrics[0], seeds=gone)]
    found = answered(significance(metrics, {"a": {"test": {}}}).ranking, metrics).sentence
    assert found == "It does not train: its loss is not finite, at epoch 7."


def test_what_is_worse_is_told_by_the_settings_that_it_has_in_common():
    metrics, wrong = [], {}
    for loss, unit, rate in itertools.product(("bce", "squared"), ("raw", "unit"), (0.1, 0.2, 0.3)):
        missed = range(60) if unit == "unit" and rate < 0.3 else FEW
        ((entry,), of) = invented(a=[missed])
        name = f"{loss}-{unit}-{rate}"
        of_loss = {"loss": loss, "loss_definition": ["formula", loss, []]}
        settings = replace(PLAIN, normalization=unit, normalization_definition=[unit, []], lr=rate, **of_loss)
        metrics.append(replace(entry, variant=name, settings=settings))
        wrong[name] = of["a"]
    answer = answered(significance(metrics, wrong).ranking, metrics).sentence
    assert answer == (
        "No single best: 8 of the 12 good ones get 997 of 1,000 test images right. Significantly worse: unit with lr"
        " 0.1, with every loss (60 wrong); 2 more."
    )


def test_names_of_the_default_config_are_not_cut():
    answer = told(
        **{
            "bce-logits-raw": [FEW],
            "manual-bce-unit": [FEW],
            "manual-bce-eps-raw": ["faulty"],
            "manual-bce-raw": ["fails"],
        }
    )
    assert answer.sentence == (
        "Best of the 2 good ones: bce-logits-raw and manual-bce-unit, 997 of 1,000 test images right each. On 1,000"
        " test images, no difference between these 3 can be told."
    )


def test_answer_says_that_no_difference_can_be_told():
    answer = told(a=[FEW], b=[range(5)], c=[range(100, 104)], d=["faulty"])
    assert answer.sentence == (
        "Best of the 3 good ones: a, 997 of 1,000 test images right. On 1,000 test images, no difference between"
        " these 4 can be told."
    )
    assert "No two of the 4 differ beyond luck; a difference is told where p < 0.05" in answer.note
    # b and c differ beyond luck, though neither does from the best.
    few = told(a=[range(6)], b=[range(5, 12)], c=[[*range(3), *range(20, 24)]])
    assert few.sentence.endswith("no difference between these 3 can be told.")
    apart = told(a=[range(50, 59)], b=[range(10)], c=[range(20)])
    assert apart.sentence.endswith("right. Not significantly worse: b and c.")


def test_where_no_variant_takes_part_the_sentence_says_why():
    assert told(a=["diverged"], b=["diverged", "diverged"]).sentence.startswith("No variant survived")
    assert told(a=["diverged"], b=["fails"]).sentence.startswith("No variant can be called the best")


def test_answer_fits_two_lines_whatever_the_names_are():
    names = [f"{letter * 90}-{place}" for place, letter in enumerate("abcdefghij")]
    for of in (FEW, MORE), (MORE, FEW), (FEW, FEW):
        answer = told(**{name: [of[place % 2], of[0]] for place, name in enumerate(names)}, z=["faulty", ()])
        assert len(answer.sentence) <= LONGEST, answer.sentence
        answer = told(**{name: [of[place % 2], of[0]] for place, name in enumerate(names)}, y=["fails"], z=["faulty"])
        assert len(answer.sentence) <= LONGEST, answer.sentence


def test_thousands_that_make_the_same_mistakes_are_compared_once_and_counted_each(monkeypatch):
    compared = []
    monkeypatch.setattr("comparing.ranking.sign_flips", lambda of: compared.append(of) or sign_flips(of))
    answer = told(**{f"v{place}": [FEW if place < 1100 else range(60)] for place in range(2300)})
    assert len(compared) == 1
    assert answer.sentence.startswith("No single best: 1,100 of the 2,300 good ones get 997 of")
    assert answer.sentence.endswith("1,200 others are significantly worse.")
    assert "Holm's correction for all 2,643,850 pairs included. The best of 2,300 was chosen" in answer.note


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
