"""Is one variant better than another on the same images, over all of their seeds?"""

from collections.abc import Hashable
from functools import cache

import numpy as np

from diagnosis.proportions import binomial


def sign_flips(differences: np.ndarray) -> float:
    """The exact two-sided p-value of Fisher's randomization test for paired differences, int (m,): one per image.

    If neither of two variants is better, exchanging what they made of an image is as likely as not, whatever they made
    of the others: each difference is as likely positive as negative. All seeds' answers to an image stay together,
    because they are not independent: what one seed gets wrong, another often does, too. p is the share of all 2^m ways
    to choose the signs that give a sum at least as far from 0. Of one seed each, it is McNemar's exact test.

    R. A. Fisher, The Design of Experiments (1935), section 21; the sums' distribution, built up difference by
    difference: M. Pagano, D. Tritchler, J. Am. Stat. Assoc. 78 (1983) 435. Below 1e-300 p may come out as 0.
    """
    differences = differences[differences != 0] // max(1, np.gcd.reduce(differences, initial=0))
    counts = np.bincount(np.abs(differences))
    return _share_as_far(tuple((size, counts[size]) for size in np.flatnonzero(counts)), abs(int(differences.sum())))


@cache  # a sweep has many pairs, and few that differ in this: a tenth of the diagnosis of 384 variants
def _share_as_far(sizes: tuple[tuple[int, int], ...], distance: int) -> float:
    """p of as many differences of each size, whose sum is that far from 0."""
    shares = np.ones(1)  # shares[s]: of the ways in which the positive differences add up to s
    for size, count in sizes:
        longer = np.zeros(len(shares) + size * count)
        for rest in range(min(size, len(shares))):  # sums that differ by a multiple of size
            longer[rest::size] = np.convolve(shares[rest::size], _coins(count))
        shares = longer
    total = len(shares) - 1
    return min(1.0, 2 * float(shares[(total + distance) // 2 :].sum()))


@cache
def _coins(n: int) -> np.ndarray:
    """How likely 0 … n of n coins show heads."""
    return binomial(n, 0.5)


def holm(p_values: dict[Hashable, float]) -> dict[Hashable, float]:
    """p-values, corrected for their number: that any below 0.05 is mere chance has at most that probability.

    S. Holm, Scandinavian Journal of Statistics 6 (1979) 65.
    """
    corrected, largest = {}, 0.0
    for place, name in enumerate(sorted(p_values, key=p_values.get)):
        largest = max(largest, min(1.0, (len(p_values) - place) * p_values[name]))
        corrected[name] = largest
    return corrected
