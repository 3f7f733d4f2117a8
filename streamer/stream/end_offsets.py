"""How far the partitions of a member reach, whether or not it reads them at the moment."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Protocol

from aiokafka import TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError

log = logging.getLogger(__name__)

EVERY = 2.0
WITHIN = 10.0


class Consumer(Protocol):
    """The part of aiokafka's consumer that is used."""

    async def end_offsets(
        self, partitions: Iterable[TopicPartition]
    ) -> dict[TopicPartition, int]: ...
    async def position(self, partition: TopicPartition) -> int: ...
    def assignment(self) -> frozenset[TopicPartition]: ...
    def highwater(self, partition: TopicPartition) -> int | None: ...


class EndOffsets:
    """The ends of the assigned partitions, asked every two seconds.

    What the client itself knows comes with fetched records: nothing of a partition before its
    first, and nothing new while a full buffer pauses it, which is when its lag grows.
    """

    def __init__(self, consumer: Consumer) -> None:
        self._consumer = consumer
        self._known: dict[TopicPartition, tuple[int, int]] = {}

    def lags(self, unfinished: Mapping[TopicPartition, int]) -> dict[int, int]:
        """By partition, how many records are not finished.

        `unfinished` has the lowest unfinished offset of each partition that was read from; of the
        others the position counts where reading will begin.
        """
        return {
            partition.partition: lag
            for partition in self._consumer.assignment()
            if (lag := self._lag(partition, unfinished.get(partition))) is not None
        }

    def _lag(self, partition: TopicPartition, position: int | None) -> int | None:
        begin, end = self._known.get(partition, (None, None))
        ends = [
            offset for offset in (end, self._consumer.highwater(partition)) if offset is not None
        ]
        position = begin if position is None else position
        return max(max(ends) - position, 0) if ends and position is not None else None

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Ask meanwhile. What Kafka does not answer stays as it was: no work waits for this."""
        watch = asyncio.create_task(self._regularly())
        try:
            yield
        finally:
            watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watch

    async def look(self) -> None:
        """Ask now, of what is assigned now; raises `KafkaError`."""
        partitions = self._consumer.assignment()
        ends = await self._consumer.end_offsets(partitions) if partitions else {}
        self._known = {
            partition: (await self._consumer.position(partition), end)
            for partition, end in ends.items()
        }

    async def _regularly(self) -> None:
        while True:
            try:
                async with asyncio.timeout(WITHIN):
                    await self.look()
            except (KafkaError, IllegalStateError, TimeoutError) as error:
                log.debug("the partitions' ends are not known: %r", error)
            await asyncio.sleep(EVERY)
