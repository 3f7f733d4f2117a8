"""A Kafka in memory, and a consumer that treats it as aiokafka's does, as far as clients go."""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import (
    IllegalOperation,
    IllegalStateError,
    KafkaConnectionError,
    KafkaError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
)

from streamer.records.label import Label

LABELS = "tickets.labels"


class Broker:
    """Topics with their records, and the offsets that groups have committed, oldest first."""

    def __init__(self, topic: str = LABELS, partitions: int = 1) -> None:
        self.records: dict[TopicPartition, list[Any]] = {
            TopicPartition(topic, number): [] for number in range(partitions)
        }
        self.oldest: dict[TopicPartition, int] = defaultdict(int)
        self.commits: list[dict[TopicPartition, int]] = []
        self.came = asyncio.Event()
        self.reachable = True
        self.topic = topic

    def put(self, *labels: Label | bytes | None, partition: int = 0, **fields: Any) -> None:
        """Append records: labels under their own keys, the rest under that of the ticket a/b."""
        log = self.records[TopicPartition(self.topic, partition)]
        for label in labels:
            own = isinstance(label, Label)
            given: dict[str, Any] = {
                "topic": self.topic,
                "partition": partition,
                "offset": len(log),
                "key": label.key if own else b"a/b/topic",
                "value": label.to_json() if own else label,
                "timestamp": 1000 * len(log),
                "headers": (),
            }
            log.append(SimpleNamespace(**{**given, **fields}))
            self.came.set()

    @property
    def committed(self) -> dict[TopicPartition, int]:
        return {place: offset for commit in self.commits for place, offset in commit.items()}


class Consumer:
    """One consumer; `options` are those of `AIOKafkaConsumer`."""

    def __init__(self, broker: Broker, **options: Any) -> None:
        self.options = options
        self.running = False
        self.failures: list[BaseException] = []
        self.waits: list[int] = []
        self.listener: Any = None
        self._broker = broker
        self._positions: dict[TopicPartition, int] = {}
        self._assigned: frozenset[TopicPartition] = frozenset()

    async def start(self) -> None:
        if not self._broker.reachable:
            raise KafkaConnectionError
        self.running = True

    async def stop(self) -> None:
        self.running = False

    async def topics(self) -> set[str]:
        return {place.topic for place in self._broker.records}

    def partitions_for_topic(self, topic: str) -> set[int]:
        return {place.partition for place in self._broker.records if place.topic == topic}

    def subscribe(self, topics: Collection[str], listener: Any = None) -> None:
        self.listener = listener
        asyncio.get_running_loop().call_later(0.05, self.assign, topics)

    def assign(self, topics: Collection[str]) -> None:
        """What the group's coordinator does a little after the subscription."""
        self._assigned = frozenset(p for p in self._broker.records if p.topic in topics)
        self._broker.came.set()

    def unassign(self) -> None:
        """The partitions go to another member."""
        self._assigned, self._positions = frozenset(), {}

    def assignment(self) -> frozenset[TopicPartition]:
        return self._assigned

    async def position(self, place: TopicPartition) -> int:
        if place not in self._positions:
            self._positions[place] = await self._first(place)
        return self._positions[place]

    def seek(self, place: TopicPartition, offset: int) -> None:
        if place not in self._assigned:
            raise IllegalStateError
        self._positions[place] = offset

    async def getone(self) -> Any:
        while not (found := await self.getmany(timeout_ms=1000, max_records=1)):
            pass
        return next(iter(found.values()))[0]

    async def getmany(
        self, timeout_ms: int, max_records: int | None = None
    ) -> Mapping[TopicPartition, list[Any]]:
        self.waits.append(timeout_ms)
        if not (found := await self._fetch(max_records)):
            self._broker.came.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._broker.came.wait(), timeout_ms / 1000)
            found = await self._fetch(max_records)
        return found

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        await asyncio.sleep(0)
        if self.failures:
            raise self.failures.pop(0)
        if self.options.get("group_id") is None:
            raise IllegalOperation
        self._broker.commits.append(dict(offsets))

    async def beginning_offsets(self, places: Iterable[TopicPartition]) -> dict[Any, int]:
        return {place: self._broker.oldest[place] for place in places}

    async def end_offsets(self, places: Iterable[TopicPartition]) -> dict[Any, int]:
        return {place: len(self._broker.records[place]) for place in places}

    async def offsets_for_times(self, times: Mapping[TopicPartition, int]) -> dict[Any, Any]:
        def first(place: TopicPartition, moment: int) -> Any:
            log = self._broker.records[place][self._broker.oldest[place] :]
            return next((record for record in log if record.timestamp >= moment), None)

        return {place: first(place, moment) for place, moment in times.items()}

    async def _first(self, place: TopicPartition) -> int:
        if self.options.get("group_id") is not None and place in self._broker.committed:
            return self._broker.committed[place]
        match self.options.get("auto_offset_reset", "latest"):
            case "earliest":
                return self._broker.oldest[place]
            case "latest":
                return len(self._broker.records[place])
            case "none":
                raise NoOffsetForPartitionError(place)
        raise KafkaError("no such policy")

    async def _fetch(self, at_most: int | None) -> dict[TopicPartition, list[Any]]:
        for place in sorted(self._assigned):
            at = await self.position(place)
            if at < self._broker.oldest[place]:
                raise OffsetOutOfRangeError({place: at})
        found = {}
        for place in sorted(self._assigned):
            if records := self._broker.records[place][self._positions[place] :][:at_most]:
                found[place] = records
                self._positions[place] = records[-1].offset + 1
        return found
