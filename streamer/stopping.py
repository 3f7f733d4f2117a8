"""Stops a client of aiokafka's."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any


async def stopped(stop: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run `stop` to its end, and be cancelled only then.

    aiokafka takes a cancellation that reaches it while it stops for that of a task of its own: who
    was cancelled would go on as if nobody had asked it to end.
    """
    stopping = asyncio.create_task(stop())
    try:
        await asyncio.shield(stopping)
    except asyncio.CancelledError:
        await asyncio.gather(stopping, return_exceptions=True)
        raise
