"""Looks for a ticket by the keys of its records and by the position that its label carries."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import orjson
from aiokafka import TopicPartition

from streamer.config.kafka import Topics
from streamer.config.settings import Settings
from streamer.errors import TicketError, Unavailable
from streamer.records.dead_letter import DeadLetter, is_mark
from streamer.records.label import Position, label_key
from streamer.services.inspect.hops import timeline_of
from streamer.services.inspect.inspection import Inspection, Looked, Occurrence
from streamer.services.inspect.summary import Findings, summary
from streamer.services.intake.ticket_reader import TicketReader
from streamer.services.runtime.kafka import kafka_clients
from streamer.stream.groups import committed
from streamer.stream.handler import Record
from streamer.stream.partitioner import partitions
from streamer.stream.reading import Part, Reader

LIMIT = 5_000_000
"""Records that one search reads at most: the newest ones."""

OCCURRENCES = 8

Watch = Callable[[int, int], None]
Wanted = Callable[[Record], bool]
Input = Record | Occurrence


async def find(
    settings: Settings,
    ticket_id: str,
    since: timedelta,
    *,
    text: bool,
    watch: Watch = lambda read, total: None,
    limit: int = LIMIT,
) -> Inspection:
    """Everything of this ticket on the topics within the last `since`.

    Its own record may be older: it is read where a label, a request or the log says it lies.
    `text` shows what it says. `watch` is told how many of how many records are read. Raises
    `ConfigError` where Kafka or a topic is not there, `BrokerError` where Kafka stops answering.
    """
    began = datetime.now(UTC) - since
    topics, clients = settings.topics, kafka_clients(settings.kafka)
    ticket = Sought(ticket_id, settings.tasks, TicketReader.of(settings.input), topics)
    keyed = (topics.labels, topics.judge, topics.audit, topics.log, topics.review)
    async with Reader.of(clients, [*keyed, topics.dead, topics.tickets]) as reader:
        scan = partial(_scan, reader, since=began, watch=watch, limit=limit)
        topic_partitions = [
            partition for topic in keyed for partition in ticket.partitions(reader, topic)
        ]
        topic_partitions += reader.partitions(topics.dead)
        records, looked, complete = await scan(topic_partitions, ticket.concerned)
        timeline = timeline_of(records, topics, settings.source)
        inputs: list[Input] = [
            await _input(reader, settings, position) for position in _newest(timeline.positions)
        ]
        if not timeline.positions:
            lying, also, whole = await scan(ticket.inputs(reader, topics.tickets), ticket.concerned)
            inputs = [record for record in lying if record.value is not None]
            looked, complete = [*looked, *also], complete and whole
    async with clients.admin() as admin:
        classify = await committed(admin, f"{settings.kafka.group}-classify")
        judge = await committed(admin, f"{settings.kafka.group}-judge")
    return summary(
        settings,
        Findings(ticket_id, began, records, timeline, looked, complete, ticket.unread),
        [ticket.occurrence(item, text) for item in inputs],
        classify | judge,
    )


class Sought:
    """A ticket id, and how its records are recognised on the `topics`.

    `unread` are dead letters that hold the id somewhere and that nothing can be read of.
    """

    def __init__(
        self, ticket_id: str, tasks: Iterable[str], ticket_reader: TicketReader, topics: Topics
    ) -> None:
        self._ticket_id = ticket_id
        self._text = ticket_id.encode()
        self._by_task = sorted(label_key(ticket_id, task) for task in tasks)
        self._keys = frozenset(self._by_task)
        self._ticket_reader = ticket_reader
        self._tickets = topics.tickets
        self._dead = topics.dead
        self.unread: list[str] = []

    def partitions(self, reader: Reader, topic: str) -> list[TopicPartition]:
        """Where the records lie that have a task in their key."""
        return _hashed(reader, topic, self._by_task)

    def inputs(self, reader: Reader, topic: str) -> list[TopicPartition]:
        """Where the ticket lies if its sender keys tickets by their ids."""
        return _hashed(reader, topic, [self._text])

    def concerned(self, record: Record) -> bool:
        """Whether a record is about the ticket: by its key, or by what a dead letter holds.

        An id may have a slash, and be what another's key is with its task.
        """
        if record.topic == self._tickets:
            return record.key == self._text
        if record.topic != self._dead:
            return record.key in self._keys
        if record.key == self._text or record.key in self._keys:
            return not is_mark(record.headers)
        # A cheap look first: few dead letters name the ticket.
        return self._text in (record.value or b"") and self._named_by(record)

    def occurrence(self, record: Input, text: bool) -> Occurrence:
        """The ticket in an input record, with what it says or without."""
        if isinstance(record, Occurrence):
            return record
        occurrence = Occurrence(
            record.topic, record.partition, record.offset, True, at_ms=record.timestamp
        )
        try:
            ticket = self._ticket_reader.ticket(record)
        except TicketError as error:
            return replace(occurrence, problem=error.reason)
        except (Unavailable, OSError):
            return replace(occurrence, problem="the decoder can't read anything now")
        occurrence = replace(occurrence, created_at=ticket.created_at)
        return replace(occurrence, subject=ticket.subject, text=ticket.text) if text else occurrence

    def _named_by(self, letter: Record) -> bool:
        if is_mark(letter.headers):
            return False
        try:
            return self._ticket_id == self._id_in(letter)
        except (TicketError, Unavailable, OSError, ValueError, TypeError, KeyError):
            self.unread.append(f"{letter.partition}:{letter.offset}")
            return False

    def _id_in(self, letter: Record) -> object:
        if DeadLetter.from_headers(letter.headers).topic == self._tickets:
            return self._ticket_reader.ticket_id(letter)
        raw = orjson.loads(letter.value or b"")
        return raw["ticket"]["id"] if "ticket" in raw else raw["ticket_id"]


def _hashed(reader: Reader, topic: str, keys: Sequence[bytes]) -> list[TopicPartition]:
    everywhere = reader.partitions(topic)
    return [
        everywhere[number] for number in sorted(set(partitions(keys, len(everywhere)).tolist()))
    ]


async def _scan(
    reader: Reader,
    topic_partitions: Sequence[TopicPartition],
    wanted: Wanted,
    *,
    since: datetime,
    watch: Watch,
    limit: int,
) -> tuple[list[Record], list[Looked], bool]:
    """The wanted records of these partitions, where was looked, and whether that is all."""
    parts = await reader.parts(topic_partitions, since)
    cut = _newest_parts(parts, limit)
    total, read = sum(part.count for part in cut), 0
    records: list[Record] = []
    async for batch in reader.batches(cut):
        read += len(batch)
        watch(read, total)
        records += [record for record in batch if wanted(record)]
    return records, _looked(cut), cut == parts


def _newest_parts(parts: list[Part], limit: int) -> list[Part]:
    if sum(part.count for part in parts) <= limit:
        return parts
    each = limit // len(parts)
    return [replace(part, start=max(part.start, part.end - each)) for part in parts]


def _looked(parts: Iterable[Part]) -> list[Looked]:
    by_topic: dict[str, list[Part]] = {}
    for part in parts:
        by_topic.setdefault(part.partition.topic, []).append(part)
    return [
        Looked(
            topic,
            tuple(part.partition.partition for part in parts_of_topic),
            sum(part.count for part in parts_of_topic),
        )
        for topic, parts_of_topic in by_topic.items()
    ]


def _newest(positions: Collection[Position]) -> list[Position]:
    ordered = sorted(positions, key=lambda position: (position.partition, position.offset))
    return ordered[-OCCURRENCES:]


async def _input(reader: Reader, settings: Settings, position: Position) -> Input:
    """The input record at a position, or the note that it is not there."""
    if (position.source, position.topic) == (settings.source, settings.topics.tickets):
        record = await reader.record(
            TopicPartition(position.topic, position.partition), position.offset
        )
        if record is not None:
            return record
    return Occurrence(position.topic, position.partition, position.offset, there=False)
