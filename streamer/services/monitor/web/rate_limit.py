"""How often something costly may be done."""

import math
import time
from collections.abc import Callable


class RateLimit:
    """`at_once` at a time, and `per_minute` over time: a bucket that fills steadily."""

    def __init__(
        self,
        at_once: int = 2,
        per_minute: int = 30,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._free = at_once
        self._most = self._left = float(per_minute)
        self._clock = clock
        self._filled_at = clock()

    def take(self) -> float | None:
        """Take a turn, to be given back; or whole seconds until there may be one."""
        now = self._clock()
        earned = (now - self._filled_at) * self._most / 60
        self._left, self._filled_at = min(self._most, self._left + earned), now
        if self._left < 1:
            return math.ceil((1 - self._left) * 60 / self._most)
        if not self._free:
            return 1.0
        self._free -= 1
        self._left -= 1
        return None

    def give_back(self) -> None:
        """End a turn that was taken."""
        self._free += 1
