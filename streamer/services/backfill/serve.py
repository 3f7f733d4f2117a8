"""`streamer backfill`: from the wish to a stream that ends by itself."""

import asyncio
import re
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiokafka import TopicPartition

from streamer.config.process import Flow
from streamer.config.settings import Settings
from streamer.decide.sampling import Sampling
from streamer.errors import ConfigError
from streamer.observe.metrics import Metrics
from streamer.observe.tracing import Tracing
from streamer.services.backfill.handler import BackfillHandler
from streamer.services.backfill.pace import Pace
from streamer.services.backfill.people import held_by_people
from streamer.services.backfill.survey import Survey, survey
from streamer.services.classify.assembly import ready_tasks
from streamer.services.classify.classify_handler import ClassifyHandler
from streamer.services.classify.observing import Observing
from streamer.services.classify.publish.outputs import Outputs
from streamer.services.intake.ticket_reader import TicketReader
from streamer.services.runtime import process
from streamer.services.runtime.concurrency import together
from streamer.services.runtime.copies import ticket_copies
from streamer.services.runtime.kafka import kafka_clients
from streamer.services.runtime.stream_service import Status, Stream
from streamer.stream.groups import committed
from streamer.stream.reading import Reader
from streamer.terminal import bars, note, tell

LOOK_EVERY_S = 1.0
# A batch that waits for its turn would hold up a rebalance or the end of the process for so long.
DRAIN = 2.0

Committed = Mapping[TopicPartition, int]


