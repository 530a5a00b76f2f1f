"""Which differences between variants may be luck: what the answer and the pinned variants of the page rest on."""

from comparing.ranking import MOST_COMPARED, paired_tests, rank, takes_part, trained_with, weighted_errors
from records.comparison import Significance
from records.metrics import Metrics


def significance(metrics: list[Metrics], wrong: dict) -> Significance:
    """wrong: {variant: {'test': {seed: [image, …]}}}, of every seed that has predictions."""
    taking_part = [entry for entry in metrics if takes_part(entry)]
    names = [entry.variant for entry in taking_part]
    out = [entry.variant for entry in metrics if not takes_part(entry)]
    keys = {entry.variant: trained_with(entry) for entry in taking_part}
    good = {entry.variant for entry in taking_part if entry.word == "good"}
    tests = paired_tests(weighted_errors(taking_part, wrong), keys, good)
    compared = list(tests.places)[:MOST_COMPARED]
    both = [[tests.of(name, other) for other in compared[:place]] for place, name in enumerate(compared)]
    return Significance(
        ranking=rank(names, out, tests),
        compared=compared,
        p_values=[[p for p, _ in of_one] for of_one in both],
        corrected=[[p for _, p in of_one] for of_one in both],
    )
