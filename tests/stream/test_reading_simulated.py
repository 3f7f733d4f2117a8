"""Parts of a log with gaps, read by a consumer that sends a few records at a time."""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaConnectionError

from streamer.errors import BrokerError
from streamer.stream import clients
from streamer.stream import reading as module
from streamer.stream.clients import Clients
from streamer.stream.connection import Connection
from streamer.stream.offset_reset import Start
from streamer.stream.reading import Part, Reader
from tests.stream.simulated import TOPIC, SimRecord

ONE, OTHER = TopicPartition(TOPIC, 0), TopicPartition(TOPIC, 1)
# Gaps, as compaction and transactions leave them; the last offset of OTHER is a marker.
LOG = {ONE: [3, 4, 7, 8], OTHER: [0, 1]}
ENDS = {ONE: 9, OTHER: 3}


class Consumer:
    """At most two records at a time; times are as many seconds as offsets."""

    def __init__(self) -> None:
        self.positions: dict[TopicPartition, int] = {}
        self.paused: list[TopicPartition] = []
        self.failure: Exception | None = None
        self.silent = self.running = False
        self.waited_ms: list[int] = []

    async def beginning_offsets(self, places: Iterable[TopicPartition]) -> dict[Any, int]:
        return {place: LOG[place][0] for place in places}

    async def end_offsets(self, places: Iterable[TopicPartition]) -> dict[Any, int]:
        if self.failure is not None:
            raise self.failure
        return {place: ENDS[place] for place in places}

    async def offsets_for_times(self, times: Mapping[TopicPartition, int]) -> dict[Any, Any]:
        assert min(times.values()) >= 0, "Kafka refuses such a time"
        return {
            place: next((SimRecord(0, o) for o in LOG[place] if o * 1000 >= moment), None)
            for place, moment in times.items()
        }

    def assign(self, places: Iterable[TopicPartition]) -> None:
        self.positions = dict.fromkeys(places, -1)
        self.paused.clear()

    def seek(self, place: TopicPartition, offset: int) -> None:
        self.positions[place] = offset

    def pause(self, *places: TopicPartition) -> None:
        self.paused.extend(places)

    async def position(self, place: TopicPartition) -> int:
        return self.positions[place]

    async def getmany(
        self, *places: TopicPartition, timeout_ms: int
    ) -> dict[TopicPartition, list[SimRecord]]:
        self.waited_ms.append(timeout_ms)
        assert not set(places) & set(self.paused), "what is at its end is asked for no more"
        found = {}
        for place in places if not self.silent else ():
            left = [offset for offset in LOG[place] if offset >= self.positions[place]]
            if left:
                found[place] = [SimRecord(place.partition, offset) for offset in left[:2]]
            self.positions[place] = left[1] + 1 if len(left) > 2 else ENDS[place]
        return found


@pytest.fixture
def consumer() -> Consumer:
    return Consumer()


@pytest.fixture
def reader(consumer: Consumer) -> Reader:
    return Reader(consumer, {TOPIC: 2})


async def offsets(reader: Reader, parts: list[Part]) -> list[tuple[int, int]]:
    return [(r.partition, r.offset) async for batch in reader.batches(parts) for r in batch]


@pytest.mark.parametrize(
    ("since", "starts"),
    [
        ("earliest", (3, 0)),
        ("latest", (9, 3)),
        (datetime.fromtimestamp(1, UTC), (3, 1)),
        (datetime.fromtimestamp(4.5, UTC), (7, 3)),
        (datetime.fromtimestamp(99, UTC), (9, 3)),
        (datetime(1960, 1, 1, tzinfo=UTC), (3, 0)),
    ],
)
async def test_a_part_begins_at_a_word_or_a_time_and_ends_with_what_is_there(
    reader: Reader, since: Start, starts: tuple[int, int]
) -> None:
    parts = await reader.parts(reader.partitions(TOPIC), since)
    assert parts == [Part(ONE, starts[0], 9), Part(OTHER, starts[1], 3)]
    assert [part.count for part in parts] == [9 - starts[0], 3 - starts[1]]


async def test_parts_are_read_to_their_ends_and_no_further(
    reader: Reader, consumer: Consumer
) -> None:
    found = await offsets(reader, [Part(ONE, 4, 8), Part(OTHER, 0, 3)])
    assert sorted(found) == [(0, 4), (0, 7), (1, 0), (1, 1)]
    assert set(consumer.paused) == {ONE, OTHER}


