"""How fast a backfill may go."""

import asyncio
import time

LOOK_EVERY_S = 0.2


class Pace:
    """Lets `rate` tickets through per second, and none while the judge has a backlog.

    `waiting` is kept up to date by whoever knows how many requests wait for the judge; more of
    them than `backlog` stop the way.
    """

    def __init__(self, rate: float, backlog: int) -> None:
        self._rate = rate
        self._backlog = backlog
        self._next = time.monotonic()
        self.waiting = 0

    async def room(self, tickets: int) -> None:
        """Wait until so many more tickets may pass."""
        while self.waiting > self._backlog:  # noqa: ASYNC110 - it is asked for once a second anyway
            await asyncio.sleep(LOOK_EVERY_S)
        now = time.monotonic()
        due, self._next = self._next, max(self._next, now) + tickets / self._rate
        await asyncio.sleep(max(due - now, 0.0))
