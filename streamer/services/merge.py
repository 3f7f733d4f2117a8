"""Several async generators as one."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import TypeVar

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
