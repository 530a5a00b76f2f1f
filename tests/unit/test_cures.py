"""What the page says of a cure: its sentence, and its lines for config.yaml."""

import pytest
import yaml
from msgspec.structs import replace

from builders.records import PLAIN, diverged, trial
from records.metrics import Metrics, Outcome, Trial, finding
from records.training import Counts
from reporting import cures

DEFAULTS = {"hidden": [64], "activation": ["ReLU", []], "optimizer": ["SGD", [["momentum", 0.9]]], "lr": 0.002}


def seed(number: int, good: list[Trial] = (), in_vain: list[Trial] = ()) -> Outcome:
    """A seed that ended with stuck images."""
    unknown = dict.fromkeys(["diverged_epoch", "max_logit", "margin", "forecast", "autopsy", "progress", "final_loss"])
    counts = {"correct": 70, "n": 80, "accuracy": 0.875, "test_correct": 19, "test_n": 20, "test_accuracy": 0.95}
    return Outcome(
        **unknown | counts,
        seed=number,
        status="finished",
        epochs=30,
        seconds=0.1,
        verdict="faulty",
        findings=[finding("stuck-images", "3 of 10 are stuck.")],
        cures=list(good),
        tried=list(in_vain),
    )


def variant(*seeds: Outcome) -> Metrics:
    return Metrics(
        variant="v",
        device="cpu",
        code="0123456789",
        classes=[0, 1],
        settings=PLAIN,
        counts=Counts(train=(40, 40), test=(10, 10)),
        seeds=list(seeds),
    )


def test_sentence_names_the_best_cure_and_its_seed_among_several():
    good = [trial("`softplus(logits)`, the same function", same_function=True), trial("`x / 255`")]
    assert cures.sentence(variant(seed(1, good))) == "Cure: `softplus(logits)`, the same function: 70 → 80 of 80 right."
    assert cures.sentence(variant(seed(1), seed(2, good[1:]))) == "Cure of seed 2: `x / 255`: 70 → 80 of 80 right."
    same = replace(good[1], correct=70)
    assert cures.sentence(variant(seed(1, [same]))) == "Cure: `x / 255`: 70 of 80 right, as before."
    broken = replace(diverged(), n=80, cures=good[1:])  # which has no count
    assert cures.sentence(variant(broken)) == "Cure: `x / 255`: 80 of 80 right."
    assert cures.sentence(variant(seed(1))) == ""


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"correct": 79, "finding": "stuck-images", "count": 1}, "70 → 79 of 80 right; still stuck-images, 1 image"),
        (
            {"correct": 70, "finding": "stuck-images", "count": 3},
            "70 of 80 right, as before; still stuck-images, 3 images",
        ),
        ({"correct": 60, "finding": "overfit", "count": 2}, "70 → 60 of 80 right; now overfit, 2 wrong test images"),
        ({"correct": 40, "finding": "dead-units", "count": 1200}, "70 → 40 of 80 right; now dead-units, 1,200 units"),
        # What this kind counts are the right images.
        ({"correct": 79, "finding": "slow", "count": 80}, "70 → 79 of 80 right; now slow"),
        ({"correct": 79, "finding": "wrong-way", "count": None}, "70 → 79 of 80 right; now wrong-way"),
        ({"correct": 79, "finding": "test-pixels", "test_correct": None}, "70 → 79 of 80 right; now test-pixels"),
        ({"correct": 41, "verdict": "fails"}, "70 → 41 of 80 right; now fails"),
        ({"correct": 79}, "70 → 79 of 80 right; still faulty"),
        ({"correct": None, "finding": "diverged", "verdict": "fails"}, "70 of 80 right → diverged"),
        ({"correct": None, "finding": "decay", "verdict": "fails"}, "70 of 80 right → diverged; now decay"),
        ({"correct": 60, "verdict": "good"}, "70 → 60 of 80 right, loses images"),
        ({"correct": 80, "verdict": "good", "test_correct": 9}, "19 → 9 of 20 test images right, loses images"),
    ],
)
def test_trial_that_is_no_cure_is_told_by_what_it_changed(facts, words):
    tried = trial("`f`", **{"verdict": "faulty"} | facts)
    assert cures.sentence(variant(seed(1, [], [tried]))) == f"Nothing that was tried cures it: `f` ({words})."


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (
            {"correct": 71, "finding": "stuck-images", "count": 1},
            "diverged → 71 of 80 right; now stuck-images, 1 image",
        ),
        ({"correct": None, "finding": "diverged", "verdict": "fails"}, "still diverged"),
        ({"correct": None, "finding": "momentum", "verdict": "fails"}, "still diverged; now momentum"),
        ({"correct": 71, "finding": "wrong-way"}, "diverged → 71 of 80 right; still wrong-way"),
    ],
)
def test_trial_of_what_diverged_counts_from_there(facts, words):
    alarms = [finding("wrong-way", "Away."), finding("diverged", "It broke.")]
    one = diverged(n=80, findings=alarms, tried=[trial("`f`", **{"verdict": "faulty"} | facts)])
    assert cures.sentence(variant(one)) == f"Nothing that was tried cures it: `f` ({words})."


def on_card(entry: Metrics) -> cures.Tried:
    kinds = {"stuck-images": {"means": "images are stuck", "helps": "another loss"}}
    return cures.on_card(entry, None, "bce", 4, kinds, DEFAULTS)


def test_card_lists_what_the_sentence_does_not_name():
    in_vain = [trial(f"`{place}`", verdict="faulty", correct=70, finding="stuck-images") for place in range(6)]
    assert on_card(variant(seed(1, [], in_vain[:4]))).in_vain == []
    many = variant(seed(1, [], in_vain))
    assert cures.sentence(many).endswith("`3` (70 of 80 right, as before; still stuck-images) and 2 more.")
    assert len(on_card(many).in_vain) == 6
    (words,) = on_card(variant(seed(1, [trial("`f`", snippet="variants: {}\n")], in_vain[:1]))).in_vain
    assert words == "`0` (70 of 80 right, as before; still stuck-images)"


@pytest.mark.parametrize(
    ("settings", "left"),
    [
        ({"hidden": [64], "activation": "ReLU", "optimizer": {"name": "SGD", "momentum": 0.9}, "lr": 2e-3}, {}),
        ({"hidden": [], "activation": {"name": "ELU", "alpha": 2.0}, "optimizer": "SGD", "lr": 2e-4}, ...),
        ({"optimizer": {"momentum": 0.9, "name": "SGD"}, "seeds": [1, 2]}, {"seeds": [1, 2]}),
    ],
)
def test_lines_leave_out_what_the_defaults_say(settings, left):
    named = {"loss": "maximum", "normalization": "null"}
    losses_section = {"maximum": {"formula": "mean(maximum(y, 1 - ŷ): '#'", "eps": 1e-7}}
    snippet = yaml.safe_dump({"losses": losses_section, "variants": {"1": named | settings}}, sort_keys=False)
    lines = cures.without_defaults(snippet, DEFAULTS)
    entry = named | (settings if left is ... else left)
    assert yaml.safe_load(lines) == {"losses": losses_section, "variants": {"1": entry}}
    assert [line[:2].isspace() for line in lines.splitlines()] == [False, True, False, True]
