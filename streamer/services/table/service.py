"""The table service: labels in, the state of each ticket's label out."""

import asyncio
import uuid
from contextlib import AsyncExitStack

from streamer.config.process import Flow
from streamer.config.settings import Settings
from streamer.errors import ConfigError
from streamer.observe.metrics import Metrics
from streamer.observe.summaries import Summaries
from streamer.services.runtime.concurrency import first
from streamer.services.runtime.kafka import kafka_clients
from streamer.services.runtime.stats import Stats
from streamer.services.runtime.stream_service import Publishing, Status, Stream
from streamer.services.table.counts import refuse_other_counts
from streamer.services.table.group import Group
from streamer.services.table.handler import Desk, TableHandler
from streamer.services.table.kept import Kept
from streamer.services.table.own_topic import OwnTopic
from streamer.services.table.people import People
from streamer.services.table.same_topics import SameTopics
from streamer.services.table.shelves import Shelves
from streamer.services.table.topic import own_topic
from streamer.stream.offset_reset import Start
from streamer.stream.publisher import Publisher
from streamer.stream.reading import Reader

# One batch at a time: two of them could write one key in either order.
FLOW = Flow(in_flight=1)


async def serve(settings: Settings, stop: asyncio.Event, resume: Start | None = None) -> None:
    """Run until `stop` is set. Raises `ConfigError`, `BrokerError` or whatever was unforeseen."""
    topics, kafka, current = settings.topics, settings.kafka, own_topic(settings.topics)
    metrics, clients = Metrics(), kafka_clients(kafka)
    stream = Stream(
        kafka.model_copy(update={"start": "earliest"}),
        f"{kafka.group}-table",
        topics.labels,
        [topics.labels, current],
        topics.dead,
        FLOW,
        resume,
        Stats(topics.stats, Summaries("table", metrics)),
    )
    async with AsyncExitStack() as stack:
        status = Status("Kafka")
        await stack.enter_async_context(status.served(settings.table.listen, metrics))
        same = SameTopics.of(clients, [topics.labels, current])
        watch = await stack.enter_async_context(same)
        read = Reader.of(clients, [topics.labels, current])
        reader = await stack.enter_async_context(read)
        refuse_other_counts(reader, topics.labels, current)
        group = Group(clients, stream.group, reader.partitions(topics.labels))
        await _refuse_half_a_topic(group, current)
        consumer = await stack.enter_async_context(clients.started(clients.follower()))
        shelves, me = Shelves(), uuid.uuid4().bytes
        own = OwnTopic(
            consumer,
            topics.labels,
            current,
            me,
            shelves,
            kafka.session_timeout,
            status.partitions,
            status.rebalances,
        )
        desk = Desk(
            labels=topics.labels,
            current=current,
            me=me,
            shelves=shelves,
            own=own,
            kept=Kept(reader, current),
            stays=People(settings.tasks).stays,
            keep_s=settings.table.keep * 86_400,
        )
        handler_made: asyncio.Future[TableHandler] = asyncio.get_running_loop().create_future()

        def handler(publisher: Publisher) -> TableHandler:
            handler_made.set_result(
                TableHandler(desk, publisher, stream.dead_letters(metrics), metrics)
            )
            return handler_made.result()

        async def follow() -> None:
            await own.run((await handler_made).repair)

        await first(stream.run(Publishing(handler), metrics, status, stop), follow(), watch.run())


async def _refuse_half_a_topic(group: Group, current: str) -> None:
    if await group.half_rebuilt():
        raise ConfigError(
            f"{current} was being rebuilt, and what lies there is not all: run `streamer table "
            "--rebuild`, wait until it has ended, then start the table"
        )
