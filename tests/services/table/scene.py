"""A table's own topic in memory, and a table that reads it back."""

import asyncio
import time
from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any

from aiokafka import TopicPartition

from streamer.observe.metrics import Metrics
from streamer.services.table.handler import Desk, TableHandler
from streamer.services.table.kept import Kept
from streamer.services.table.own_topic import OwnTopic
from streamer.services.table.shelves import Shelves
from streamer.stream.dead_letters import DeadLetters, record_bytes
from streamer.stream.handler import Barrier, Emission
from streamer.stream.partitioner import partitions
from tests.services.table.histories import Raw

CURRENT, LABELS = "tickets.current", "tickets.labels"


def key_in(partition: int, first: int = 0) -> bytes:
    """The key of a ticket whose labels lie in this one of two partitions."""
    names = (b"T-%d/intent" % number for number in range(first, first + 100))
    return next(name for name in names if int(partitions([name], 2)[0]) == partition)


class Log:
    """The table's topic; it gives its last records back as `Kept` asks for them."""

    def __init__(self, count: int = 2) -> None:
        self.partitions: list[list[Raw]] = [[] for _ in range(count)]

    def append(self, record: Raw, partition: int) -> None:
        known = self.partitions[partition]
        known.append(replace(record, topic=CURRENT, partition=partition, offset=len(known)))

    def write(self, emission: Emission) -> None:
        at = int(time.time() * 1000)
        key = emission.key or b""
        made = Raw(emission.value, tuple(emission.headers), key, timestamp=at)
        self.append(made, int(partitions([made.key], len(self.partitions))[0]))

    def values(self, key: bytes) -> list[bytes | None]:
        return [one.value for part in self.partitions for one in part if one.key == key]

    async def record(self, place: TopicPartition, offset: int) -> Raw | None:
        found: list[Raw] = self.partitions[place.partition]
        return found[offset]


class Consumer:
    """The part of aiokafka's consumer that a table's own topic uses."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._at: dict[TopicPartition, int] = {}
        self.error: Exception | None = None
        self.labels_end = 2**40

    def partitions_for_topic(self, topic: str) -> set[int]:
        return set(range(len(self._log.partitions)))

    def assignment(self) -> set[TopicPartition]:
        return set(self._at)

    def assign(self, places: Iterable[TopicPartition]) -> None:
        self._at = dict.fromkeys(places, 0)

    def seek(self, place: TopicPartition, offset: int) -> None:
        self._at[place] = offset

    async def position(self, place: TopicPartition) -> int:
        return self._at[place]

    async def beginning_offsets(self, places: Sequence[TopicPartition]) -> dict[Any, int]:
        return dict.fromkeys(places, 0)

    async def end_offsets(self, places: Sequence[TopicPartition]) -> dict[Any, int]:
        if self.error is not None:
            raise self.error
        return {place: self._end(place) for place in places}

    def _end(self, place: TopicPartition) -> int:
        own = place.topic == CURRENT
        return len(self._log.partitions[place.partition]) if own else self.labels_end

    async def getmany(self, timeout_ms: int) -> dict[TopicPartition, list[Raw]]:
        await asyncio.sleep(0.001)
        found = {}
        for place, at in self._at.items():
            found[place] = self._log.partitions[place.partition][at:]
            self._at[place] = at + len(found[place])
        return found


class Publisher:
    """Writes to the log at once."""

    limit = 2**20

    def __init__(self, log: Log) -> None:
        self._log = log

    def fits(self, emission: Emission) -> bool:
        return record_bytes(emission) <= self.limit

    async def send(self, emissions: Sequence[Emission]) -> list[asyncio.Future[Any]]:
        for emission in emissions:
            self._log.write(emission)
        return []

    async def acknowledged(self, sent: Iterable[asyncio.Future[Any]]) -> None:
        await asyncio.gather(*sent)


class Table:
    """One process of the table, with the partitions `held`; `labels` has what it carried on."""

    def __init__(self, log: Log, me: bytes, held: Collection[int] = (0, 1)) -> None:
        self.log = log
        self.held = held
        self.moved = 0
        self.labels: list[bytes | None] = []
        self.dead: list[Emission] = []
        self.metrics = Metrics()
        self.shelves = Shelves()
        self.consumer = Consumer(log)
        self.own = OwnTopic(
            self.consumer,
            LABELS,
            CURRENT,
            me,
            self.shelves,
            60,
            lambda: self.held,
            lambda: self.moved,
        )
        kept = Kept(log, CURRENT)  # type: ignore[arg-type]  # its `record` is all that is used
        desk = Desk(
            labels=LABELS,
            current=CURRENT,
            me=me,
            shelves=self.shelves,
            own=self.own,
            kept=kept,
            stays=lambda word: True,
            keep_s=90 * 86_400,
        )
        publisher: Any = Publisher(log)
        self.handler = TableHandler(desk, publisher, DeadLetters("dead", 2**20), self.metrics)

    def move(self, held: Collection[int]) -> None:
        """Partitions are given out anew."""
        self.moved += 1
        self.held = held

    @asynccontextmanager
    async def following(self) -> AsyncIterator["Table"]:
        task = asyncio.create_task(self.own.run(self.handler.repair))
        try:
            yield self
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def hear(self, *batch: Raw, lose: int | None = None) -> list[Any]:
        """Handle a batch; the group number `lose` and what comes after it is not written."""
        groups = self.handler.handle(batch)
        found: list[Any] = []
        async for group in groups:
            if isinstance(group, Barrier):
                continue
            if len(found) == lose:
                break
            found.append(group)
            for item in group:
                if isinstance(item, Emission):
                    self._write(item)
        await groups.aclose()
        return found

    def _write(self, item: Emission) -> None:
        if item.topic == CURRENT:
            self.log.write(item)
        elif item.topic == LABELS:
            self.labels.append(item.value)
        else:
            self.dead.append(item)


async def quiet(log: Log) -> None:
    """Until nothing more is written."""
    async with asyncio.timeout(10):
        while True:
            before = [len(part) for part in log.partitions]
            await asyncio.sleep(0.05)
            if before == [len(part) for part in log.partitions]:
                return
