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
        """The places of the slow ones among these latencies [N]; most often none."""
        if not len(ms):
            return []
        interval, top = self._interval(path), float(ms.max())
        if len(interval.slowest) < self._few or top > interval.slowest[0]:
            interval.slowest = np.sort(np.concatenate([interval.slowest, ms]))[-self._few :]
        if top <= interval.slow_ms or not interval.left:
            return []
        found = np.flatnonzero(ms > interval.slow_ms)
        found = found[np.argsort(-ms[found], kind="stable")][: interval.left]
        interval.left -= len(found)
        return [int(place) for place in found]

    def _interval(self, path: str) -> _Interval:
        now, known = self._clock(), self._paths.get(path)
        if known is None:
            known = self._paths[path] = _Interval(now + self._every)
        elif now >= known.ends:
            known.ends = now + self._every
            known.slow_ms = self._slow_by(known.slowest)
            known.left, known.slowest = self._few, np.empty(0)
        return known

    def _slow_by(self, slowest: Milliseconds) -> float:
        return float(slowest[0] if len(slowest) == self._few else slowest[-1])
