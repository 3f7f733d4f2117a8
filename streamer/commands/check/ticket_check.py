"""Whether the configured pointers find anything in real tickets."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from aiokafka.errors import KafkaError

from streamer.commands.check.ticket_look import Fields, TicketLook, is_id, is_text, is_time
from streamer.commands.newest import newest
from streamer.config.settings import Input, Settings
from streamer.errors import StreamerError, TicketError
from streamer.services.intake.ticket_reader import TicketReader
from streamer.services.runtime.kafka import kafka_clients
from streamer.stream.handler import Record

_WITHIN_S = 15.0
_NEXT_TO_NOTHING = 0.05


@dataclass(frozen=True, slots=True)
class TicketReport:
    """What makes every ticket a dead letter, what looks wrong, and how many were looked at."""

    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    seen: tuple[str, ...] = ()


async def ticket_report(settings: Settings, ticket_reader: TicketReader) -> TicketReport:
    """A look at some of the newest tickets, as the classify service would read them."""
    topic = settings.topics.tickets
    try:
        async with asyncio.timeout(_WITHIN_S):
            records = await newest(kafka_clients(settings.kafka), topic)
    except (StreamerError, KafkaError, TimeoutError) as error:
        why = str(error) or type(error).__name__
        return TicketReport(warnings=(f"no ticket in {topic} could be looked at: {why}",))
    if not records:
        return TicketReport(seen=(f"tickets none in {topic} yet, so no pointer was tried",))
    return look(settings, ticket_reader, records)


def look(
    settings: Settings, ticket_reader: TicketReader, records: Sequence[Record]
) -> TicketReport:
    """What these records, of which there is one at least, say about the configuration."""
    tickets, unread = _read(ticket_reader, records)
    if not tickets:
        return TicketReport((f"input: none of {len(records)} tickets can be read: {unread[0]}",))
    looked, problems, warnings = TicketLook(tickets), list[str](), list[str]()
    if unread:
        line = f"input: {len(unread)} of {len(records)} tickets can't be read: {unread[0]}"
        (problems if _nearly_all(len(unread), len(records)) else warnings).append(line)
    for fatal, line in [*_of_id(settings.input, looked), *_of_texts(settings.input, looked)]:
        (problems if fatal else warnings).append(line)
    warnings += _of_others(settings, looked)
    refused = list(_refused(ticket_reader, records))
    # What no pointer explains is told too, and what loses every ticket is no mere warning.
    fatal = _nearly_all(len(refused), len(records))
    if not problems and (fatal or (not warnings and _some(len(refused), len(records)))):
        why = Counter(refused).most_common(1)[0][0]
        line = f"input: {len(refused)} of {len(records)} tickets would be dead letters: {why}"
        (problems if fatal else warnings).append(line)
    seen = f"tickets {len(records)} of the newest were looked at"
    return TicketReport(tuple(problems), tuple(warnings), (seen,))


def _read(ticket_reader: TicketReader, records: Sequence[Record]) -> tuple[list[Fields], list[str]]:
    """The fields of those that can be read, and why the others can't."""
    tickets, unread = list[Fields](), list[str]()
    for record in records:
        try:
            tickets.append(ticket_reader.fields(record))
        except TicketError as error:
            unread.append(str(error))
    return tickets, unread


def _refused(ticket_reader: TicketReader, records: Sequence[Record]) -> Iterator[str]:
    """Why those are dead letters that are."""
    for record in records:
        try:
            ticket_reader.read(record)
        except TicketError as error:
            yield str(error)


def _of_id(given: Input, looked: TicketLook) -> Iterator[tuple[bool, str]]:
    """Lines about the id's pointer, each with whether no ticket would get a label."""
    count, tickets = looked.count(given.id, is_id), len(looked.tickets)
    if not _some(count, tickets):
        yield True, f"input.id: {looked.missed('an id', given.id, is_id, looked.ids())}"
    elif not _nearly_all(count, tickets):
        yield False, f"input.id: only {looked.said(count, 'an id', given.id)}"


def _of_texts(given: Input, looked: TicketLook) -> Iterator[tuple[bool, str]]:
    """Lines about the pointers to text, each with whether no ticket would get a label."""
    tickets = len(looked.tickets)
    # One text of several may be rare; without any, every ticket is a dead letter.
    without = not any(looked.count(pointer, is_text) for pointer in given.text)
    for pointer in given.text:
        refused = looked.refused(pointer)
        meant = looked.texts(pointer, given.text)
        if _some(len(refused), tickets):
            hint = looked.proposed(meant, is_text)
            line = f"input.text: {len(refused)} of {tickets} tickets would be dead letters"
            yield _nearly_all(len(refused), tickets), f"{line}: {refused[0]}{hint}"
        elif not _some(looked.count(pointer, is_text), tickets):
            yield without, f"input.text: {looked.missed('a text', pointer, is_text, meant)}"


def _of_others(settings: Settings, looked: TicketLook) -> Iterator[str]:
    """Lines about the pointers without which a ticket still gets its labels."""
    pointer, tickets = settings.input.created_at, len(looked.tickets)
    if pointer is not None and not _some(looked.count(pointer, is_time), tickets):
        missed = looked.missed("a time", pointer, is_time, looked.times(pointer))
        yield f"input.created_at: {missed}"
    for name, task in settings.tasks.items():
        field = None if task.when is None else task.when.field
        if field is not None and not _some(looked.count(field, is_text), tickets):
            missed = looked.missed("a text", field, is_text, looked.spelt_like(field))
            yield f"tasks.{name}.when.field: {missed}"


def _some(count: int, tickets: int) -> bool:
    return count > tickets * _NEXT_TO_NOTHING


def _nearly_all(count: int, tickets: int) -> bool:
    return count >= tickets * (1 - _NEXT_TO_NOTHING)
