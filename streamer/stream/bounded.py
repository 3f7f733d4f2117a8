"""A consumer that stops at given offsets."""

from collections.abc import Mapping, Sequence
from typing import Any

from aiokafka import TopicPartition

from streamer.stream.handler import Record


class BoundedConsumer:
    """Hands out what lies before `ends`; all else it does as `consumer` does.

    A partition that is read through stays paused, so that what comes after is not fetched for
    nothing. One that `ends` doesn't name is not read.
    """

    def __init__(self, consumer: Any, ends: Mapping[TopicPartition, int]) -> None:
        self._consumer = consumer
        self._ends = ends
        self._through: set[TopicPartition] = set()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._consumer, name)

    def paused(self) -> set[TopicPartition]:
        """The paused partitions that there is more to read of."""
        return set(self._consumer.paused()) - self._through

    async def getmany(
        self, *, timeout_ms: int, max_records: int
    ) -> Mapping[TopicPartition, Sequence[Record]]:
        """See aiokafka."""
        batches = await self._consumer.getmany(timeout_ms=timeout_ms, max_records=max_records)
        # Pausing is forgotten at a rebalance: a partition that comes back is looked at again.
        self._through &= set(self._consumer.paused())
        kept = {}
        for partition, records in batches.items():
            end = self._ends.get(partition, 0)
            if records[-1].offset >= end - 1:
                self._through.add(partition)
                self._consumer.pause(partition)
            if before := [record for record in records if record.offset < end]:
                kept[partition] = before
        return kept
