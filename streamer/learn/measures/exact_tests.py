"""Promises that hold for tickets not yet seen: exact tests, one after another."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta, binom

Counts = NDArray[np.int64]
Float64 = NDArray[np.float64]

METHOD = (
    "fixed-sequence testing (Bauer 1991; Learn then Test, Angelopoulos et al. 2021) with exact"
    " binomial tests (Clopper and Pearson 1934)"
)


def lower_bound(hits: int, total: int, confidence: float) -> float:
    """The one-sided lower bound of Clopper and Pearson on a share; 0 of none."""
    return float(beta.ppf(1 - confidence, hits, total - hits + 1)) if hits else 0.0


def p_values(hits: Counts, totals: Counts, at_least: float) -> Float64:
    """Of the exact test that the true share is less than `at_least`; any shape, 1 of none."""
    p: NDArray[Any] = binom.sf(hits - 1, totals, at_least)
    return np.where(totals > 0, p, 1.0)


def passed(p: Float64, confidence: float) -> Counts:
    """How many tests in a row are passed from the first on, along axis 0.

    The order must be fixed before the data that made the p-values was seen. Then the chance that
    any passed test is of a false promise is at most 1 - confidence, however many there are: a
    false promise is only reached after the true ones before it, and the first false one of the
    order is passed with no greater chance than that.
    """
    return np.asarray(np.logical_and.accumulate(p <= 1 - confidence, axis=0).sum(axis=0))
