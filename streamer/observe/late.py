"""A bound on spans that are written after the fact."""

import time
from collections.abc import Callable

PER_SECOND = 100


class LateBudget:
    """Allows so many late spans per second, of the monotonic `clock`.

    A topic full of unreadable records would otherwise cost a span each, which is several times
    what it costs to set a record aside; they are all counted in the metrics anyhow. `refused` says
    how many were not allowed.
    """

    def __init__(
        self, per_second: int = PER_SECOND, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._per_second = per_second
        self._clock = clock
        self._second = -1
        self._left = 0
        self.refused = 0

    def take(self) -> bool:
        """Whether one more may be written now."""
        second = int(self._clock())
        if second != self._second:
            self._second, self._left = second, self._per_second
        self._left -= 1
        self.refused += self._left < 0
        return self._left >= 0
