"""Tells the monitor, once a second, what this process did."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiokafka.errors import KafkaError

from streamer.observe.summaries import Summaries

log = logging.getLogger(__name__)

EVERY = 1.0
GIVE_UP_AFTER = 5.0


@dataclass(frozen=True, slots=True)
class Stats:
    """Where summaries go. What can't be sent is dropped: no ticket waits for a statistic, and the
    monitor sees by the sequence numbers that something is missing.
    """

    topic: str
    summaries: Summaries

    @asynccontextmanager
    async def published(self, producer: Any) -> AsyncIterator[None]:
        """Publish meanwhile, and what is left at the end."""
        ending = asyncio.Event()
        lane = asyncio.create_task(self._regularly(producer, ending))
        try:
            yield
        finally:
            # Not cancelled: what it has taken from the sums by then would be in no summary.
            ending.set()
            await lane

    async def _regularly(self, producer: Any, ending: asyncio.Event) -> None:
        while not ending.is_set():
            try:
                async with asyncio.timeout(EVERY):
                    await ending.wait()
            except TimeoutError:
                await self._publish(producer)
        await self._publish(producer)

    async def _publish(self, producer: Any) -> None:
        try:
            async with asyncio.timeout(GIVE_UP_AFTER):
                for summary in self.summaries.look():
                    await producer.send(self.topic, summary.to_json(), key=summary.key)
        except (KafkaError, TimeoutError) as error:
            log.warning("the monitor misses a second of this process: %r", error)
