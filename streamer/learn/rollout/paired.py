"""Which of two versions agrees with the judge more often, asked again and again."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from streamer.decide.confidence_sequence import always_valid_interval

Verdict = Literal["better", "worse", "not yet known"]

_EVEN = 0.5
_LONGER = np.geomspace(1, 1000, 1400)


@dataclass(frozen=True, slots=True)
class Paired:
    """Two versions on the same `of` tickets: one alone was right on `gained`, the other on `lost`.

    Tickets on which both or neither are right say nothing of which is better. Of the others, a
    version that is as good as the one that serves gains half. `low` and `high` hold the share that
    it gains at all looks together, but for a chance of `alpha`: the interval is that of
    `always_valid_interval`. It is better where the whole interval lies above one half.
    """

    of: int
    gained: int
    lost: int
    alpha: float
    low: float
    high: float

    @classmethod
    def test(cls, total: int, gained: int, lost: int, alpha: float) -> "Paired":
        """Raises `ValueError` for counts or an alpha that can't be."""
        low, high = always_valid_interval(gained, gained + lost, alpha)
        return cls(total, gained, lost, alpha, float(low), float(high))

    @property
    def verdict(self) -> Verdict:
        """Of the version that `gained`."""
        if self.low > _EVEN:
            return "better"
        return "worse" if self.high < _EVEN else "not yet known"

    @property
    def more(self) -> int | None:
        """About how many more tickets it takes if they go on as these did; None where that says
        nothing: no ticket tells the two apart, or a thousand times as many would not do.
        """
        if self.verdict != "not yet known":
            return 0
        gained, lost = self.gained * _LONGER, self.lost * _LONGER
        low, high = always_valid_interval(gained, gained + lost, self.alpha)
        (enough,) = np.nonzero((low > _EVEN) | (high < _EVEN))
        return math.ceil((_LONGER[enough[0]] - 1) * self.of) if len(enough) else None
