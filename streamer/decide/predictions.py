"""What one worker thinks of every ticket of a batch."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

ABSTAINED = -1

LabelIds = NDArray[np.int64]
Probabilities = NDArray[np.float32]

SUM_TOLERANCE = 0.01


@dataclass(frozen=True, slots=True)
class Predictions:
    """One worker's votes on N tickets over K labels.

    `label_ids` [N] are those of the label set, or -1 for an abstention. `probabilities` [N, K] are
    calibrated; None for a worker that gives labels only.
    """

    label_ids: LabelIds
    probabilities: Probabilities | None

    @classmethod
    def of(cls, raw: Probabilities) -> "Predictions":
        """From raw probabilities [N, K]; a row that is no distribution is an abstention.

        Ties go to the label that comes first, so that a repeat votes alike.
        """
        usable = (raw >= 0).all(axis=1) & (np.abs(raw.sum(axis=1) - 1) <= SUM_TOLERANCE)
        label_ids = raw.argmax(axis=1)
        if np.count_nonzero(usable) < len(raw):
            label_ids = np.where(usable, label_ids, ABSTAINED)
        return cls(label_ids, raw)

    @classmethod
    def none(cls, count: int) -> "Predictions":
        """Of a worker that is out: `count` abstentions."""
        return cls(np.full(count, ABSTAINED), None)

    def __getitem__(self, rows: NDArray[np.int64]) -> "Predictions":
        """The predictions on some of the tickets."""
        probabilities = None if self.probabilities is None else self.probabilities[rows]
        return Predictions(self.label_ids[rows], probabilities)

    def labels_only(self) -> "Predictions":
        """The same votes without probabilities."""
        return Predictions(self.label_ids, None)

    @property
    def confidence(self) -> NDArray[np.float32]:
        """Probability of the worker's own label of each ticket, [N]; NaN where there is none."""
        if self.probabilities is None:
            return np.full(len(self.label_ids), np.nan, np.float32)
        # Its own label is the likeliest: this is `of_label(codes)` at a third of the cost.
        return np.where(self.label_ids >= 0, self.probabilities.max(axis=1), np.float32(np.nan))

    def of_label(self, label_ids: LabelIds) -> NDArray[np.float32]:
        """Probability of the given label of each ticket, [N]; NaN where there is none."""
        if self.probabilities is None:
            return np.full(len(label_ids), np.nan, np.float32)
        picked = self.probabilities[np.arange(len(label_ids)), label_ids]
        return np.where((label_ids >= 0) & (self.label_ids >= 0), picked, np.float32(np.nan))
