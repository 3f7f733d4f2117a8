"""Results as they are done, and an end that loses nothing."""

import asyncio
import gc
from typing import Any

import pytest

from streamer.services.runtime.concurrency import AsCompleted


async def after(gate: asyncio.Event, result: int) -> int:
    await gate.wait()
    if result < 0:
        raise ValueError(result)
    return result


async def test_what_is_done_together_comes_together_and_waits_for_nothing_else() -> None:
    early, late = asyncio.Event(), asyncio.Event()
    work: AsCompleted[int] = AsCompleted()
    for number in range(4):
        work.add(after(early if number % 2 else late, number))
    results = work.results()
    early.set()
    assert sorted(await anext(results)) == [1, 3]
    work.add(after(early, 5))
    assert await anext(results) == [5]
    late.set()
    assert sorted(await anext(results)) == [0, 2]
    assert [some async for some in results] == []


async def test_the_first_failure_ends_all_and_the_others_are_not_reported_as_lost() -> None:
    lost: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: lost.append(context))
    gate, never = asyncio.Event(), asyncio.Event()
    work: AsCompleted[int] = AsCompleted()
    for number in (-1, -2, -3):
        work.add(after(gate, number))
    work.add(after(never, 4))
    gate.set()
    with pytest.raises(ValueError, match="-1"):
        _ = [some async for some in work.results()]
    del work
    gc.collect()
    await asyncio.sleep(0)
    assert lost == []
    assert len(asyncio.all_tasks()) == 1
