"""A cancellation that comes while a client stops is not lost in it."""

import asyncio
from contextlib import suppress

import pytest

from streamer.dev.kafka import Kafka
from streamer.stopping import stopped
from streamer.stream.clients import Clients
from streamer.stream.connection import Connection


class Swallowing:
    """Stops as aiokafka does: a task of its own is cancelled, and waited for."""

    def __init__(self) -> None:
        self.ended = False
        self.begun = asyncio.Event()

    async def stop(self) -> None:
        self.begun.set()
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(0.05)
        await asyncio.sleep(0.05)
        self.ended = True


async def test_it_is_cancelled_once_the_client_has_stopped() -> None:
    client = Swallowing()
    stopping = asyncio.create_task(stopped(client.stop))
    await client.begun.wait()
    stopping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stopping
    assert client.ended


async def test_what_stopping_raises_is_raised() -> None:
    async def stop() -> None:
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        await stopped(stop)


async def test_who_is_cancelled_while_its_kafka_client_stops_does_not_go_on(kafka: Kafka) -> None:
    clients, went_on = Clients(Connection(kafka.bootstrap)), False

    async def work() -> None:
        nonlocal went_on
        async with clients.admin():
            leaving.set()
        went_on = True

    for ticks in range(12):
        leaving = asyncio.Event()
        task = asyncio.create_task(work())
        await leaving.wait()
        for _ in range(ticks):
            await asyncio.sleep(0)
        ended = task.done()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert ended or not went_on, f"cancelled after {ticks} rounds of the loop"
        went_on = False
