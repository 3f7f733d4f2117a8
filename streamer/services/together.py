"""Several pieces of work in one process."""

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any

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
