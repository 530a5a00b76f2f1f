"""How far counts of right and wrong images may be luck: exact tests and intervals."""

import math
from functools import cache

import numpy as np

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
