"""The breaker: a worker that fails again and again is left alone, but for one probe at a time."""

import random
import time
from collections.abc import Callable
from enum import Enum


class BreakerState(Enum):
    CLOSED = "closed"
    OPEN = "open"
    PROBING = "probing"


class Breaker:
    """closed -> open after `threshold` failures in a row, or at once by `trip`;
    open -> probing when a pause is over; probing -> closed or, after a longer pause, open again.

    Pauses last `first_s`, doubled after each failed probe up to `longest_s`, each shortened at
    random by up to a half so that many processes don't knock together. `clock` gives seconds.
    """

    def __init__(
        self,
        *,
        threshold: int = 5,
        first_s: float = 0.2,
        longest_s: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.state = BreakerState.CLOSED
        self.open_since: float | None = None
        self._threshold = threshold
        self._first_s = first_s
        self._longest_s = longest_s
        self._clock = clock
        self._chance = chance
        self._failures = 0
        self._pause_s = first_s
        self._probe_at = 0.0

    @property
    def open_s(self) -> float:
        """How long it has not been closed, in seconds; 0 while closed."""
        return 0.0 if self.open_since is None else self._clock() - self.open_since

    @property
    def pause_s(self) -> float:
        """Seconds until the next probe is due; 0 when it is due, or while closed."""
        return max(0.0, self._probe_at - self._clock()) if self.state is BreakerState.OPEN else 0.0

    def succeeded(self) -> None:
        """A call succeeded. An open breaker is closed by a probe, not by what was under way."""
        if self.state is BreakerState.CLOSED:
            self._failures = 0

    def failed(self) -> None:
        """A call failed. Those that were under way when it opened count for nothing."""
        if self.state is BreakerState.CLOSED:
            self._failures += 1
            if self._failures >= self._threshold:
                self.trip()

    def trip(self) -> None:
        """Open at once."""
        if self.state is BreakerState.CLOSED:
            self.open_since = self._clock()
            self._pause_s = self._first_s
            self._open()

    def begin_probe(self) -> bool:
        """Whether the caller may probe now; it must then report how the probe ended."""
        if self.state is not BreakerState.OPEN or self._clock() < self._probe_at:
            return False
        self.state = BreakerState.PROBING
        return True

    def probe_succeeded(self) -> None:
        if self.state is BreakerState.PROBING:
            self.state = BreakerState.CLOSED
            self.open_since = None
            self._failures = 0

    def probe_failed(self) -> None:
        if self.state is BreakerState.PROBING:
            self._pause_s = min(2 * self._pause_s, self._longest_s)
            self._open()

    def _open(self) -> None:
        self.state = BreakerState.OPEN
        self._probe_at = self._clock() + self._pause_s * (1 - self._chance() / 2)
