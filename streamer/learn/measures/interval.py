"""A number with the interval that holds it."""

import math
from dataclasses import dataclass

import numpy as np

from streamer.decide.distributions import Float64
from streamer.learn.measures.shares import Share


@dataclass(frozen=True, slots=True)
class Interval:
    """A value and the ends of its 95 % interval; `of` is the number of tickets behind a share."""

    value: float
    low: float
    high: float
    of: int | None = None

    @classmethod
    def of_share(cls, share: Share) -> "Interval":
        """Wilson's."""
        return cls(share.value, *share.interval, share.of)

    @classmethod
    def of_samples(cls, value: float, samples: Float64) -> "Interval":
        """Percentiles of bootstrap samples [B]; those that are no number are left out."""
        finite = samples[np.isfinite(samples)]
        if not len(finite) or math.isnan(value):
            return cls(value, math.nan, math.nan)
        low, high = np.percentile(finite, [2.5, 97.5]).tolist()
        return cls(value, low, high)
