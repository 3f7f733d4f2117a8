"""`streamer table --rebuild`: the table's topic anew, from all that the labels topic still has."""

import asyncio
import time
import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING

from streamer.config.settings import Settings
from streamer.errors import BrokerError, ConfigError
from streamer.services.runtime.kafka import MARGIN, kafka_clients
from streamer.services.table.counts import refuse_other_counts
from streamer.services.table.group import Group
from streamer.services.table.merged import merged
from streamer.services.table.people import People
from streamer.services.table.rebuilt import Rebuilt
from streamer.services.table.topic import own_topic
from streamer.stream.handler import Emission
from streamer.stream.publisher import Publisher
from streamer.stream.reading import Part, Reader
from streamer.terminal import tell

if TYPE_CHECKING:
    from streamer.stream.clients import Clients


def run(settings: Settings) -> int:
    """Write the states of all keys, and have the table go on from there; returns 0.

    One that was broken off is done again over what it left. Raises `ConfigError` where a table is
    running or has written what lies in the topic, `BrokerError` where Kafka fails.
    """
    return asyncio.run(_rebuild(settings))


async def _rebuild(settings: Settings) -> int:
    topics, clients = settings.topics, kafka_clients(settings.kafka)
    current = own_topic(topics)
    async with Reader.of(clients, [topics.labels, current]) as reader:
        refuse_other_counts(reader, topics.labels, current)
        labels = reader.partitions(topics.labels)
        group = Group(clients, f"{settings.kafka.group}-table", labels)
        await group.refuse_members()
        left = await reader.parts(reader.partitions(current), "earliest")
        if any(part.count for part in left) and await group.half_rebuilt() != {*labels}:
            raise _used(current)
        await group.begin_rebuild()
        try:
            parts = await reader.parts(labels, "earliest")
            count = await _write(settings, clients, reader, parts, left)
            await group.end_rebuild({part.partition: part.end for part in parts})
        except BrokerError as error:
            raise BrokerError(
                f"{error}. {current} is not whole, and no table starts on it: run `streamer table "
                "--rebuild` again"
            ) from error
    tell(f"{current}: {count} labels of {topics.labels}; start the table again")
    return 0


def _used(topic: str) -> ConfigError:
    return ConfigError(
        f"{topic} is not empty, and what stands there for good would stay beside what is "
        "written: stop the table, delete the topic, make it again by `streamer topics "
        "--create`, then run this once more. Its readers begin anew"
    )


async def _write(
    settings: Settings,
    clients: "Clients",
    reader: Reader,
    parts: Sequence[Part],
    left: Sequence[Part],
) -> int:
    """Write the states of all labels over what a rebuild `left`; returns how many stand."""
    topics, kafka = settings.topics, settings.kafka
    stays = People(settings.tasks).stays
    ends = [part.end for part in parts]
    rebuilt = Rebuilt(topics.labels, own_topic(topics), uuid.uuid4().bytes, stays, ends)
    async for record in merged(clients, parts):
        rebuilt.learn(record)
    rebuilt.end_silent(int(time.time() - settings.table.keep * 86_400))
    async with clients.started(
        clients.producer(limit=kafka.max_record_bytes, compression=None)
    ) as producer:
        out = Publisher(producer, kafka.max_record_bytes + MARGIN, kafka.acknowledge_within)
        async for batch in reader.batches(parts):
            await _publish(out, [emission for record in batch for emission in rebuilt.find(record)])
        await _publish(out, list(rebuilt.rest()))
        async for batch in reader.batches(left):
            await _publish(
                out, [emission for record in batch for emission in rebuilt.sweep(record)]
            )
    if rebuilt.missing:
        raise BrokerError(f"{rebuilt.missing} labels vanished from {topics.labels} meanwhile")
    return len(rebuilt)


async def _publish(out: Publisher, emissions: Sequence[Emission]) -> None:
    await out.acknowledged(await out.send(emissions))
