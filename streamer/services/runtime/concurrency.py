"""Several pieces of work in one process."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine, Iterable, Sequence
from typing import Any, Generic, TypeVar

T = TypeVar("T")


async def merge(sources: Sequence[AsyncIterator[T]]) -> AsyncIterator[T]:
    """Items of all sources as they come; all run at the same time.

    The first exception of any source ends it, and the others are cancelled.
    """
    if len(sources) == 1:
        async for item in sources[0]:
            yield item
        return
    steps = {asyncio.ensure_future(_next(source)): source for source in sources}
    try:
        while steps:
            done, _ = await asyncio.wait(steps, return_when=asyncio.FIRST_COMPLETED)
            for step in done:
                source = steps.pop(step)
                for item in step.result():
                    steps[asyncio.ensure_future(_next(source))] = source
                    yield item
    finally:
        for step in steps:
            step.cancel()
        await asyncio.gather(*steps, return_exceptions=True)


async def _next(source: AsyncIterator[T]) -> list[T]:
    """The next item, or nothing at the end: StopAsyncIteration can't leave a task."""
    return [item async for item in _first(source)]


async def _first(source: AsyncIterator[T]) -> AsyncIterator[T]:
    try:
        yield await anext(source)
    except StopAsyncIteration:
        return


class AsCompleted(Generic[T]):
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


Work = Coroutine[Any, Any, None]


async def first(*work: Work) -> None:
    """The end of whichever ends first, raising what it raised; the others are cancelled."""
    await _until(asyncio.FIRST_COMPLETED, work)


async def together(*work: Work) -> None:
    """The end of all; where one fails, the others are cancelled and its error is raised."""
    await _until(asyncio.FIRST_EXCEPTION, work)


async def _until(when: str, work: Iterable[Work]) -> None:
    tasks = [asyncio.create_task(item) for item in work]
    try:
        done, _ = await asyncio.wait(tasks, return_when=when)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()
