"""Is one classifier better than another, or only luckier?"""

import math


def mcnemar(only_a: int, only_b: int) -> float:
    """The exact two-sided p-value of McNemar's test: are two classifiers equally often right?

    Of the images that only one of them gets right, each is as likely to be one's as the other's if so: a binomial
    test. Q. McNemar, Psychometrika 12 (1947) 153.
    """
    n, k = only_a + only_b, min(only_a, only_b)
    tail = sum(math.comb(n, i) for i in range(k + 1))
    return min(1.0, 2 * tail / 2**n)
