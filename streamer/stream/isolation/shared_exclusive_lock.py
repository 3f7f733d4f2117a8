"""Lets many through together, or one alone."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager


class SharedExclusiveLock:
    """Whoever goes alone waits until nobody is inside, and comes before those who go together.

    Once anybody has failed inside, nobody is let in any more: whoever waits is to be cancelled.
    """

    def __init__(self) -> None:
        self._broken = False
        self._inside = 0
        self._waiting = 0
        self._occupied = False
        self._changed = asyncio.Event()

    @asynccontextmanager
    async def together(self) -> AsyncIterator[None]:
        """Be inside beside others."""
        await self._until(lambda: not self._occupied and not self._waiting)
        self._inside += 1
        try:
            with self._watched():
                yield
        finally:
            self._inside -= 1
            self._tell()

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """Be inside while nobody else is."""
        self._waiting += 1
        try:
            await self._until(lambda: not self._occupied and not self._inside)
            self._occupied = True
        finally:
            self._waiting -= 1
            self._tell()
        try:
            with self._watched():
                yield
        finally:
            self._occupied = False
            self._tell()

    @contextmanager
    def _watched(self) -> Iterator[None]:
        try:
            yield
        except (asyncio.CancelledError, GeneratorExit):
            raise
        except BaseException:
            self._broken = True
            raise

    async def _until(self, free: Callable[[], bool]) -> None:
        while self._broken or not free():
            await self._changed.wait()

    def _tell(self) -> None:
        # A new event each time: whoever waits looks once, and then waits for the next change.
        self._changed.set()
        self._changed = asyncio.Event()
