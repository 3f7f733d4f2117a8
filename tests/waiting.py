"""Waiting for what other processes do, up to half a minute."""

import asyncio
import time
from collections.abc import Callable


def eventually(holds: Callable[[], bool]) -> bool:
    for _ in range(600):
        if holds():
            return True
        time.sleep(0.05)
    return False


async def soon(holds: Callable[[], bool]) -> bool:
    """The same for tests that share the event loop with what they wait for."""
    for _ in range(3000):
        if holds():
            return True
        await asyncio.sleep(0.01)
    return False
