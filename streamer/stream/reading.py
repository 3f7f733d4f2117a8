"""Reads parts of topics without a consumer group, each to its end and no further."""

import time
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from streamer.errors import BrokerError
from streamer.stream.clients import Clients
from streamer.stream.handler import Record
from streamer.stream.offset_reset import Start

PATIENCE_S = 60.0

Offsets = dict[TopicPartition, int]


@dataclass(frozen=True, slots=True)
class Part:
    """The records of one partition from `start` on and before `end`."""

    partition: TopicPartition
    start: int
    end: int

    @property
    def count(self) -> int:
        """How many records at most: a log may have gaps."""
        return max(self.end - self.start, 0)


class Reader:
    """Reads what is in some topics; what comes meanwhile is left. Make one by `Reader.of`."""

    def __init__(self, consumer: Any, counts: Mapping[str, int]) -> None:
        self._consumer = consumer
        self._counts = counts

    @classmethod
    @asynccontextmanager
    async def of(cls, clients: Clients, topics: Collection[str]) -> AsyncIterator["Reader"]:
        """A reader of these topics; raises `ConfigError` where Kafka or one of them is missing."""
        await clients.ensure_topics(topics)
        async with clients.admin() as admin:
            described = await admin.describe_topics(list(topics))
        counts = {topic["topic"]: len(topic["partitions"]) for topic in described}
        consumer = clients.follower()
        async with clients.started(consumer):
            reader = cls(consumer, counts)
            # The client asks about no topic that it isn't assigned; paused, it fetches nothing.
            everything = [partition for topic in topics for partition in reader.partitions(topic)]
            consumer.assign(everything)
            consumer.pause(*everything)
            yield reader

    def partitions(self, topic: str) -> list[TopicPartition]:
        """All partitions of a topic."""
        return [TopicPartition(topic, number) for number in range(self._counts[topic])]

    async def parts(self, partitions: Iterable[TopicPartition], since: Start) -> list[Part]:
        """What is there now of these partitions, from the first record on that is not older.

        Times need not be in order: behind that there may be older ones. Raises `BrokerError` where
        Kafka doesn't say.
        """
        try:
            return await self._parts(list(partitions), since)
        except KafkaError as error:
            raise BrokerError(f"Kafka doesn't say what it has ({error!r}): look at it") from error

    async def _parts(self, wanted: Sequence[TopicPartition], since: Start) -> list[Part]:
        ends: Offsets = await self._consumer.end_offsets(wanted)
        if since == "latest":
            starts = ends
        elif since == "earliest":
            starts = await self._consumer.beginning_offsets(wanted)
        else:
            starts = await self._at(since, ends)
        return [Part(partition, starts[partition], ends[partition]) for partition in wanted]

    async def record(self, partition: TopicPartition, offset: int) -> Record | None:
        """The record at this offset; None where Kafka doesn't have it, or not any more."""
        if not 0 <= partition.partition < self._counts.get(partition.topic, 0):
            return None
        first = (await self._consumer.beginning_offsets([partition]))[partition]
        end = (await self._consumer.end_offsets([partition]))[partition]
        if not first <= offset < end:
            return None
        records = [
            record
            async for batch in self.batches([Part(partition, offset, offset + 1)])
            for record in batch
        ]
        return records[0] if records else None

    async def batches(self, parts: Iterable[Part]) -> AsyncIterator[list[Record]]:
        """The records of the parts, those of one partition in their order.

        Raises `BrokerError` where Kafka stops answering.
        """
        left = {part.partition: part for part in parts if part.count}
        if not left:
            return
        self._consumer.assign(list(left))
        for partition, part in left.items():
            self._consumer.seek(partition, part.start)
        heard = time.monotonic()
        while left:
            batches = await self._consumer.getmany(*left, timeout_ms=1000)
            for partition, records in batches.items():
                yield _before(records, left[partition].end)
            if batches:
                heard = time.monotonic()
            elif time.monotonic() - heard > PATIENCE_S:
                raise BrokerError(f"Kafka sent nothing for {PATIENCE_S:g} s: look at the brokers")
            for partition, part in list(left.items()):
                if await self._consumer.position(partition) >= part.end:
                    del left[partition]
                    # Or the broker waits for more of it before it answers about the others.
                    self._consumer.pause(partition)

    async def _at(self, moment: datetime, ends: Offsets) -> Offsets:
        """The first offsets at or after a time; a partition's end where all is older."""
        # Kafka knows no time before 1970, and refuses to be asked about one.
        asked = dict.fromkeys(ends, max(int(moment.timestamp() * 1000), 0))
        offsets = await self._consumer.offsets_for_times(asked)
        return {
            partition: end if offsets[partition] is None else min(offsets[partition].offset, end)
            for partition, end in ends.items()
        }


def _before(records: Sequence[Record], end: int) -> list[Record]:
    return [record for record in records if record.offset < end]
