"""`streamer table --rebuild`: the table's topic anew, from all that the labels topic still has."""

import asyncio
import uuid
from collections.abc import Iterable, Sequence

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from streamer.config.settings import Settings
from streamer.errors import BrokerError, ConfigError
from streamer.services.streaming import MARGIN, connection
from streamer.services.table.merged import merged
from streamer.services.table.people import People
from streamer.services.table.rebuilt import Rebuilt
from streamer.services.table.topic import own_topic
from streamer.stream.clients import Clients
from streamer.stream.emission import Emission
from streamer.stream.publisher import Publisher
from streamer.stream.reading import Part, Reader
from streamer.terminal import tell


def run(settings: Settings) -> int:
    """Write the states of all keys, and have the table go on from there; returns 0.

    Raises `ConfigError` where the topic is not empty, or a table is running.
    """
    return asyncio.run(_rebuild(settings))


async def _rebuild(settings: Settings) -> int:
    topics, kafka, clients = settings.topics, settings.kafka, Clients(connection(settings.kafka))
    current = own_topic(topics)
    group = f"{kafka.group}-table"
    async with Reader.of(clients, [topics.labels, current]) as reader:
        await _refuse_a_used_topic(reader, current)
        await _refuse_a_running_table(clients, group)
        parts = await reader.parts(reader.partitions(topics.labels), "earliest")
        stays = People(settings.tasks).stays
        made = Rebuilt(topics.labels, current, uuid.uuid4().bytes, stays)
        async for record in merged(clients, parts):
            made.learn(record)
        async with clients.started(
            clients.producer(limit=kafka.max_record_bytes, compression=None)
        ) as producer:
            out = Publisher(producer, kafka.max_record_bytes + MARGIN, kafka.acknowledge_within)
            async for batch in reader.batches(parts):
                await _publish(out, [one for record in batch for one in made.find(record)])
            await _publish(out, list(made.rest()))
    await _commit(clients, group, parts)
    tell(f"{current}: {len(made)} labels of {topics.labels}; start the table again")
    return 0


async def _refuse_a_used_topic(reader: Reader, topic: str) -> None:
    parts = await reader.parts(reader.partitions(topic), "earliest")
    if any(part.count for part in parts):
        raise ConfigError(
            f"{topic} is not empty, and what stands there for good would stay beside what is "
            "written: stop the table, delete the topic, make it again by `streamer topics "
            "--create`, then run this once more. Its readers begin anew"
        )


async def _refuse_a_running_table(clients: Clients, group: str) -> None:
    async with clients.admin() as admin:
        try:
            answers = await admin.describe_consumer_groups([group])
        except KafkaError as error:
            raise BrokerError(
                f"Kafka doesn't tell who is in the group {group} ({error!r}): look at this user's "
                "rights"
            ) from error
    members = [member for answer in answers for one in answer.groups for member in one[5]]
    if members:
        raise ConfigError(f"{len(members)} tables are running as {group}: stop them first")


async def _publish(out: Publisher, emissions: Sequence[Emission]) -> None:
    await out.acknowledged(await out.send(emissions))


async def _commit(clients: Clients, group: str, parts: Iterable[Part]) -> None:
    consumer = AIOKafkaConsumer(
        **clients.connection.options(), group_id=group, enable_auto_commit=False
    )
    async with clients.started(consumer):
        ends = {part.partition: part.end for part in parts}
        consumer.assign(list(ends))
        await consumer.commit(ends)
