"""Which segment a ticket belongs to, by its embedding."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streamer.decide.predictions import LabelIds
from streamer.records.segments import GENERAL

Embeddings = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Nearest:
    """Of N tickets the nearest centroid's segment id, [N], and the distance to it, [N]."""

    segment_ids: LabelIds
    distances: NDArray[np.float64]

    @classmethod
    def of(cls, embeddings: Embeddings, centroids: Embeddings) -> "Nearest":
        """Euclidean; embeddings [N, D], at least one centroid [K, D]. Ties go to the first."""
        rows, points = embeddings.astype(np.float64), centroids.astype(np.float64)
        squares = (
            (rows**2).sum(axis=1)[:, None] - 2 * rows @ points.T + (points**2).sum(axis=1)[None]
        )
        segment_ids = squares.argmin(axis=1)
        least = squares[np.arange(len(rows)), segment_ids]
        return cls(segment_ids, np.sqrt(np.maximum(least, 0.0)))

    def within(self, far: NDArray[np.float64]) -> LabelIds:
        """[N]: the segment id; `GENERAL` for a ticket further out than its segment's `far` [K]."""
        return np.where(self.distances <= far[self.segment_ids], self.segment_ids, GENERAL)
