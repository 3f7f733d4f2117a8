"""The table between its topics on a real Kafka: what is written, and what stands."""

import asyncio
from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from streamer.client.record import LabelRecord
from streamer.client.table import LabelTable
from streamer.records.rank import Rank
from streamer.services.table.said import word
from streamer.stream.topics import TopicSpec, create_topics
from tests.accounting import lag
from tests.services.table.histories import Raw, label
from tests.services.table.reader_of_version_1 import ReaderOfVersion1
from tests.stage import Stage, until

TASK = "intent"
COMPACTED = {
    "cleanup.policy": "compact",
    "segment.ms": "500",
    "min.cleanable.dirty.ratio": "0.01",
    "min.compaction.lag.ms": "3000",
    "delete.retention.ms": "600000",
}
"""So that compaction really takes place while a test looks on."""

CLEANING = {"log.cleaner.backoff.ms": "300", "log.retention.check.interval.ms": "1000"}

Told = dict[str, tuple[Rank, bytes]]
"""By key, what stands there: a label and its copy at the same place say the same."""


async def make_topics(stage: Stage, partitions: int) -> None:
    """The topics of a table; the labels are kept whole, so that version 1's rule can be asked."""
    names = [TopicSpec(name, partitions) for name in stage.topics.names]
    current = stage.topics.current
    specs = [
        TopicSpec(one.name, partitions, COMPACTED if one.name == current else {}) for one in names
    ]
    await create_topics(stage.bootstrap, specs)


async def play(stage: Stage, histories: dict[str, Iterator[Raw]], rate: float | None = None) -> int:
    """Write each ticket's history, one record of each after the other; returns how many."""
    written = 0
    async with AIOKafkaProducer(bootstrap_servers=stage.bootstrap, linger_ms=2) as producer:
        while histories:
            for name in list(histories):
                if (found := next(histories[name], None)) is None:
                    del histories[name]
                    continue
                await producer.send(
                    stage.topics.labels,
                    named(found.value, name),
                    key=key_of(name).encode(),
                    headers=list(found.headers),
                )
                written += 1
                if rate:
                    await asyncio.sleep(1 / rate)
    return written


def named(value: bytes | None, name: str) -> bytes | None:
    """A record of the histories' ticket, as one of the ticket `name`."""
    return value and value.replace(b'"ticket_id":"T-1"', f'"ticket_id":"{name}"'.encode(), 1)


def key_of(name: str) -> str:
    return f"{name}/{TASK}"


async def settled(stage: Stage, within_s: float = 120) -> None:
    """Wait until the table has read all labels, those included that it wrote itself."""
    group, topic = f"{stage.group}-table", stage.topics.labels
    quiet = 0

    async def nothing_left() -> bool:
        nonlocal quiet
        quiet = quiet + 1 if await lag(stage.bootstrap, group, topic) == 0 else 0
        return quiet >= 8

    await until(nothing_left, within_s)


async def read(stage: Stage, topic: str) -> list[Any]:
    """All records of a topic that are there now, partition by partition."""
    consumer = AIOKafkaConsumer(bootstrap_servers=stage.bootstrap, auto_offset_reset="earliest")
    found: list[Any] = []
    async with consumer:
        numbers = consumer.partitions_for_topic(topic) or await _numbers(consumer, topic)
        places = [TopicPartition(topic, number) for number in sorted(numbers)]
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        await consumer.seek_to_beginning(*places)
        while any([await consumer.position(place) < ends[place] for place in places]):
            for records in (await consumer.getmany(timeout_ms=500)).values():
                found += records
    return sorted(found, key=lambda record: (record.partition, record.offset))


async def _numbers(consumer: AIOKafkaConsumer, topic: str) -> set[int]:
    consumer.subscribe([topic])
    await consumer.getmany(timeout_ms=1000)
    numbers = consumer.partitions_for_topic(topic)
    consumer.unsubscribe()
    return set(numbers)


def last(records: Sequence[Any]) -> Told:
    """What the last record of each key says."""
    found = {record.key.decode(): record.value for record in records}
    return {key: told(value) for key, value in found.items() if value is not None}


def by_version_1(records: Sequence[Any]) -> Told:
    """What stands of the labels for a reader of before."""
    reader = ReaderOfVersion1()
    for record in records:
        reader.apply(LabelRecord.of(record))
    return {key: told(label.to_json()) for key, label in reader.labels.items()}


def by_client(records: Sequence[Any]) -> Told:
    """What stands for the typed client, of the table's topic or of the labels."""
    table = LabelTable()
    for record in records:
        table.apply(LabelRecord.of(record))
    return {key: told(label.to_json()) for key, label in table.items()}


def told(value: bytes) -> tuple[Rank, bytes]:
    said = word(value)
    return said.rank, said.id


async def compacted(stage: Stage, within_s: float = 60) -> None:
    """Wait until records did vanish from the table's topic."""
    topic, rounds = stage.topics.current, count()
    assert topic is not None

    async def fewer() -> bool:
        # Only closed segments are cleaned, and a segment is closed by what is written after it.
        nudges = {f"nudge-{next(rounds)}-{number}" for number in range(16)}
        await play(stage, {name: iter([Raw(label(1).to_json())]) for name in nudges})
        await asyncio.sleep(1)
        found = await read(stage, topic)
        ends = {record.partition: record.offset + 1 for record in found}
        return len(found) < sum(ends.values())

    await until(fewer, within_s)
