"""Who gets in beside whom."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest

from streamer.stream.isolation.shared_exclusive_lock import SharedExclusiveLock

Way = Callable[[], AbstractAsyncContextManager[None]]


class Visit:
    """Somebody who goes in, and stays until told to leave."""

    def __init__(self, way: Way, error: Exception | None = None) -> None:
        self.inside = False
        self._error = error
        self._leave = asyncio.Event()
        self.task = asyncio.create_task(self._visit(way))

    async def _visit(self, way: Way) -> None:
        async with way():
            self.inside = True
            await self._leave.wait()
            self.inside = False
            if self._error is not None:
                raise self._error

    def leave(self) -> None:
        self._leave.set()


async def settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_one_goes_alone_and_before_those_who_come_later() -> None:
    shared_lock = SharedExclusiveLock()
    first = Visit(shared_lock.together)
    beside = Visit(shared_lock.together)
    await settled()
    alone = Visit(shared_lock.alone)
    await settled()
    later = Visit(shared_lock.together)
    await settled()
    assert (first.inside, beside.inside, alone.inside, later.inside) == (True, True, False, False)
    first.leave()
    beside.leave()
    await settled()
    assert (alone.inside, later.inside) == (True, False)
    alone.leave()
    await settled()
    assert later.inside
    later.leave()
    await later.task


async def test_who_gave_up_waiting_to_go_alone_holds_up_nobody() -> None:
    shared_lock = SharedExclusiveLock()
    first = Visit(shared_lock.together)
    await settled()
    alone = Visit(shared_lock.alone)
    await settled()
    later = Visit(shared_lock.together)
    await settled()
    alone.task.cancel()
    await settled()
    assert later.inside
    first.leave()
    later.leave()
    await asyncio.gather(first.task, later.task)


@pytest.mark.parametrize("way", ["alone", "together"])
async def test_nobody_gets_in_after_a_failure(way: str) -> None:
    shared_lock = SharedExclusiveLock()
    failing = Visit(getattr(shared_lock, way), ValueError("out"))
    await settled()
    waiting = [Visit(shared_lock.alone)]
    await settled()
    waiting.append(Visit(shared_lock.together))
    failing.leave()
    with pytest.raises(ValueError, match="out"):
        await failing.task
    await settled()
    assert not any(visit.inside or visit.task.done() for visit in waiting)
    for visit in waiting:
        visit.task.cancel()


async def test_who_is_cancelled_inside_has_not_failed() -> None:
    shared_lock = SharedExclusiveLock()
    cancelled = Visit(shared_lock.alone)
    await settled()
    cancelled.task.cancel()
    await settled()
    later = Visit(shared_lock.together)
    await settled()
    assert later.inside
    later.leave()
    await later.task
