"""Is one classifier better than another, or only luckier?"""

SIGNIFICANT = 0.05  # a p-value below it


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
