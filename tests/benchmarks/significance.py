"""How often a page calls one of equal variants significantly worse, and how often it finds one that is worse.

`python tests/benchmarks/significance.py` invents pages and prints the tables of docs/how-it-works.md; `--pages 100` is
a tenth of the work.
"""

import argparse
import math
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np

sys.path.append(str(Path(__file__).resolve().parents[2] / "workflow/scripts"))

from comparing.ranking import paired_tests, rank
from comparing.statistics import BEYOND_LUCK, SIGNIFICANT, at_least, holm, mcnemar

VARIANTS = (5, 24, 60, 200)
IMAGES = (200, 2115)
WRONG = 0.05  # the share of wrong images of an equal variant
LEVEL = 0.05  # the share of pages that may call one of equal variants worse


def independent(generator: np.random.Generator, variants: int, images: int, factors: np.ndarray) -> np.ndarray:
    """Which images each variant gets wrong, bool (variants, images): each image of each by a toss of its own.

    factors: by how much more often each variant fails than an equal one, (variants,).
    """
    return generator.random((variants, images)) < WRONG * factors[:, None]


def shared(generator: np.random.Generator, variants: int, images: int, factors: np.ndarray) -> np.ndarray:
    """The same, where 1 image of 5 is hard, and nearly all errors are of these."""
    hard = generator.random(images) < 0.2
    return generator.random((variants, images)) < np.where(hard, 0.24, 0.0025) * factors[:, None]


def families(generator: np.random.Generator, variants: int, images: int, factors: np.ndarray) -> np.ndarray:
    """The same, where five variants each have four of five answers in common, as neighbours in a sweep have."""
    of_family = np.repeat(shared(generator, -(-variants // 5), images, np.ones(-(-variants // 5))), 5, axis=0)
    own = shared(generator, variants, images, factors)
    return np.where(generator.random((variants, images)) < 0.8, of_family[:variants], own)


known_mcnemar = cache(mcnemar)
ERRORS: dict[str, Callable] = {"independent": independent, "shared": shared, "of families": families}


def all_pairs(wrong: np.ndarray) -> list[int]:
    """The variants that the page calls worse. wrong: bool (k, m)."""
    if not may_reject(wrong):
        return []
    errors = {str(place): one.astype(np.int64) for place, one in enumerate(wrong)}
    tests = paired_tests(errors, {name: name for name in errors})
    return [int(name) for name in rank(list(errors), [], tests).worse]


def may_reject(wrong: np.ndarray) -> bool:
    """Whether any two differ enough for Holm's first step, without which there is no other: most pages have none."""
    counts = wrong.astype(np.float32)
    only = (counts @ (1 - counts).T).astype(np.int64)  # [a, b]: images that a gets wrong, and b does not
    many = wrong.shape[1] + 1
    pairs = np.unique(np.minimum(only, only.T) * many + np.maximum(only, only.T))
    return min(known_mcnemar(*divmod(pair, many)) for pair in pairs.tolist()) * math.comb(len(wrong), 2) < SIGNIFICANT


def against_the_best(wrong: np.ndarray) -> list[int]:
    """The same by tests against the best alone, Holm's correction for these: what the page did before version 2."""
    counts = wrong.sum(axis=1)
    bests = np.flatnonzero(counts == counts.min())
    others = np.flatnonzero(counts > counts.min())
    p_values = {
        int(other): max(
            known_mcnemar(int((wrong[other] & ~one).sum()), int((one & ~wrong[other]).sum())) for one in wrong[bests]
        )
        for other in others
    }
    return [other for other, p in holm(p_values).items() if p < SIGNIFICANT]


METHODS = {"all pairs": all_pairs, "against the best": against_the_best}


def level(pages: int) -> None:
    print("| errors | test images | variants | all pairs | against the best |")
    print("| --- | --- | --- | --- | --- |")
    for name, errors in ERRORS.items():
        for images in IMAGES:
            for variants in VARIANTS:
                generator = np.random.default_rng([variants, images])
                called = dict.fromkeys(METHODS, 0)
                for _ in range(pages):
                    wrong = errors(generator, variants, images, np.ones(variants))
                    for method, finds in METHODS.items():
                        called[method] += bool(finds(wrong))
                shares = " | ".join(f"{100 * count / pages:.1f} %" for count in called.values())
                print(f"| {name} | {images:,} | {variants} | {shares} |", flush=True)
                if at_least(called["all pairs"], pages, LEVEL) < BEYOND_LUCK:
                    sys.exit(f"more than {100 * LEVEL:.0f} % of pages call one of equal variants worse")


def power(pages: int) -> None:
    """One of 24 variants gets more images wrong than the others: on how many pages is it called worse?"""
    print("| errors | test images | wrong images, against 1 of the others | all pairs | against the best |")
    print("| --- | --- | --- | --- | --- |")
    for name in ("independent", "shared"):
        for images in IMAGES:
            for factor in (1.5, 2, 3):
                generator = np.random.default_rng([int(10 * factor), images])
                factors = np.where(np.arange(24) == 7, factor, 1)
                found = dict.fromkeys(METHODS, 0)
                for _ in range(pages):
                    wrong = ERRORS[name](generator, 24, images, factors)
                    for method, finds in METHODS.items():
                        found[method] += 7 in finds(wrong)
                shares = " | ".join(f"{100 * count / pages:.0f} %" for count in found.values())
                print(f"| {name} | {images:,} | {factor} | {shares} |", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=1000)
    arguments = parser.parse_args()
    level(arguments.pages)
    print()
    power(max(1, arguments.pages // 5))
