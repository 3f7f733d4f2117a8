"""Probability vectors, a row for each ticket."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

TOLERANCE = 0.02
"""Twice what a worker's own row may be off by, since means of such rows come here too."""

Rows = NDArray[np.floating[Any]]
Float64 = NDArray[np.float64]


def checked(rows: Rows) -> Float64:
    """The same rows [N, K] in float64; raises `ValueError` where one is no distribution."""
    exact = np.asarray(rows, np.float64)
    sums = exact.sum(axis=1)
    # A NaN or an infinity anywhere shows in its row's sum.
    if not np.isfinite(sums).all() or exact.min(initial=0.0) < 0:
        raise ValueError("probabilities must be finite and not negative")
    if (np.abs(sums - 1) > TOLERANCE).any():
        raise ValueError("each row of probabilities must sum to 1")
    return exact


def checked_pair(q: Rows, p: Rows) -> tuple[Float64, Float64]:
    """Both `checked`; raises `ValueError`, too, where their shapes differ."""
    if q.shape != p.shape:
        raise ValueError(f"probabilities of different tickets or labels: {q.shape}, {p.shape}")
    return checked(q), checked(p)


def greedy(p: Rows) -> Float64:
    """All mass on the likeliest label of each row, the first of several: temperature 0."""
    return np.asarray(np.eye(p.shape[1])[p.argmax(axis=1)])


def total_variation(p: Rows, q: Rows) -> Float64:
    """Sum over the labels of max(0, p - q), [N], from 0 to 1: half the L1 distance of p and q."""
    return np.asarray(np.maximum(np.subtract(p, q, dtype=np.float64), 0).sum(axis=1))
