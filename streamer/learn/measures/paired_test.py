"""Whether one of two is right more often on the same tickets, or by chance alone."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

Right = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class PairedTest:
    """Of N tickets one alone was right on `gained`, the other on `lost`; by `lead` the one's share
    is larger, NaN of none, and `error` is the standard error of that.

    `chance` is that of a lead as large or larger, either way, if both were as good, by McNemar's
    exact test.
    """

    of: int
    gained: int
    lost: int
    lead: float
    error: float
    chance: float

    @classmethod
    def test(cls, one: Right, other: Right) -> "PairedTest":
        """Where each of the two is right, [N]."""
        difference = one.astype(np.float64) - other
        gained, lost = int((difference > 0).sum()), int((difference < 0).sum())
        differ, of = gained + lost, len(one)
        chance = float(binomtest(gained, differ).pvalue) if differ else 1.0
        if not of:
            return cls(0, 0, 0, float("nan"), float("nan"), chance)
        return cls(
            of,
            gained,
            lost,
            float(difference.mean()),
            float(difference.std()) / float(np.sqrt(of)),
            chance,
        )
