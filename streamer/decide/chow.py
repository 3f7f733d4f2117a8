"""Chow's rule: accept what is likely enough."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

TOLERANCE = 0.02


@dataclass(frozen=True, slots=True)
class Chow:
    """Accept iff max q >= 1 - alpha (eq. 2 of "Faster Cascades via Speculative Decoding",
    arXiv 2405.19261): alpha 0 asks the judge unless the workers are certain, 1 never does.
    """

    alpha: float

    def accepts(self, q: NDArray[np.floating[Any]]) -> NDArray[np.bool_]:
        """[N] for distributions q [N, K]; raises `ValueError` for rows that are none."""
        if not np.isfinite(q).all() or (q < 0).any():
            raise ValueError("probabilities must be finite and not negative")
        if (np.abs(q.sum(axis=1) - 1) > TOLERANCE).any():
            raise ValueError("each row of probabilities must sum to 1")
        return np.asarray(q.max(axis=1, initial=0) >= 1 - self.alpha)
