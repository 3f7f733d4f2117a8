"""A latency histogram, fine enough for percentiles and coarse enough to publish."""

from bisect import bisect_left
from collections.abc import Mapping
from math import isfinite

import numpy as np
import numpy.typing as npt

# From 1 ms in steps of 2 ** (1/8), which is 9 %, to 2 ** 20 ms: 17 minutes. Every eighth is
# published, each twice the last.
EDGES_MS: npt.NDArray[np.float64] = 2.0 ** (np.arange(161) / 8)
PUBLISHED = 8
FEW = 12

_EDGES = EDGES_MS.tolist()


class Histogram:
    """Counts durations. Values above the last edge are counted apart, negative ones as zero.

    `unit` is what it is published in: 1000 ms are a second; 1 for what is no duration.
    """

    def __init__(self, unit: float = 1000.0) -> None:
        self._unit = unit
        self._counts = np.zeros(len(EDGES_MS) + 1, np.int64)
        self._sum_ms = 0.0

    @classmethod
    def of(cls, counts: Mapping[int, int]) -> "Histogram":
        """Counts by bucket, as `counts` numbers them; without their sum."""
        histogram = cls()
        for bucket, count in counts.items():
            histogram._counts[bucket] = count
        return histogram

    def observe(self, ms: npt.ArrayLike) -> None:
        """Count durations [N], or one, in milliseconds; those that are not finite are left out."""
        if isinstance(ms, float):
            self._one(ms)
            return
        values = np.asarray(ms, np.float64).ravel()
        if len(values) < FEW:
            # At a low rate each ticket is a batch, and this is several times cheaper.
            for value in values.tolist():
                self._one(value)
            return
        values = np.maximum(values[np.isfinite(values)], 0.0)
        buckets = np.searchsorted(EDGES_MS, values)
        self._counts += np.bincount(buckets, minlength=len(self._counts))
        self._sum_ms += float(values.sum())

    def _one(self, ms: float) -> None:
        if isfinite(ms):
            self._counts[bisect_left(_EDGES, ms)] += 1
            self._sum_ms += max(ms, 0.0)

    @property
    def count(self) -> int:
        """How many were counted."""
        return int(self._counts.sum())

    @property
    def counts(self) -> tuple[int, ...]:
        """How many fell into each bucket up to one of `EDGES_MS`, and above the last."""
        return tuple(self._counts.tolist())

    @property
    def sum(self) -> float:
        """All of them together, in seconds (or as `unit` says)."""
        return self._sum_ms / self._unit

    def buckets(self) -> list[tuple[str, float]]:
        """(upper edge in seconds, how many up to there), as Prometheus wants them."""
        up_to = np.cumsum(self._counts)
        edges = EDGES_MS[::PUBLISHED] / self._unit
        pairs = zip(edges.tolist(), up_to[: len(EDGES_MS) : PUBLISHED].tolist(), strict=True)
        return [(str(edge), float(n)) for edge, n in pairs] + [("+Inf", float(up_to[-1]))]

    def percentile(self, q: float) -> float | None:
        """The `q`-th percentile (0 to 100) in seconds, to within a bucket; None when empty."""
        up_to = np.cumsum(self._counts)
        if not up_to[-1]:
            return None
        rank = max(q / 100 * float(up_to[-1]), 1e-9)
        bucket = int(np.searchsorted(up_to, rank))
        if bucket == len(EDGES_MS):
            return float(EDGES_MS[-1]) / self._unit
        upper = float(EDGES_MS[bucket])
        lower = float(EDGES_MS[bucket - 1]) if bucket else 0.0
        before = float(up_to[bucket - 1]) if bucket else 0.0
        share = (rank - before) / float(self._counts[bucket])
        return (lower + (upper - lower) * share) / self._unit
