"""Distributions over the label set, and how far apart two of them are."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

TOLERANCE = 1e-3

Array = NDArray[np.float64]


def checked(rows: NDArray[np.floating[Any]]) -> Array:
    """The rows [N, K] as float64; raises `ValueError` unless each is a distribution."""
    found = np.asarray(rows, np.float64)
    if found.ndim != 2 or not np.isfinite(found).all() or (found < 0).any():
        raise ValueError("probabilities must be a matrix of finite numbers that are not negative")
    if (np.abs(found.sum(axis=1) - 1) > TOLERANCE).any():
        raise ValueError("each row of probabilities must sum to 1")
    return found


def total_variation(p: NDArray[np.floating[Any]], q: NDArray[np.floating[Any]]) -> Array:
    """D_TV of each row, [N], as sum over labels of max(0, p - q): 0 for equal rows, 1 for disjoint.

    The one-sided form of "Faster Cascades via Speculative Decoding" (arXiv 2405.19261), which is
    half the L1 distance for distributions.
    """
    return np.asarray(np.maximum(0.0, checked(p) - checked(q)).sum(axis=1))


def greedy(rows: NDArray[np.floating[Any]]) -> Array:
    """One-hot rows [N, K] at the likeliest label, the first of several."""
    found: Array = np.zeros(np.shape(rows))
    found[np.arange(len(rows)), np.argmax(rows, axis=1)] = 1.0
    return found
