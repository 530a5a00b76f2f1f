"""What the change of one setting did: variants that differ in nothing else, side by side."""

import functools
import itertools
import json

import numpy as np

from comparing.statistics import sign_flips
from records.comparison import Change, Pair
from records.metrics import Metrics
from records.training import as_named

ENOUGH_MODELS = 6  # pairs of models: of fewer, not even a difference that all of them show has p < 0.05


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
    alike: dict[str, list[tuple[str, str]]] = {}
    for before, after, key in one_change_pairs(variants):
        change = json.dumps([key, variants[before][key], variants[after][key]])
        alike.setdefault(change, []).append((before, after))
    return [_change(*json.loads(change), pairs, metrics, wrong) for change, pairs in alike.items()]


def _is_number(value) -> bool:
    """A number, or what is as good as one: the width of a single hidden layer, and no layer, less than any width."""
    return isinstance(value, int | float) or (len(value) < 2 and all(isinstance(item, int) for item in value))


def _order(value):
    """By which two values of a key are before and after: numbers by size, the others by their text."""
    is_sorted_as_it_is = isinstance(value, int | float) or all(isinstance(item, int) for item in value)
    return value if is_sorted_as_it_is else json.dumps(value)


def _change(key: str, before, after, names: list[tuple[str, str]], metrics: dict[str, Metrics], wrong: dict) -> Change:
    pairs, counts = [], []
    difference = np.zeros(next(iter(wrong.values())).shape[1], dtype=np.int64)
    for a, b in names:
        pair, of_images = _pair(metrics[a], metrics[b], wrong[a], wrong[b])
        pairs.append(pair)
        counts += [after - before for before, after in zip(*pair.wrong, strict=True) if None not in (before, after)]
        difference += of_images
    return Change(
        key=key,
        values=[before, after],
        models=sum(pair.seeds for pair in pairs),
        diverged=tuple(sum(pair.diverged[side] for pair in pairs) for side in (0, 1)),
        better=sum(count < 0 for count in counts),
        worse=sum(count > 0 for count in counts),
        equal=sum(count == 0 for count in counts),
        difference=sum(counts) / len(counts) if counts else None,
        # Few models say nothing of others; images then say at least whether these models differ.
        p_value=sign_flips(np.array(counts if len(counts) >= ENOUGH_MODELS else difference)) if counts else None,
        pairs=pairs,
    )


def _pair(a: Metrics, b: Metrics, wrong_a: np.ndarray, wrong_b: np.ndarray) -> tuple[Pair, np.ndarray]:
    """Two variants, seed by seed; and per test image, by how many more seeds b gets it wrong, int (m,)."""
    seeds = list(zip(a.seeds, b.seeds, strict=False))
    both = [place for place, pair in enumerate(seeds) if None not in (one.test_correct for one in pair)]
    of_a, of_b = wrong_a[both], wrong_b[both]
    difference = of_b.sum(axis=0) - of_a.sum(axis=0)
    pair = Pair(
        a=a.variant,
        b=b.variant,
        seeds=len(seeds),
        diverged=tuple(sum(pair[side].status == "diverged" for pair in seeds) for side in (0, 1)),
        wrong=tuple([pair[side].test_wrong for pair in seeds] for side in (0, 1)),
        only_a=int((of_b > of_a).sum()),
        only_b=int((of_a > of_b).sum()),
        p_value=sign_flips(difference) if both else None,
    )
    return pair, difference
