"""A server that tests break, on an event loop of its own: for clients in other processes."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

from tests.judging.endpoint.served import Served


@contextmanager
def threaded(served: Served, port: int = 0) -> Iterator[Served]:
    """It answers while the block runs; at `port`, where one is given."""
    loop, up, ends = asyncio.new_event_loop(), Event(), asyncio.Event()

    async def run() -> None:
        async with served.running(port=port):
            up.set()
            await ends.wait()

    thread = Thread(target=loop.run_until_complete, args=(run(),))
    thread.start()
    assert up.wait(30)
    try:
        yield served
    finally:
        loop.call_soon_threadsafe(ends.set)
        thread.join()
        loop.close()
