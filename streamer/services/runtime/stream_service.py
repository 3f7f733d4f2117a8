"""What both services share: Kafka clients, engine, status page, and their orderly end."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from aiokafka import TopicPartition

from streamer.config.kafka import KafkaSettings
from streamer.config.process import Flow, Listen
from streamer.observe.measured import MeasuredConsumer, MeasuredProducer
from streamer.observe.metrics import Lane, Metrics
from streamer.observe.status_routes import StatusServer
from streamer.services.runtime.copies import REQUEST
from streamer.services.runtime.kafka import MARGIN, kafka_clients
from streamer.services.runtime.stats import Stats
from streamer.stream.bounded import BoundedConsumer
from streamer.stream.commits import Commits
from streamer.stream.dead_letters import DeadLetters
from streamer.stream.engine import Engine
from streamer.stream.groups import noted
from streamer.stream.handler import Handler
from streamer.stream.isolation.in_flight_journal import InFlightJournal
from streamer.stream.limits import Limits
from streamer.stream.offset_reset import OffsetReset, Start
from streamer.stream.publisher import Publisher
from streamer.stream.topic_watch import TopicWatch

if TYPE_CHECKING:
    from streamer.stream.clients import Clients

log = logging.getLogger(__name__)

SILENT_FOR = 60.0


@dataclass(frozen=True, slots=True)
class Journaled:
    """Makes the handler of a stream once its journal is there."""

    handler: Callable[[InFlightJournal], Handler]


@dataclass(frozen=True, slots=True)
class Publishing:
    """Makes the handler of a stream that also writes of its own accord."""

    handler: Callable[[Publisher], Handler]


@dataclass(frozen=True, slots=True)
class Stream:
    """One service's place in Kafka: what it reads, what it writes, and as whom.

    `lane` is what the metrics call it: a process may read several topics. With `until` it reads
    each partition up to that offset, and nothing of a partition that isn't named. While a record is
    worked on it takes `copies` times its own bytes.
    """

    kafka: KafkaSettings
    group: str
    topic: str
    outputs: Sequence[str]
    dead: str
    flow: Flow
    resume: Start | None = None
    stats: Stats | None = None
    lane: Lane = "main"
    until: Mapping[TopicPartition, int] | None = None
    copies: int = REQUEST

    def dead_letters(self, metrics: Metrics) -> DeadLetters:
        """The dead letter topic, which takes what the input takes; counted in `metrics`."""
        return DeadLetters(self.dead, self.kafka.max_record_bytes, on_letter=metrics.dead)

    async def run(
        self,
        handler: Handler | Journaled | Publishing,
        metrics: Metrics,
        status: "Status",
        stop: asyncio.Event,
    ) -> None:
        """Handle the topic until `stop` is set; raises what made it fail.

        With a `Journaled` in place of a handler, commits say what is in flight; a `Publishing` is
        given what the engine publishes by.
        """
        clients = kafka_clients(self.kafka)
        told = [] if self.stats is None else [self.stats.topic]
        await clients.ensure_topics([self.topic, *self.outputs, self.dead, *told])
        kafka = self.kafka
        consumer = clients.consumer(
            self.group,
            member=kafka.member,
            session_timeout=kafka.session_timeout,
            drain=kafka.drain,
        )
        read = consumer if self.until is None else BoundedConsumer(consumer, self.until)
        compression = None if kafka.compression == "none" else kafka.compression
        producer = clients.producer(limit=kafka.max_record_bytes, compression=compression)
        async with (
            clients.started(producer),
            clients.started(consumer),
            TopicWatch.of(clients, consumer, self.group, self.topic) as watch,
        ):
            measured = MeasuredConsumer(read, self.topic, metrics)
            commits = Commits(measured)
            if isinstance(handler, Journaled):
                commits = journal = InFlightJournal(measured, partial(self._noted, clients))
                handler = handler.handler(journal)
            publisher = Publisher(
                MeasuredProducer(producer, metrics),
                kafka.max_record_bytes + MARGIN,
                kafka.acknowledge_within,
            )
            if isinstance(handler, Publishing):
                handler = handler.handler(publisher)
            engine = Engine(
                measured,
                commits,
                publisher,
                handler,
                OffsetReset(consumer, watch, kafka.start, self.resume),
                self.dead_letters(metrics),
                _limits(self.flow, kafka.drain, self.copies),
            )
            metrics.watch_engine(engine, self.lane)
            status.watch(engine, consumer.assignment, watch)
            telling = nullcontext() if self.stats is None else self.stats.published(producer)
            async with telling, engine.ends.watched():
                await _run(engine, self.topic, stop)

    async def _noted(
        self, clients: "Clients", partitions: Sequence[TopicPartition]
    ) -> Mapping[TopicPartition, tuple[int, str]]:
        # The consumer itself does not give the metadata away.
        async with clients.admin() as admin:
            return await noted(admin, self.group, partitions)


class Status:
    """What the probes of a service say; it is not ready before it reads its topic."""

    def __init__(self, waiting_for: str) -> None:
        self._waiting_for = waiting_for
        self._engine: Engine | None = None
        self._topic: TopicWatch | None = None
        self._assignment: Callable[[], Collection[TopicPartition]] = tuple
        self._told: list[str] = []

    def tell(self, line: str) -> None:
        """What people should know of this process; it stands on /status."""
        self._told.append(line)

    def watch(
        self,
        engine: Engine,
        assignment: Callable[[], Collection[TopicPartition]],
        topic: TopicWatch,
    ) -> None:
        """From here on the service reads its topic; `assignment` says which of its partitions."""
        self._topic = topic
        self._engine = engine
        self._assignment = assignment

    def spare(self) -> bool:
        """Whether the service reads its topic, and nothing that it read waits to be begun."""
        return self._engine is not None and self._engine.spare

    def ready(self) -> str | None:
        """Why the service does no work yet; None when it does."""
        if self._engine is None:
            return f"waiting for {self._waiting_for}"
        if not self._assignment():
            return "waiting for partitions"
        unread = [] if self._topic is None else sorted(self._topic.unread)
        return f"nobody reads the partitions {unread}" if unread else None

    def partitions(self) -> list[int]:
        """The partitions that are read here."""
        return [partition.partition for partition in self._assignment()]

    def rebalances(self) -> int:
        """How often partitions were given out anew."""
        return 0 if self._engine is None else self._engine.counts.rebalances

    def part(self) -> float:
        """The share of the topic's partitions that is read here, by their number of now.

        Never more than all: an added one may be assigned before it is counted.
        """
        read, total = len(self._assignment()), None if self._topic is None else self._topic.count
        return min(1.0, read / total) if total else 1.0

    def healthy(self) -> str | None:
        """Why the process should be restarted; None when it is fine.

        An outage of the workers is no reason: the engine goes on polling meanwhile.
        """
        if self._engine is None:
            return None
        silence = time.monotonic() - self._engine.polled_at
        return f"Kafka was not polled for {silence:.0f} s" if silence > SILENT_FOR else None

    @asynccontextmanager
    async def served(self, listen: Listen, metrics: Metrics) -> AsyncIterator[None]:
        """Answer /metrics, /healthz, /readyz and /status meanwhile."""
        told = self._told
        server = StatusServer(listen.host, listen.port, metrics, self.healthy, self.ready, told)
        await server.start()
        log.info("listening on http://%s:%d", listen.host, server.port)
        try:
            yield
        finally:
            await server.stop()


async def _run(engine: Engine, topic: str, stop: asyncio.Event) -> None:
    stopping = asyncio.create_task(_when(stop, engine.stop))
    try:
        await engine.run(topic)
    finally:
        stopping.cancel()


async def _when(event: asyncio.Event, then: Callable[[], None]) -> None:
    await event.wait()
    log.info("stopping: finishing what is in flight")
    then()


def _limits(flow: Flow, drain: float, copies: int) -> Limits:
    return Limits(
        max_batch=flow.max_batch,
        in_flight=flow.in_flight,
        max_buffered=flow.max_buffered,
        max_bytes=flow.max_bytes,
        copies=copies,
        drain=drain,
    )
