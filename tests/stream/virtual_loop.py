"""An event loop whose clock jumps to the next timer, so that minutes pass in milliseconds."""

import asyncio
from typing import Any


class VirtualLoop(asyncio.SelectorEventLoop):
    """Runs timers in their order without waiting; raises where nothing could ever happen again."""

    def __init__(self) -> None:
        super().__init__()
        self._now = 0.0
        real_select = self._selector.select

        def select(timeout: float | None = None) -> list[Any]:
            if timeout is None:
                raise RuntimeError("deadlock: every task waits and no timer is set")
            # Rounded up as the loop's own clock is, or the timer would never be due.
            self._now += max(timeout, 0.0)
            return real_select(0)

        self._selector.select = select

    def time(self) -> float:
        return self._now
