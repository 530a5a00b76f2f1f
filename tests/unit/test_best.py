"""The answer in words: which variant to use, which may be as good, what the worse ones have in common."""

import itertools

from msgspec.structs import replace

from builders.ranked import FEW, MORE, answered, invented, told
from builders.records import PLAIN
from comparing.significance import significance
from comparing.statistics import sign_flips
from records.metrics import finding
from reporting.best import LONGEST, Best


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


def test_answer_says_of_which_variants_it_is_the_best():
    only = told(a=[FEW], b=["diverged"], c=["fails"])
    assert only.sentence == "Use a: the only one that trains well, 997 of 1,000 test images right."
    why = "diverged, failed, has a ŷ that is NaN for a test image, or does no better on the test images than guessing."
    assert only.note == f"2 of 3 variants are not ranked: a model of each {why}"
    answer = told(a=[FEW], b=[MORE], c=["diverged", FEW])
    assert answer.sentence.startswith("Best of the 2 good ones: a, 997 of 1,000")
    assert answer.note.endswith(f" 1 of 3 variants is not ranked: a model of it {why}")
    assert told(a=["faulty"], b=["fails"]).sentence == (
        "None is good. Only a, which is faulty, is ranked: 1,000 of 1,000 test images right."
    )
    # That none is good is not said where a good one is not ranked.
    for others, sentence in (
        ({"c": ["faulty"]}, "Best of the 2 faulty ones"),
        ({}, "Only a, which is faulty, is ranked"),
    ):
        answer = told(a=["faulty"], b=[range(500)], **others).sentence
        assert answer.startswith(f"No good one is ranked. {sentence}")
    # A good model that does no better than guessing is not ranked: the other is not "the only one that trains well".
    assert told(a=[FEW], b=[range(500)]).sentence.startswith("Use a: the only good one that is ranked, 997")


def test_single_variant_has_an_answer_without_a_comparison():
    assert told(a=[FEW]) == Best(sentence="It trains well: 997 of 1,000 test images right.", note="")
    assert told(a=[range(500)]).sentence == (
        "It learns the training images; on the test images a model does no better than guessing: 500 of 1,000 test"
        " images right."
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
