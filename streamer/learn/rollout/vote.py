"""The vote with the versions on trial in it, beside the vote that serves."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streamer.decide.confidence_sequence import always_valid_interval
from streamer.learn.measures.interval import Interval
from streamer.learn.measures.shares import Share, share
from streamer.learn.replay.what_if import Published

TOLERANCE = 0.01
"""How much less often the labels may agree with the judge, where nobody says (we choose)."""

_ALPHA = 0.05

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class VoteComparison:
    """Labels that the judge gives as well, and tickets that it is asked about, of the same tickets
    with the one and the other versions. `tolerance` is how much less often the second may agree.

    `lead` is the second agreement less the first. Its interval holds at all looks together with
    95 %: gains and losses have a confidence sequence each, and the ends are the worst of both.
    """

    tickets: int
    agreement: tuple[Share, Share]
    judge_rate: tuple[Share, Share]
    lead: Interval
    tolerance: float = TOLERANCE

    @classmethod
    def of(
        cls, serving: Published, promoted: Published, tolerance: float = TOLERANCE
    ) -> "VoteComparison":
        """Of the same judged tickets in the same order."""
        lead = _lead(promoted.agrees & ~serving.agrees, serving.agrees & ~promoted.agrees)
        return cls(
            len(serving.agrees),
            (share(serving.agrees), share(promoted.agrees)),
            (share(serving.asked), share(promoted.asked)),
            lead,
            tolerance,
        )

    @property
    def harmless(self) -> bool:
        """Whether the agreement is surely not lower by more than the tolerance."""
        return self.lead.low > -self.tolerance

    @property
    def harmful(self) -> bool:
        """Whether it surely is."""
        return self.lead.high < -self.tolerance


def _lead(gained: Mask, lost: Mask) -> Interval:
    counts = np.array([gained.sum(), lost.sum()])
    low, high = always_valid_interval(counts, np.full(2, len(gained)), _ALPHA / 2)
    value = float(counts[0] - counts[1]) / len(gained) if len(gained) else 0.0
    return Interval(value, float(low[0] - high[1]), float(high[0] - low[1]), len(gained))
