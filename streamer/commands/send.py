"""Puts tickets of a file on the tickets topic."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiokafka.errors import KafkaError

from streamer.commands.file_tickets import FileTicket, FileTickets, numbered
from streamer.config.settings import Settings
from streamer.errors import BrokerError
from streamer.services.runtime.kafka import kafka_clients
from streamer.terminal import note, tell, tell_json, watched

Ticket = tuple[str, bytes]

AT_ONCE = 512


@dataclass(slots=True)
class _Sent:
    """How many tickets Kafka has acknowledged, and the row of the last of them.

    All before that one are acknowledged, too; some behind it may be.
    """

    count: int = 0
    row: int = 0


def run(
    settings: Settings, file: Path, rate: float | None, as_json: bool = False, from_row: int = 1
) -> int:
    """Send the rows of `file` from `from_row` on, at `rate` tickets per second or as fast as Kafka
    takes them.

    All rows are looked at before any is sent. Raises `ConfigError` where the file, Kafka or the
    topic is not there or classify would refuse a row, `BrokerError` where Kafka fails.
    """
    tickets_of_file = FileTickets(settings, file)
    tickets_of_file.check()
    began = time.monotonic()
    topic, sent = settings.topics.tickets, _Sent(row=from_row - 1)
    chosen = watched(
        (ticket for ticket in tickets_of_file if ticket.row >= from_row), f"tickets to {topic}"
    )
    try:
        asyncio.run(_send(settings, chosen, rate, sent))
    except KafkaError as error:
        raise BrokerError(
            f"Kafka failed ({error!r}): look at the brokers; {_so_far(sent)}"
        ) from error
    except KeyboardInterrupt:
        note(_so_far(sent))
        raise
    seconds = time.monotonic() - began
    if as_json:
        tell_json({"tickets": sent.count, "topic": topic, "seconds": round(seconds, 3)})
    else:
        tell(f"sent {sent.count} tickets to {topic} in {seconds:.1f} s")
    return 0


def tickets(given_rows: Iterable[Mapping[str, Any]], pointer: str) -> Iterator[Ticket]:
    """Ticket id and JSON of each row, as `numbered` has them."""
    for _, ticket_id, value in numbered(enumerate(given_rows, 1), pointer):
        yield ticket_id, value


def _so_far(sent: _Sent) -> str:
    return f"{sent.count} tickets were sent, go on by --from-row {sent.row + 1}"


async def _send(
    settings: Settings, source: Iterator[FileTicket], rate: float | None, sent: _Sent
) -> None:
    topic, kafka = settings.topics.tickets, settings.kafka
    clients = kafka_clients(kafka)
    await clients.ensure_topics([topic])
    producer = clients.producer(limit=kafka.max_record_bytes, compression=None)
    async with clients.started(producer):
        waiting: list[tuple[int, asyncio.Future[Any]]] = []
        async for row, ticket_id, value in _paced(source, rate):
            waiting.append((row, await producer.send(topic, value, key=ticket_id.encode())))
            if len(waiting) >= AT_ONCE:
                await _acknowledged(waiting, sent)
                waiting = []
        await _acknowledged(waiting, sent)


async def _acknowledged(waiting: Sequence[tuple[int, "asyncio.Future[Any]"]], sent: _Sent) -> None:
    """Wait for all, and count up to the first that failed; raises what that one raised."""
    answers = await asyncio.gather(*(future for _, future in waiting), return_exceptions=True)
    for (row, _), answer in zip(waiting, answers, strict=True):
        if isinstance(answer, BaseException):
            raise answer
        sent.count, sent.row = sent.count + 1, row


async def _paced(source: Iterator[FileTicket], rate: float | None) -> AsyncIterator[FileTicket]:
    """By the clock and not by the answers: a slow Kafka must not slow the offered load down."""
    began = time.monotonic()
    for number, ticket in enumerate(source):
        if rate is not None:
            await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
        yield ticket
