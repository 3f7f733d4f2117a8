"""An interval for a share that may be looked at after every single observation.

A fixed-sample interval that is watched until it says what one fears is wrong far more often than
it promises. This one is the uniform mixture of likelihood ratios (Robbins, "Statistical methods
related to the law of the iterated logarithm", 1970), which by Ville's inequality exceeds 1/alpha
at any time with a probability of at most alpha; see Howard, Ramdas, McAuliffe, Sekhon,
"Time-uniform, nonparametric, nonasymptotic confidence sequences", 2021, on the beta-binomial form.
"""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

Float64 = NDArray[np.float64]

_HALVINGS = 30
_log_factorial = np.frompyfunc(lambda count: math.lgamma(count + 1), 1, 1)


def always_valid_interval(
    hits: ArrayLike, totals: ArrayLike, alpha: float = 0.05
) -> tuple[Float64, Float64]:
    """Lower and upper ends for `hits` of `totals` independent observations, of the counts' shape.

    All intervals of one growing sample hold the true share together with probability 1 - alpha.
    (0, 1) of none. Raises `ValueError` for counts or an alpha that can't be.
    """
    hit, total = np.asarray(hits, np.float64), np.asarray(totals, np.float64)
    missed = total - hit
    if not (0 < alpha < 1) or (hit < 0).any() or (missed < 0).any():
        raise ValueError("needs 0 <= hits <= of, and an alpha between 0 and 1")
    # The mixture over all shares is hits! misses! / (of + 1)!, a constant for each look.
    mixed = _log_factorials(hit) + _log_factorials(missed) - _log_factorials(total + 1)
    least = mixed + math.log(alpha)
    return _lower_end(hit, missed, least), 1 - _lower_end(missed, hit, least)


def _lower_end(hit: Float64, missed: Float64, least: Float64) -> Float64:
    """Least share whose log likelihood is not below `least`, rounded outwards.

    The log likelihood rises up to the observed share, so halving finds the end below it.
    """
    outside = np.zeros_like(hit)
    inside = np.divide(hit, hit + missed, out=np.zeros_like(hit), where=hit + missed > 0)
    for _ in range(_HALVINGS):
        middle = (outside + inside) / 2
        stands = _times_log(hit, middle) + _times_log(missed, 1 - middle) >= least
        inside, outside = np.where(stands, middle, inside), np.where(stands, outside, middle)
    return outside


def _times_log(count: Float64, share: Float64) -> Float64:
    """count * log(share), and 0 where the count is 0."""
    return np.asarray(count * np.log(np.maximum(share, np.finfo(np.float64).tiny)))


def _log_factorials(counts: Float64) -> Float64:
    return np.asarray(_log_factorial(counts), np.float64)