@dataclass(frozen=True, slots=True)
class BackfillOptions:
    """Which tickets, by their Kafka times, under which name, and how fast at most.

    `rate` is in tickets per second; `backlog` is how many requests may wait for the judge.
    """

    begin: datetime
    end: datetime | None
    name: str | None
    rate: float
    backlog: int

    @property
    def called(self) -> str:
        """The name given, or one from the times: the same wish goes on where it was."""
        if self.name is not None:
            return self.name
        times = (self.begin, self.end) if self.end is not None else (self.begin,)
        return "-".join(time.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ") for time in times)


def run(settings: Settings, options: BackfillOptions, config: Path, *, dry_run: bool) -> int:
    """Classify the wished tickets, or only say how many they are; returns the exit code.

    `config` is the file that the settings are from. Raises `ConfigError` for a wish that makes no
    sense.
    """
    if options.end is not None and options.end <= options.begin:
        raise ConfigError("--to is not after --from: nothing lies between them")
    if not re.fullmatch(r"[\w.-]{1,100}", options.called):
        raise ConfigError(f"--name {options.called!r}: use letters, digits, `.`, `_` and `-`")
    if dry_run:
        return asyncio.run(_dry_run(settings, options))
    return process.run(lambda stop: serve(settings, options, stop), config)


async def serve(settings: Settings, options: BackfillOptions, stop: asyncio.Event) -> None:
    """Run until all is done, or `stop` is set; raises as a service does."""
    clients = kafka_clients(settings.kafka)
    topics = settings.topics
    async with Reader.of(clients, [topics.tickets, topics.judge]) as reader:
        surveyed = await _survey(settings, reader, options)
        work = _Work(settings, options, surveyed)
        async with clients.admin() as admin:
            if not work.left(await work.reached(admin, reader)):
                tell(f"{work.name}: nothing is left to do; to do it again, give another --name")
                return
            watch = work.watch(admin, reader, stop)
            await together(work.stream(stop), watch)
            left = work.left(await work.reached(admin, reader))
    tell(f"{work.name}: {work.total - left} of {work.total} tickets are done")
    if work.untouched:
        tell(f"{work.untouched} of them keep the label that a person gave")
    if left:
        note(f"to go on, run it again with --name {work.name} and the same times")


class _Work:
    """One backfill: its group, its stream, and how far it is."""

    def __init__(self, settings: Settings, options: BackfillOptions, surveyed: Survey) -> None:
        self._settings = settings
        self._options = options
        self._survey = surveyed
        self._pace = Pace(options.rate, options.backlog)
        self.untouched = 0
        self.name = options.called
        self.group = _group(settings, options)
        self.total = sum(stretch.end - stretch.start for stretch in surveyed.stretches.values())

    def left(self, done: Committed) -> int:
        """How many offsets are yet to be reached."""
        return sum(
            max(stretch.end - max(done.get(partition, 0), stretch.start), 0)
            for partition, stretch in self._survey.stretches.items()
        )

    async def watch(self, admin: Any, reader: Reader, stop: asyncio.Event) -> None:
        """Look how far the whole group is, and how much waits for the judge; end when all is done.

        Until then also a member stays that has nothing to do: another may fail.
        """
        with bars() as bar:
            task = bar.add_task(f"backfill {self.name}", total=self.total)
            while not stop.is_set():
                self._pace.waiting = await self._open_requests(admin, reader)
                left = self.left(await self.reached(admin, reader))
                bar.update(task, completed=self.total - left)
                if not left:
                    stop.set()
                await _sleep(LOOK_EVERY_S, stop)

    async def reached(self, admin: Any, reader: Reader) -> Committed:
        """By partition, the offset before which all is done, or deleted by Kafka meanwhile."""
        done = await committed(admin, self.group)
        parts = await reader.parts(self._survey.stretches, "earliest")
        return {part.partition: max(done.get(part.partition, 0), part.start) for part in parts}

    async def stream(self, stop: asyncio.Event) -> None:
        """Classify until `stop` is set."""
        settings, topics = self._settings, self._settings.topics
        outputs = Outputs(topics.labels, topics.judge, topics.audit, topics.review, topics.log)
        metrics = Metrics(tasks=settings.tasks)
        size = max(1, min(256, int(self._options.rate / 2)))
        stream = Stream(
            settings.kafka.model_copy(
                update={"start": self._options.begin, "drain": DRAIN, "member": None}
            ),
            self.group,
            topics.tickets,
            astuple(outputs),
            topics.dead,
            Flow(
                max_batch=size,
                in_flight=1,
                max_buffered=8 * size,
                max_bytes=settings.classify.flow.max_bytes,
            ),
            resume="earliest",
            until=self._survey.ends,
            copies=ticket_copies(len(settings.tasks)),
        )
        tracing = Tracing("streamer-backfill", 0.0, group=self.group)
        async with AsyncExitStack() as stack:
            stack.push_async_callback(asyncio.to_thread, tracing.shutdown)
            observing = Observing(metrics, tracing)
            tasks = await ready_tasks(settings, stack, observing, stop, self.name)
            if tasks is None:
                return
            ticket_reader = TicketReader.of(settings.input)
            handler = ClassifyHandler(
                source=settings.source,
                ticket_reader=ticket_reader,
                tasks=tasks,
                outputs=outputs,
                dead_letters=stream.dead_letters(metrics),
                tracing=tracing,
                observing=observing,
                # No audits, no log, no sample for people: of each ticket once, when it came.
                sampling=Sampling(settings.audit.salt),
                dead_at_most=settings.input.dead_at_most,
            )
            held = await held_by_people(kafka_clients(settings.kafka), topics.current)
            paced = BackfillHandler(handler, self._survey, ticket_reader, self._pace, held)
            await stream.run(paced, metrics, Status("Triton"), stop)
            self.untouched = paced.untouched

    async def _open_requests(self, admin: Any, reader: Reader) -> int:
        settings = self._settings
        parts = await reader.parts(reader.partitions(settings.topics.judge), "earliest")
        done = await committed(admin, f"{settings.kafka.group}-judge")
        return sum(
            max(part.end - max(done.get(part.partition, 0), part.start), 0) for part in parts
        )


async def _dry_run(settings: Settings, options: BackfillOptions) -> int:
    topic, clients = settings.topics.tickets, kafka_clients(settings.kafka)
    async with Reader.of(clients, [topic]) as reader:
        surveyed = await _survey(settings, reader, options)
    async with clients.admin() as admin:
        done = await committed(admin, _group(settings, options))
    for line in _plan(surveyed, done, options):
        tell(line)
    return 0


def _plan(surveyed: Survey, done: Committed, options: BackfillOptions) -> Iterator[str]:
    total = 0
    for partition, stretch in sorted(surveyed.stretches.items()):
        fresh = stretch.tickets - len(stretch.superseded)
        total += fresh
        until = done.get(partition, stretch.start)
        progress = f", done up to {until}" if until > stretch.start else ""
        yield (
            f"{partition.topic}[{partition.partition}]  {stretch.start} to {stretch.end - 1}: "
            f"{fresh} tickets, {len(stretch.superseded)} superseded{progress}"
        )
    seconds = total / options.rate
    yield f"{options.called}: {total} tickets, {seconds:.0f} s at {options.rate:g} per second"


async def _survey(settings: Settings, reader: Reader, options: BackfillOptions) -> Survey:
    with bars() as bar:
        task = bar.add_task("looking through the topic", total=None)

        def watch(read: int, total: int) -> None:
            bar.update(task, completed=read, total=total)

        end = options.end or datetime.now(UTC)
        ticket_reader = TicketReader.of(settings.input)
        return await survey(
            reader, settings.topics.tickets, ticket_reader, options.begin, end, watch
        )


def _group(settings: Settings, options: BackfillOptions) -> str:
    return f"{settings.kafka.group}-backfill-{options.called}"


async def _sleep(seconds: float, stop: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        pass
