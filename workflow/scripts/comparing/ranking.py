"""Which variant is the best, and which of the others may be just as good: every two of them are tested, all together.

A test against the best alone would be unfair to all others: which one is the best is found on the same images, where
the luckiest of many equal ones is ahead of most. What is true of every two whatsoever is true of the best, too.
J. Demšar, J. Mach. Learn. Res. 7 (2006) 1; S. García, F. Herrera, J. Mach. Learn. Res. 9 (2008) 2677.
"""

import math
from collections.abc import Collection, Hashable
from dataclasses import dataclass

import numpy as np
from msgspec.structs import asdict

from comparing.statistics import SIGNIFICANT, holm, sign_flips
from records.comparison import Ranking
from records.metrics import Metrics
from records.training import training_key

# Every two of 200 are 19,900 pairs: seconds of computing. Twice as many variants are four times as many pairs.
MOST_COMPARED = 200


@dataclass(frozen=True, kw_only=True)
class PairedTests:
    """Paired tests of every two variants; of more than MOST_COMPARED, of the best, and of each with the winners.

    Variants that get the same images wrong have one place together. places: {variant: its place}, in the order of
    their wrong images, the fewest first; wrong: how many each place has, weighted; winners: the candidates with the
    fewest; p_values: of two places, the smaller first, where it was computed; corrected: these after Holm's correction;
    apart: the pairs of variants that differ significantly; pairs: all of them, computed or not; both count variants
    with equal settings once.
    """

    places: dict[str, int]
    wrong: list[int]
    winners: list[str]
    p_values: dict[tuple[int, int], float]
    corrected: dict[tuple[int, int], float]
    apart: int
    pairs: int

    def of(self, a: str, b: str) -> tuple[float, float]:
        """p of two variants, and what it is after Holm's correction."""
        one, other = sorted((self.places[a], self.places[b]))
        return (1.0, 1.0) if one == other else (self.p_values[one, other], self.corrected[one, other])


def paired_tests(errors: dict[str, np.ndarray], keys: dict[str, Hashable], candidates: Collection[str]) -> PairedTests:
    """errors: per variant how often its seeds get each image wrong, int (m,); keys: the same for variants whose
    settings and seeds are; candidates: the variants of which the best wins, all of them where there is none.

    Of k different variants Holm's correction is for k (k − 1) / 2 pairs. Equal ones have the same errors, but on an
    accelerator, whose sums may come out another way: there they are two.
    """
    order = sorted(errors, key=lambda name: int(errors[name].sum()))
    found: dict[bytes, int] = {}
    places = {name: found.setdefault(errors[name].tobytes(), len(found)) for name in order}
    unlike = list({places[name]: errors[name] for name in order}.values())
    wrong = [int(one.sum()) for one in unlike]
    best = 1 + max((places[name] for name in order[:MOST_COMPARED]), default=0)
    running = [name for name in order if name in candidates] or order
    winners = [name for name in running if wrong[places[name]] == wrong[places[running[0]]]]
    first = {places[name] for name in winners}
    p_values = {
        (one, other): sign_flips(unlike[one] - unlike[other])
        for other in range(len(unlike))
        for one in (range(other) if other < best or other in first else [one for one in sorted(first) if one < other])
    }
    different: list[set] = [set() for _ in unlike]
    for name in order:
        different[places[name]].add(keys[name])
    many = [len(of_place) for of_place in different]
    times = {(one, other): many[one] * many[other] for one, other in p_values}
    pairs = math.comb(sum(many), 2)
    corrected = holm(p_values, times, pairs)
    return PairedTests(
        places=places,
        wrong=wrong,
        winners=winners,
        p_values=p_values,
        corrected=corrected,
        apart=sum(times[pair] for pair, p in corrected.items() if p < SIGNIFICANT),
        pairs=pairs,
    )


def rank(names: list[str], out: list[str], tests: PairedTests) -> Ranking:
    """names: the variants that were tested; out: the others. Worse than the best is what is worse than each of them."""
    places, wrong = tests.places, tests.wrong
    best = {places[name] for name in tests.winners}
    others = [name for name in names if name not in tests.winners]
    p_values = {name: max(_corrected(tests, one, places[name]) for one in best) for name in others}
    apart = [name for name in others if p_values[name] < SIGNIFICANT]
    ahead = [name for name in apart if wrong[places[name]] < wrong[min(best)]]
    return Ranking(
        winners=[name for name in names if name in tests.winners],
        equals=[name for name in others if p_values[name] >= SIGNIFICANT],
        worse=[name for name in apart if name not in ahead],
        better=ahead,
        out=out,
        p_values=p_values,
        pairs=tests.pairs,
        apart=tests.apart,
    )


def _corrected(tests: PairedTests, one: int, other: int) -> float:
    return 1.0 if one == other else tests.corrected[min(one, other), max(one, other)]


def takes_part(entry: Metrics) -> bool:
    """Whether no model of it fails or gives no answer to a test image, and each is better there than guessing."""
    return all(
        model.verdict != "fails" and model.test_correct is not None and model.test_correct > max(entry.counts.test)
        for model in entry.seeds
    )


def trained_with(entry: Metrics) -> str:
    """The same text for variants of the same models: equal settings, equal seeds."""
    return training_key(asdict(entry.settings) | {"seeds": sorted(model.seed for model in entry.seeds)})


def weighted_errors(metrics: list[Metrics], wrong: dict) -> dict[str, np.ndarray]:
    """Per variant how often its seeds get each test image wrong, int (m,), each seed weighing as much as its variant
    has few of them. Of variants all of whose seeds have an answer; wrong: as `significance` takes it.
    """
    # Whole numbers, so that equal shares are equal.
    weight = math.lcm(*(len(entry.seeds) for entry in metrics))
    errors = {}
    for entry in metrics:
        counts = np.zeros(entry.seeds[0].test_n, dtype=np.int64)
        for model in entry.seeds:
            counts[wrong[entry.variant]["test"][str(model.seed)]] += weight // len(entry.seeds)
        errors[entry.variant] = counts
    return errors
