"""How far counts of right and wrong images, or a difference between two classifiers, may be luck: exact tests and
intervals, each here alone."""

import math
from collections.abc import Hashable
from functools import cache

import numpy as np

SIGNIFICANT = 0.05  # a p-value below it
BEYOND_LUCK = 0.001  # a p-value below it


def binomial(n: int, share: float) -> np.ndarray:
    """How likely 0 … n of n images are wrong, if each is with a probability of `share`, 0 < share < 1; (n + 1,)."""
    ways, wrong = _log_ways(n), np.arange(n + 1)
    return np.exp(ways + wrong * math.log(share) + (n - wrong) * math.log1p(-share))


@cache
def _log_ways(n: int) -> np.ndarray:
    """The logarithms of the binomial coefficients n over 0 … n."""
    factorials = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, n + 1)))])
    return factorials[n] - factorials - factorials[::-1]


def at_least(k: int, n: int, share: float) -> float:
    """The p-value of the one-sided exact binomial test: that k or more of n are wrong, if each is with that share."""
    return min(1.0, float(binomial(n, share)[k:].sum()))


def interval(k: int, n: int) -> tuple[float, float]:
    """The exact 95 % interval of the true share, where k of n images are wrong.

    C. J. Clopper, E. S. Pearson: The use of confidence or fiducial limits. Biometrika 26 (1934) 404.
    """
    low = _where(lambda share: at_least(k, n, share) > 0.025) if k else 0.0
    high = _where(lambda share: 1 - at_least(k + 1, n, share) < 0.025) if k < n else 1.0
    return low, high


def _where(is_beyond) -> float:
    """The share from which on `is_beyond` holds, to 9 digits."""
    low, high = 0.0, 1.0
    for _ in range(30):
        middle = (low + high) / 2
        low, high = (low, middle) if is_beyond(middle) else (middle, high)
    return high


def fisher(k: int, n: int, others_k: int, others: int) -> float:
    """The one-sided p-value of Fisher's exact test: that k of n or more are such, if that is as likely for n as for the
    others, of which others_k are.

    R. A. Fisher: Statistical methods for research workers, 5th edition, 1934, section 21.02.
    """
    such, every = k + others_k, _log_ways(n + others)[k + others_k]
    first, top = max(k, such - others), min(n, such)
    logs = _log_ways(n)[first : top + 1] + _log_ways(others)[such - top : such - first + 1][::-1] - every
    return min(1.0, float(np.exp(logs).sum()))


def mcnemar(only_a: int, only_b: int) -> float:
    """The exact two-sided p-value of McNemar's test: are two classifiers equally often right?

    Of the images that only one of them gets right, each is as likely to be one's as the other's if so: a binomial
    test. Q. McNemar, Psychometrika 12 (1947) 153.
    """
    n, k = only_a + only_b, min(only_a, only_b)
    # math.comb(n, i) for i = 0 … k, each from the one before: seconds otherwise, for two models that never agree.
    tail = ways = 1
    for i in range(k):
        ways = ways * (n - i) // (i + 1)
        tail += ways
    return min(1.0, 2 * tail / 2**n)


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


def holm(
    p_values: dict[Hashable, float], times: dict[Hashable, int] | None = None, of: int | None = None
) -> dict[Hashable, float]:
    """p-values, corrected for their number: that any below 0.05 is mere chance has at most that probability.

    times: how many hypotheses each of them is for, one where that is not said; of: how many hypotheses there are in
    all. Those that have no p count as never rejected, which can only make the others' p larger.

    S. Holm, Scandinavian Journal of Statistics 6 (1979) 65.
    """
    times = dict.fromkeys(p_values, 1) if times is None else times
    left = sum(times.values()) if of is None else of
    corrected, largest = {}, 0.0
    for name in sorted(p_values, key=p_values.get):
        largest = max(largest, min(1.0, left * p_values[name]))
        corrected[name] = largest
        left -= times[name]
    return corrected
