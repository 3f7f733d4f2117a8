"""Picks the slowest tickets of every interval, while they pass."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

FEW = 5
EVERY = 10.0

Milliseconds = npt.NDArray[np.float64]


@dataclass(slots=True)
class _Interval:
    """The interval that runs: its slowest so far, and what is slow by the one before."""

    ends: float
    slow_ms: float = np.inf
    left: int = 0
    slowest: Milliseconds = field(default_factory=lambda: np.empty(0))


class Slowest:
    """Of each path, at most `few` tickets in `every` seconds of the monotonic `clock`.

    Those are picked that are slower than the `few` slowest of the interval before, so in a steady
    state about as many are. Nothing of the first interval: there is nothing yet to be slow by.
    """

    def __init__(
        self, few: int = FEW, every: float = EVERY, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._few = few
        self._every = every
        self._clock = clock
        self._paths: dict[str, _Interval] = {}

    def among(self, path: str, ms: Milliseconds) -> list[int]:
        """The rows of the slow ones among these latencies [N]; most often none."""
        if not len(ms):
            return []
        interval, top = self._interval(path), float(ms.max())
        if len(interval.slowest) < self._few or top > interval.slowest[0]:
            interval.slowest = np.sort(np.concatenate([interval.slowest, ms]))[-self._few :]
        if top <= interval.slow_ms or not interval.left:
            return []
        rows = np.flatnonzero(ms > interval.slow_ms)
        rows = rows[np.argsort(-ms[rows], kind="stable")][: interval.left]
        interval.left -= len(rows)
        return [int(row) for row in rows]

    def _interval(self, path: str) -> _Interval:
        now, interval = self._clock(), self._paths.get(path)
        if interval is None:
            interval = self._paths[path] = _Interval(now + self._every)
        elif now >= interval.ends:
            interval.ends = now + self._every
            interval.slow_ms = self._slow_by(interval.slowest)
            interval.left, interval.slowest = self._few, np.empty(0)
        return interval

    def _slow_by(self, slowest: Milliseconds) -> float:
        return float(slowest[0] if len(slowest) == self._few else slowest[-1])
