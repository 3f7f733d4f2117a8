from datetime import UTC, datetime

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from streamer.dev.kafka import Kafka
from streamer.errors import ConfigError
from streamer.stream.clients import Clients
from streamer.stream.connection import Connection
from streamer.stream.offset_reset import Start
from streamer.stream.reading import Part, Reader
from streamer.stream.topics import TopicSpec, create_topics
from tests.conftest import unique_topic

BEGAN = 1_700_000_000_000


def clients(kafka: Kafka) -> Clients:
    return Clients(Connection(kafka.bootstrap))


def moment(second: float) -> datetime:
    return datetime.fromtimestamp(BEGAN / 1000 + second, UTC)


async def filled(kafka: Kafka, count: int, **producer: object) -> str:
    """A topic of two partitions with `count` records in each, one per second."""
    topic = unique_topic("reading")
    await create_topics(kafka.bootstrap, [TopicSpec(topic, 2)])
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, **producer) as sender:
        for number in range(count):
            for partition in range(2):
                value = f"{partition}/{number}".encode()
                at = BEGAN + number * 1000
                if producer:
                    async with sender.transaction():
                        await sender.send(topic, value, partition=partition, timestamp_ms=at)
                else:
                    await sender.send(topic, value, partition=partition, timestamp_ms=at)
    return topic


async def values(reader: Reader, parts: list[Part]) -> list[str]:
    found = [r.value.decode() async for batch in reader.batches(parts) for r in batch if r.value]
    return sorted(found)


@pytest.mark.parametrize(
    ("since", "numbers"),
    [
        ("earliest", [0, 1, 2, 3]),
        ("latest", []),
        (moment(0.5), [1, 2, 3]),
        (moment(1), [1, 2, 3]),
        (moment(9), []),
        (datetime(1960, 1, 1, tzinfo=UTC), [0, 1, 2, 3]),
    ],
)
async def test_reads_what_lies_behind_a_time(
    kafka: Kafka, since: Start, numbers: list[int]
) -> None:
    topic = await filled(kafka, 4)
    async with Reader.of(clients(kafka), [topic]) as reader:
        parts = await reader.parts(reader.partitions(topic), since)
        assert [part.count for part in parts] == [len(numbers)] * 2
        assert await values(reader, parts) == [f"{p}/{n}" for p in range(2) for n in numbers]
        # As often as one likes.
        assert len(await values(reader, parts[:1])) == len(numbers)


async def test_ends_behind_the_markers_of_transactions(kafka: Kafka) -> None:
    topic = await filled(kafka, 2, transactional_id=unique_topic("id"))
    async with Reader.of(clients(kafka), [topic]) as reader:
        parts = await reader.parts(reader.partitions(topic), "earliest")
        assert [part.count for part in parts] == [4, 4]
        assert await values(reader, parts) == ["0/0", "0/1", "1/0", "1/1"]


async def test_one_record_where_it_is_still_there(kafka: Kafka) -> None:
    topic = await filled(kafka, 4)
    place = TopicPartition(topic, 1)
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    await admin.start()
    try:
        await admin.delete_records({place: RecordsToDelete(before_offset=2)})
    finally:
        await admin.close()
    async with Reader.of(clients(kafka), [topic]) as reader:
        found = await reader.record(place, 2)
        assert found is not None
        assert (found.value, found.timestamp) == (b"1/2", BEGAN + 2000)
        for gone in (0, 1, 4, 99):
            assert await reader.record(place, gone) is None
        assert await reader.record(TopicPartition(topic, 7), 0) is None
        assert await reader.record(TopicPartition("another", 0), 0) is None


async def test_a_missing_topic_is_said(kafka: Kafka) -> None:
    with pytest.raises(ConfigError, match="no topic nowhere"):
        async with Reader.of(clients(kafka), ["nowhere"]):
            pass
