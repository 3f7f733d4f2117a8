"""Puts tickets of a file on the tickets topic."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from streamer.config.settings import Settings
from streamer.errors import ConfigError
from streamer.records.rows import rows
from streamer.services.intake import find
from streamer.services.streaming import connection
from streamer.stream.clients import Clients
from streamer.terminal import tell, tell_json, watched

Ticket = tuple[str, bytes]

AT_ONCE = 512


def run(settings: Settings, file: Path, rate: float | None, as_json: bool = False) -> int:
    """Send every row of `file` at `rate` tickets per second, or as fast as Kafka takes them.

    Raises `ConfigError` where the file, Kafka or the topic is not there.
    """
    if settings.input.decoder is not None:
        raise ConfigError("send writes JSON, and input.decoder says that your tickets are not")
    began = time.monotonic()
    topic = settings.topics.tickets
    found = watched(tickets(rows(file), settings.input.id), f"tickets to {topic}")
    sent = asyncio.run(_send(settings, found, rate))
    seconds = time.monotonic() - began
    if as_json:
        tell_json({"tickets": sent, "topic": topic, "seconds": round(seconds, 3)})
    else:
        tell(f"sent {sent} tickets to {topic} in {seconds:.1f} s")
    return 0


def tickets(found: Iterable[Mapping[str, Any]], pointer: str) -> Iterator[Ticket]:
    """Ticket id and JSON of each row as it is; a row without an id gets its number as one."""
    for number, row in enumerate(found, 1):
        ticket_id = find(row, pointer)
        if ticket_id in (None, ""):
            row, ticket_id = _with_id(row, pointer, number), number
        yield str(ticket_id), orjson.dumps(row)


def _with_id(row: Mapping[str, Any], pointer: str, number: int) -> Mapping[str, Any]:
    step, *deeper = pointer.removeprefix("/").split("/")
    if not deeper:
        return {**row, step: str(number)}
    inner = row.get(step)
    inner = inner if isinstance(inner, Mapping) else {}
    return {**row, step: _with_id(inner, "/" + "/".join(deeper), number)}


async def _send(settings: Settings, source: Iterator[Ticket], rate: float | None) -> int:
    topic, kafka = settings.topics.tickets, settings.kafka
    clients = Clients(connection(kafka))
    await clients.ensure_topics([topic])
    producer = clients.producer(limit=kafka.max_record_bytes, compression=None)
    count = 0
    async with clients.started(producer):
        waiting = []
        async for ticket_id, value in _paced(source, rate):
            waiting.append(await producer.send(topic, value, key=ticket_id.encode()))
            count += 1
            if len(waiting) >= AT_ONCE:
                await asyncio.gather(*waiting)
                waiting = []
        await asyncio.gather(*waiting)
    return count


async def _paced(source: Iterator[Ticket], rate: float | None) -> AsyncIterator[Ticket]:
    """By the clock and not by the answers: a slow Kafka must not slow the offered load down."""
    began = time.monotonic()
    for number, ticket in enumerate(source):
        if rate is not None:
            await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
        yield ticket
