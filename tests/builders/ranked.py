"""Variants of invented answers, which of them is the best, and the answer in words."""

import numpy as np
from msgspec.structs import asdict, replace

from builders.answers import outcome
from builders.records import PLAIN
from comparing.significance import significance
from records.comparison import Ranking
from records.metrics import Metrics
from records.training import Counts
from reporting.best import Best, best

IMAGES = 1000
FEW, MORE = range(10, 13), range(40)


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
