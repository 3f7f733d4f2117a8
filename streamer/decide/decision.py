"""What a rule says of a batch before the judge is asked."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streamer.decide.predictions import ABSTAINED, LabelIds


@dataclass(frozen=True, slots=True)
class Decision:
    """Of N tickets: the label that stands, or -1, and its confidence.

    `confidence` [N] is the rule's own measure, NaN where no label stands or no probabilities are
    known.
    """

    label_ids: LabelIds
    confidence: NDArray[np.float64]

    @classmethod
    def none(cls, count: int) -> "Decision":
        """No label for any of so many tickets."""
        return cls(np.full(count, ABSTAINED), np.full(count, np.nan))

    def __getitem__(self, rows: NDArray[np.int64]) -> "Decision":
        """The decision on some of the tickets."""
        return Decision(self.label_ids[rows], self.confidence[rows])
