"""Which differences between variants may be luck: what the answer and the pinned variants of the page rest on."""

from comparing.ranking import rank, weighted_errors
from comparing.statistics import sign_flips
from records.comparison import Significance
from records.metrics import Metrics

# Every two of 200 are 19,900 pairs: seconds of computing. Twice as many variants are four times as many pairs.
MOST_COMPARED = 200


def significance(metrics: list[Metrics], wrong: dict) -> Significance:
    """wrong: {variant: {'test': {seed: [image, …]}}}, of every seed that has predictions."""
    answering = [entry for entry in metrics if len(wrong[entry.variant]["test"]) == len(entry.seeds)]
    errors = weighted_errors(answering, wrong)
    compared = sorted(errors, key=lambda name: int(errors[name].sum()))[:MOST_COMPARED]
    # Many variants of a sweep get the same images wrong.
    places: dict[bytes, int] = {}
    of_each = [places.setdefault(errors[name].tobytes(), len(places)) for name in compared]
    unlike = list({errors[name].tobytes(): errors[name] for name in compared}.values())
    p = [[*(sign_flips(one - other) for other in unlike[:place]), 1.0] for place, one in enumerate(unlike)]
    return Significance(
        ranking=rank(metrics, wrong),
        compared=compared,
        p_values=[
            [p[max(one, other)][min(one, other)] for other in of_each[:place]] for place, one in enumerate(of_each)
        ],
    )
