"""What the change of one setting did: variants that differ in nothing else, side by side."""

import functools
import itertools
import json
from dataclasses import dataclass

import numpy as np

from comparing.statistics import sign_flips
from records.comparison import Change, Pair
from records.metrics import Metrics
from records.training import as_named, training_key

ENOUGH_MODELS = 6  # pairs of models: of fewer, not even a difference that all of them show has p < 0.05


@dataclass(frozen=True)
class Models:
    """The models of all variants. wrong: {variant: bool (seeds, m)}, whether each test image is wrong; keys: the same
    text for variants whose models are the same if their seeds are."""

    wrong: dict[str, np.ndarray]
    keys: dict[str, str]


def one_change_pairs(variants: dict) -> list[tuple[str, str, str]]:
    """(before, after, key) of variants whose settings differ in exactly one key, and not in their seeds.

    Of a number each value is compared with the next larger one alone: what a step did, and a sweep of 5,000 has 4,999
    of them, not twelve million. Variants that agree in all other keys are found by these.
    """
    pairs = []
    keys = list(as_named(next(iter(variants.values()))))
    for key in keys:
        if key == "seeds":  # other seeds are no change: models are compared seed by seed
            continue
        alike: dict[str, dict[str, list[str]]] = {}
        for name, settings in variants.items():
            rest = json.dumps([settings[other] for other in keys if other != key])
            alike.setdefault(rest, {}).setdefault(json.dumps(settings[key]), []).append(name)
        for of_value in alike.values():
            values = sorted(map(json.loads, of_value), key=_order)
            two = itertools.pairwise if all(map(_is_number, values)) else functools.partial(itertools.combinations, r=2)
            for before, after in two(values):
                names = of_value[json.dumps(before)], of_value[json.dumps(after)]
                pairs += [(a, b, key) for a, b in itertools.product(*names)]
    return sorted(pairs)


def changes(variants: dict, metrics: dict[str, Metrics], right: dict) -> list[Change]:
    """What each change of one setting did. right: {variant: bool (seeds, m)}, whether each test image is right."""
    wrong = {name: ~of_variant for name, of_variant in right.items()}
    of = Models(wrong, {name: training_key(_without_seeds(settings)) for name, settings in variants.items()})
    alike: dict[str, list[tuple[str, str]]] = {}
    for before, after, key in one_change_pairs(variants):
        change = json.dumps([key, variants[before][key], variants[after][key]])
        alike.setdefault(change, []).append((before, after))
    return [_change(*json.loads(change), pairs, metrics, of) for change, pairs in alike.items()]


def _without_seeds(settings: dict) -> dict:
    return {key: value for key, value in settings.items() if key != "seeds"}


def _is_number(value) -> bool:
    """A number, or what is as good as one: the width of a single hidden layer, and no layer, less than any width."""
    return isinstance(value, int | float) or (len(value) < 2 and all(isinstance(item, int) for item in value))


def _order(value):
    """By which two values of a key are before and after: numbers by size, the others by their text."""
    is_sorted_as_it_is = isinstance(value, int | float) or all(isinstance(item, int) for item in value)
    return value if is_sorted_as_it_is else json.dumps(value)


def _change(key: str, before, after, names: list[tuple[str, str]], metrics: dict[str, Metrics], of: Models) -> Change:
    pairs = []
    models: dict[tuple, tuple] = {}  # a model is one, however many variants have its settings and its seed
    for a, b in names:
        rows = zip(metrics[a].seeds, metrics[b].seeds, of.wrong[a], of.wrong[b], strict=False)
        new = {(of.keys[a], of.keys[b], row[0].seed): row for row in rows}
        if not new.keys() <= models.keys():
            pairs.append(_pair(metrics[a], metrics[b], of.wrong[a], of.wrong[b]))
        models = new | models
    outcomes = [(one.test_wrong, other.test_wrong) for one, other, *_ in models.values()]
    counts = [after - before for before, after in outcomes if None not in (before, after)]
    lost = sum(after is None is not before for before, after in outcomes)
    gained = sum(before is None is not after for before, after in outcomes)
    return Change(
        key=key,
        values=[before, after],
        models=len(models),
        diverged=tuple(sum(row[side].status == "diverged" for row in models.values()) for side in (0, 1)),
        better=sum(count < 0 for count in counts) + gained,
        worse=sum(count > 0 for count in counts) + lost,
        equal=sum(count == 0 for count in counts),
        difference=sum(counts) / len(counts) if counts else None,
        p_value=_p_value(counts, lost, gained, list(models.values())),
        pairs=pairs,
    )


def _p_value(counts: list[int], lost: int, gained: int, models: list[tuple]) -> float | None:
    """Of the models, where they are enough: fewer say nothing of others, and images then say at least whether these
    differ.

    counts: of each pair of models that answers on both sides, how many more of the m test images the second gets wrong;
    lost, gained: how many pairs have an answer before the change alone, or after it; models: a row per pair, the last
    two of it which test images are wrong, bool (m,).

    No answer is worse than any: a difference of m + 1, larger than every count. The test keeps its level whatever that
    number is, as it is the same in both directions. Images cannot speak for a model without answers: that it diverged
    is one event, which takes all of them with it, not a coin's toss for each. Few models of which one diverged on one
    side alone have no p.
    """
    m = len(models[0][-1])
    if len(counts) + lost + gained >= ENOUGH_MODELS:
        return sign_flips(np.array(counts + [m + 1] * lost + [-m - 1] * gained))
    if lost or gained or not counts:
        return None
    both = [row for row in models if None not in (row[0].test_wrong, row[1].test_wrong)]
    return sign_flips(sum(after.astype(np.int64) - before for *_, before, after in both))


def _pair(a: Metrics, b: Metrics, wrong_a: np.ndarray, wrong_b: np.ndarray) -> Pair:
    """Two variants, seed by seed. wrong_a, wrong_b: bool (seeds, m)."""
    seeds = list(zip(a.seeds, b.seeds, strict=False))
    answers = [[one.test_correct is not None for one in pair] for pair in seeds]
    both = [place for place, pair in enumerate(answers) if all(pair)]
    of_a, of_b = wrong_a[both].sum(axis=0), wrong_b[both].sum(axis=0)
    return Pair(
        a=a.variant,
        b=b.variant,
        seeds=len(seeds),
        diverged=tuple(sum(pair[side].status == "diverged" for pair in seeds) for side in (0, 1)),
        wrong=tuple([pair[side].test_wrong for pair in seeds] for side in (0, 1)),
        only_a=int((wrong_b[both] > wrong_a[both]).sum()),
        only_b=int((wrong_a[both] > wrong_b[both]).sum()),
        p_value=sign_flips(of_b - of_a) if both and all(one == other for one, other in answers) else None,
    )
