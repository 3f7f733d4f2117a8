"""Results of concurrent work, as it is done."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class AsDone(Generic[T]):
    """Work that runs at the same time; more may be added while results are taken."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[T]] = set()
        self._done: list[asyncio.Task[T]] = []
        self._some = asyncio.Event()

    def add(self, work: Coroutine[Any, Any, T]) -> None:
        """Start a piece of work."""
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._finish)

    async def results(self) -> AsyncGenerator[list[T], None]:
        """Yields together what was done at the same time, until nothing runs any more.

        The first exception ends it, and the rest of the work is cancelled.
        """
        done: list[asyncio.Task[T]] = []
        try:
            while self._running or self._done:
                await self._some.wait()
                self._some.clear()
                done, self._done = self._done, []
                yield [task.result() for task in done]
        finally:
            for task in self._running:
                task.cancel()
            # Those too that failed together with the first: asyncio would report them as lost.
            await asyncio.gather(*self._running, *self._done, *done, return_exceptions=True)

    def _finish(self, task: "asyncio.Task[T]") -> None:
        self._running.discard(task)
        self._done.append(task)
        self._some.set()
