"""Which of the segments found now are those of before."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from streamer.learn.segments.nearest import Embeddings
from streamer.records.segments import Segment


def matched(centroids: Embeddings, before: Sequence[Segment]) -> dict[int, Segment]:
    """By the index of a centroid [K, D] the segment that it carries on; the others are new.

    The pairs with the least distance in all (the Hungarian method). A pair is none where the
    centroid is further away than half-way to the old segment's nearest neighbour: there another
    segment would have been as near. A segment that was alone is held to its `far` limit (we choose
    both).
    """
    if not before:
        return {}
    old = np.array([segment.centroid for segment in before])
    distances = _distances(centroids, old)
    limits = _limits(old, before)
    pairs = zip(*linear_sum_assignment(distances), strict=True)
    return {
        int(index): before[other]
        for index, other in pairs
        if distances[index, other] < limits[other]
    }


def _limits(old: NDArray[np.float64], before: Sequence[Segment]) -> NDArray[np.float64]:
    if len(before) == 1:
        return np.array([before[0].far])
    apart = _distances(old, old)
    np.fill_diagonal(apart, np.inf)
    return np.asarray(apart.min(axis=1) / 2)


def _distances(centroids: NDArray[Any], other: NDArray[Any]) -> NDArray[np.float64]:
    apart = centroids[:, None].astype(np.float64) - other[None]
    return np.asarray(np.sqrt((apart**2).sum(axis=2)))