async def test_a_part_of_nothing_is_not_asked_about(reader: Reader, consumer: Consumer) -> None:
    assert Part(ONE, 9, 3).count == 0
    assert await offsets(reader, [Part(ONE, 9, 9), Part(ONE, 9, 3)]) == []
    assert consumer.positions == {}


async def test_one_record_is_found_where_it_is(reader: Reader) -> None:
    found = [await reader.record(ONE, offset) for offset in (2, 3, 5, 8, 9)]
    assert [None if one is None else one.offset for one in found] == [None, 3, None, 8, None]
    assert await reader.record(TopicPartition(TOPIC, 2), 0) is None
    assert await reader.record(TopicPartition("another", 0), 0) is None


async def test_a_kafka_that_does_not_say_what_it_has_is_told(
    reader: Reader, consumer: Consumer
) -> None:
    consumer.failure = KafkaConnectionError()
    with pytest.raises(BrokerError, match="doesn't say what it has"):
        await reader.parts([ONE], "earliest")


async def test_a_kafka_that_stops_answering_is_told(
    reader: Reader, consumer: Consumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = iter(range(0, 10_000, 40))
    monkeypatch.setattr(module.time, "monotonic", lambda: next(seconds))
    consumer.silent = True
    with pytest.raises(BrokerError, match="sent nothing for 60 s"):
        await offsets(reader, [Part(ONE, 3, 9)])
    assert next(seconds) == 120


class Known(Clients):
    """Clients of a Kafka that has the topic, with the consumer started and stopped aloud."""

    async def ensure_topics(self, topics: Iterable[str]) -> None:
        assert list(topics) == [TOPIC]

    @asynccontextmanager
    async def admin(self) -> AsyncIterator[Any]:
        yield self

    async def describe_topics(self, topics: list[str]) -> list[dict[str, Any]]:
        return [{"topic": topic, "partitions": [{}, {}]} for topic in topics]

    @asynccontextmanager
    async def started(self, client: Any) -> AsyncIterator[Any]:
        client.running = True
        yield client
        client.running = False


async def test_a_reader_is_assigned_everything_and_fetches_nothing_before_it_is_asked(
    consumer: Consumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: dict[str, Any] = {}
    monkeypatch.setattr(clients, "AIOKafkaConsumer", lambda **told: given.update(told) or consumer)
    async with Reader.of(Known(Connection("kafka:9092")), [TOPIC]) as reader:
        assert consumer.running
        assert list(consumer.positions) == consumer.paused == [ONE, OTHER]
        assert reader.partitions(TOPIC) == [ONE, OTHER]
    assert not consumer.running
    assert given["bootstrap_servers"] == "kafka:9092"
    assert given["group_id"] is None
    assert given["enable_auto_commit"] is False
    assert (given["auto_offset_reset"], given["isolation_level"]) == ("earliest", "read_committed")
    assert given["max_partition_fetch_bytes"] == clients.FOLLOWED_BYTES


async def test_a_part_is_left_alone_at_its_end_while_others_are_read(
    reader: Reader, consumer: Consumer
) -> None:
    found = await offsets(reader, [Part(ONE, 3, 9), Part(OTHER, 0, 2)])
    assert sorted(found) == [(0, 3), (0, 4), (0, 7), (0, 8), (1, 0), (1, 1)]
    assert consumer.paused == [OTHER, ONE]
    # Long enough to be no busy loop, short enough to tell silence from a slow broker.
    assert set(consumer.waited_ms) == {1000}


async def test_as_long_as_kafka_sends_something_now_and_then_it_is_read(
    reader: Reader, consumer: Consumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Sixty seconds since the last that came are borne, however long it takes in all.
    seconds = iter([0, 100, 160, 161])
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: next(seconds)))
    getmany, silences = consumer.getmany, iter([False, True, False])

    async def now_and_then(*places: TopicPartition, timeout_ms: int) -> dict[Any, Any]:
        return {} if next(silences) else await getmany(*places, timeout_ms=timeout_ms)

    monkeypatch.setattr(consumer, "getmany", now_and_then)
    assert await offsets(reader, [Part(ONE, 3, 9)]) == [(0, 3), (0, 4), (0, 7), (0, 8)]
