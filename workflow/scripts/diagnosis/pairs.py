"""What only shows when variants lie side by side: survival, what one change did, the images that each gets wrong."""

import itertools
import json
import math

import numpy as np

from diagnosis.mcnemar import mcnemar
from diagnosis.records import ComparedPart, ComparedSeeds, Metrics, Only, Outcome, Pair

SHOWN = 50  # images that a list names; its count is always whole


def survival(metrics: list[Metrics]) -> list[dict]:
    """variant, epoch, finite, seeds: how many seeds had only finite losses up to and with that epoch."""
    rows = []
    for entry in metrics:
        ends = [math.inf if one.diverged_epoch is None else one.diverged_epoch for one in entry.seeds]
        for epoch in range(entry.seeds[0].epochs):
            finite = sum(end > epoch for end in ends)
            rows.append({"variant": entry.variant, "epoch": epoch, "finite": finite, "seeds": len(ends)})
    return rows


def one_change_pairs(variants: dict) -> list[tuple[str, str, str]]:
    """(a, b, key) of every two variants whose settings differ in exactly one key.

    Variants that agree in all other keys are found by these, so that a hundred of them need no five thousand looks.
    """
    pairs = []
    keys = [key for key in next(iter(variants.values())) if not key.endswith("_definition")]
    for key in keys:
        alike: dict[str, list[str]] = {}
        for name, settings in variants.items():
            rest = json.dumps([settings[other] for other in keys if other != key])
            alike.setdefault(rest, []).append(name)
        for names in alike.values():
            # Equal in this key too: the same variant under two names, which is no change.
            pairs += [(a, b, key) for a, b in itertools.combinations(names, 2) if variants[a][key] != variants[b][key]]
    return sorted(pairs)


def compare(a: str, b: str, key: str, variants: dict, metrics: dict[str, Metrics], right: dict) -> Pair:
    """What one change did, seed by seed (the first with the first, …). right: {variant: {part: bool (seeds, n)}}."""
    seeds = [
        ComparedSeeds(
            seeds=(one.seed, other.seed),
            status=(one.status, other.status),
            **{
                part: _compare_part(part, one, other, *(right[name][part][place] for name in (a, b)))
                for part in ("train", "test")
            },
        )
        for place, (one, other) in enumerate(zip(metrics[a].seeds, metrics[b].seeds, strict=False))
    ]
    return Pair(a=a, b=b, key=key, values=[variants[a][key], variants[b][key]], seeds=seeds)


def _compare_part(part: str, one: Outcome, other: Outcome, of_a: np.ndarray, of_b: np.ndarray) -> ComparedPart:
    """of_a, of_b: whether each image is right, bool (n,)."""
    of_train = part == "train"
    correct = tuple(seed.correct if of_train else seed.test_correct for seed in (one, other))
    n = one.n if of_train else one.test_n
    if None in correct:
        return ComparedPart(correct=correct, n=n)
    only_a, only_b = np.flatnonzero(of_a & ~of_b), np.flatnonzero(of_b & ~of_a)
    return ComparedPart(
        correct=correct,
        n=n,
        only_a=Only(count=len(only_a), images=only_a[:SHOWN].tolist()),
        only_b=Only(count=len(only_b), images=only_b[:SHOWN].tolist()),
        p_value=mcnemar(len(only_a), len(only_b)),
    )


def wrong_images(metrics: list[Metrics], predictions: dict, y: dict) -> tuple[dict, dict]:
    """{variant: {part: bool (seeds, n)}} of what each model gets right, and {variant: {part: {seed: [image, …]}}}."""
    right: dict = {}
    wrong: dict = {}
    for entry in metrics:
        name = entry.variant
        right[name] = {part: (predictions[name][part] > 0.5) == y[part] for part in ("train", "test")}
        wrong[name] = {
            part: {
                str(one.seed): np.flatnonzero(~right[name][part][place]).tolist()
                for place, one in enumerate(entry.seeds)
                if (one.correct if part == "train" else one.test_correct) is not None
            }
            for part in ("train", "test")
        }
    return right, wrong
