"""A real engine that copies records between topics, and what the tests need around it."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.structs import ConsumerRecord

from streamer.dev.kafka import Kafka
from streamer.stream.clients import Clients
from streamer.stream.commits import Commits
from streamer.stream.connection import Connection
from streamer.stream.dead_letters import DeadLetters
from streamer.stream.engine import Engine
from streamer.stream.handler import Emission, Record
from streamer.stream.limits import Limits
from streamer.stream.offset_reset import OffsetReset, Start
from streamer.stream.publisher import Publisher
from streamer.stream.topic_watch import TopicWatch
from streamer.stream.topics import TopicSpec, create_topics
from tests.conftest import unique_topic
from tests.stream.rig import limited

LIMIT = 6 * 2**20


class Copier:
    """Copies a batch to `topic`; waits before each while the gate is closed."""

    def __init__(self, topic: str, *, slow: float = 0.0) -> None:
        self.gate = asyncio.Event()
        self.gate.set()
        self.seen = 0
        self._topic = topic
        self._slow = slow

    async def handle(self, batch: Sequence[Record]) -> AsyncIterator[Sequence[Emission]]:
        self.seen += len(batch)
        await self.gate.wait()
        await asyncio.sleep(self._slow)
        yield [Emission(r, self._topic, r.key, r.value, r.headers) for r in batch]


class Place:
    """Topics and a group of one test."""

    def __init__(self, kafka: Kafka) -> None:
        self.bootstrap = kafka.bootstrap
        self.clients = Clients(Connection(kafka.bootstrap))
        self.source, self.copy = unique_topic("source"), unique_topic("copy")
        self.dead, self.group = unique_topic("dead"), unique_topic("group")

    async def make_topics(
        self, partitions: int = 1, copy_config: Mapping[str, str] | None = None
    ) -> None:
        large = {"max.message.bytes": str(LIMIT + 64 * 1024)}
        specs = [
            TopicSpec(self.source, partitions, large),
            TopicSpec(self.copy, 2, large | dict(copy_config or {})),
            TopicSpec(self.dead, 1, large),
        ]
        await create_topics(self.bootstrap, specs)

    async def write(self, values: Sequence[bytes | None], compression: str | None = None) -> None:
        producer = AIOKafkaProducer(
            bootstrap_servers=self.bootstrap,
            compression_type=compression,
            max_request_size=2 * LIMIT,
            linger_ms=5,
        )
        async with producer:
            sent = [
                await producer.send(self.source, value, key=b"key %d" % number)
                for number, value in enumerate(values)
            ]
            await asyncio.gather(*sent)

    async def write_until(self, enough: asyncio.Event) -> int:
        """Write numbers, some hundred in a second, until told to stop; returns how many."""
        written = 0
        async with AIOKafkaProducer(bootstrap_servers=self.bootstrap) as producer:
            while not enough.is_set():
                for number in range(written, written + 20):
                    await producer.send(self.source, b"%d" % number, key=b"key %d" % number)
                written += 20
                await asyncio.sleep(0.05)
            await producer.flush()
        return written

    async def copies(self, count: int) -> list[ConsumerRecord]:
        """The copies; waits a minute for `count` that differ, since repeats are allowed."""
        found: list[ConsumerRecord] = []
        consumer = AIOKafkaConsumer(
            self.copy, bootstrap_servers=self.bootstrap, auto_offset_reset="earliest"
        )
        async with consumer, asyncio.timeout(60):
            while len({(record.key, record.value) for record in found}) < count:
                for records in (await consumer.getmany(timeout_ms=500)).values():
                    found += records
            for records in (await consumer.getmany(timeout_ms=300)).values():
                found += records
        return found

    async def committed(self, partition: int = 0) -> int | None:
        async with AIOKafkaConsumer(
            bootstrap_servers=self.bootstrap, group_id=self.group, enable_auto_commit=False
        ) as consumer:
            return await consumer.committed(TopicPartition(self.source, partition))

    async def committed_soon(self, offset: int) -> bool:
        for _ in range(100):
            if await self.committed() == offset:
                return True
            await asyncio.sleep(0.05)
        return False

    @asynccontextmanager
    async def engine(
        self,
        handler: Copier,
        start: Start = "earliest",
        *,
        resume: Start | None = None,
        limits: Limits | None = None,
        member: str | None = None,
        compression: str | None = None,
    ) -> AsyncIterator[tuple[Engine, "asyncio.Task[None]", AIOKafkaConsumer]]:
        """A running engine with real clients; it is left as it is, and killed at the end."""
        limits = limits or limited(drain=3)
        consumer = self.clients.consumer(
            self.group, member=member, session_timeout=6, drain=limits.drain
        )
        producer = self.clients.producer(limit=LIMIT, compression=compression)
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self.clients.started(producer))
            await stack.enter_async_context(self.clients.started(consumer))
            watched = TopicWatch.of(self.clients, consumer, self.group, self.source)
            watch = await stack.enter_async_context(watched)
            engine = Engine(
                consumer,
                Commits(consumer),
                Publisher(producer, LIMIT, within=30),
                handler,
                OffsetReset(consumer, watch, start, resume),
                DeadLetters(self.dead, LIMIT),
                limits,
            )
            task = asyncio.create_task(engine.run(self.source))
            try:
                yield engine, task, consumer
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
