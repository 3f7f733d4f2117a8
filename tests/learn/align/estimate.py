"""Shares of all tickets, from tickets that were not drawn alike."""

from dataclasses import dataclass

import numpy as np

from streamer.backends.features import Floats
from streamer.learn.align.sample import Mask


@dataclass(frozen=True, slots=True)
class Weighted:
    """A share of all tickets with its standard error; NaN of none."""

    value: float
    error: float

    @classmethod
    def of(cls, right: Mask, weights: Floats) -> "Weighted":
        """Hájek's ratio A = sum w r / sum w of tickets [N] whose weight w is 1 / P(drawn).

        Its error is that of the linearised ratio, sqrt(sum w^2 (r - A)^2) / sum w (Särndal,
        Swensson and Wretman 1992, 5.6).
        """
        exact = weights.astype(np.float64)
        total = exact.sum()
        if not total:
            return cls(np.nan, np.nan)
        value = float((exact * right).sum() / total)
        return cls(value, float(np.sqrt((exact**2 * (right - value) ** 2).sum()) / total))
