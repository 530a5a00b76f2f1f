"""What the page says of a cure: its sentence, and its lines for config.yaml."""

import pytest
import yaml

from builders.records import PLAIN, trial
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
    assert cures.sentence(variant(seed(1, good))) == "Cure: `softplus(logits)`, the same function: 80 of 80 right."
    assert cures.sentence(variant(seed(1), seed(2, good[1:]))) == "Cure of seed 2: `x / 255`: 80 of 80 right."
    assert cures.sentence(variant(seed(1))) == ""


def test_sentence_tells_what_is_left_of_what_was_tried_in_vain():
    in_vain = [
        trial("`x / 255`", verdict="fails", finding="diverged", correct=None, test_correct=None),
        trial("a tenth of the learning rate", verdict="faulty", finding="stuck-images"),
        trial("`bce`", verdict="fails"),
    ]
    words = "`x / 255` (now diverged), a tenth of the learning rate (still stuck-images), `bce` (now fails)"
    assert cures.sentence(variant(seed(1, [], in_vain))) == f"Nothing that was tried cures it: {words}."
    assert cures.on_card(variant(seed(1, [], in_vain)), DEFAULTS).in_vain == []
    many = variant(seed(1, [], in_vain * 2))
    assert cures.sentence(many).endswith(" and 2 more.")
    assert len(cures.on_card(many, DEFAULTS).in_vain) == 6


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
    lines = cures.shortened(snippet, DEFAULTS)
    entry = named | (settings if left is ... else left)
    assert yaml.safe_load(lines) == {"losses": losses_section, "variants": {"1": entry}}
    assert [line[:2].isspace() for line in lines.splitlines()] == [False, True, False, True]
