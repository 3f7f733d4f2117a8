"""The records of several partitions in the order of time."""

from collections.abc import Sequence

from aiokafka import AIOKafkaProducer, TopicPartition

from streamer.dev.kafka import Kafka
from streamer.services.table.merged import merged
from streamer.stream.clients import Clients
from streamer.stream.connection import Connection
from streamer.stream.reading import Part
from streamer.stream.topics import TopicSpec, create_topics
from tests.conftest import unique_topic

BEGAN = 1_700_000_000_000


async def written(kafka: Kafka, times: Sequence[Sequence[int]]) -> str:
    """A topic with a partition for each of `times`, which are those of its records."""
    topic = unique_topic("merged")
    await create_topics(kafka.bootstrap, [TopicSpec(topic, len(times))])
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap) as producer:
        for number, some in enumerate(times):
            for at in some:
                value, when = b"%d" % at, BEGAN + at
                await producer.send_and_wait(topic, value, partition=number, timestamp_ms=when)
    return topic


async def read(kafka: Kafka, topic: str, *bounds: tuple[int, int]) -> list[int]:
    parts = [Part(TopicPartition(topic, n), *bound) for n, bound in enumerate(bounds)]
    clients = Clients(Connection(kafka.bootstrap))
    return [int(record.value or b"") async for record in merged(clients, parts)]


async def test_the_earliest_of_all_partitions_comes_first(kafka: Kafka) -> None:
    topic = await written(kafka, [[1, 4, 5, 9], [], [2, 3, 7], [6]])
    assert await read(kafka, topic, (0, 4), (0, 0), (0, 3), (0, 1)) == [1, 2, 3, 4, 5, 6, 7, 9]


async def test_the_order_within_a_partition_stands_whatever_its_times_say(kafka: Kafka) -> None:
    topic = await written(kafka, [[8, 1, 2], [3, 9]])
    found = await read(kafka, topic, (0, 3), (0, 2))
    assert found == [3, 8, 1, 2, 9]


async def test_what_lies_outside_the_parts_is_left(kafka: Kafka) -> None:
    topic = await written(kafka, [[1, 3, 5, 7], [2, 4, 6]])
    assert await read(kafka, topic, (1, 3), (0, 2)) == [2, 3, 4, 5]
