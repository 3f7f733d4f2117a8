"""A look at Kafka: its topics, and a few tickets. Joins no group and commits nothing."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import orjson

from streamer.stream.clients import Clients
from streamer.stream.connection import Connection
from streamer.stream.reading import Part, Reader

_WITHIN_S = 15.0
_TICKETS = 50
_BYTES = 4 * 2**20


def topics(bootstrap: str) -> list[str]:
    """The names of the topics, without Kafka's own; raises `ConfigError` or `TimeoutError`."""
    return asyncio.run(_topics(Clients(Connection(bootstrap))))


def tickets(bootstrap: str, topic: str) -> tuple[list[dict[str, Any]], int]:
    """The newest records that are JSON objects, at most 50 or 4 MiB; and how many are none.

    Raises `ConfigError`, `BrokerError` or `TimeoutError`.
    """
    return asyncio.run(_tickets(Clients(Connection(bootstrap)), topic))


async def _topics(clients: Clients) -> list[str]:
    async with asyncio.timeout(_WITHIN_S), clients.admin() as admin:
        return sorted(name for name in await admin.list_topics() if not name.startswith("__"))


async def _tickets(clients: Clients, topic: str) -> tuple[list[dict[str, Any]], int]:
    found: list[dict[str, Any]] = []
    others = taken = 0
    async with asyncio.timeout(_WITHIN_S), Reader.of(clients, [topic]) as reader:
        parts = await reader.parts(reader.partitions(topic), "earliest")
        async for records in reader.batches(_newest(parts)):
            for record in records:
                ticket = _read(record.value) if taken < _BYTES else None
                taken += len(record.value or b"")
                found += [ticket] if ticket else []
                others += record.value is not None and ticket is None
    return found, others


def _newest(parts: Sequence[Part]) -> list[Part]:
    each = -(-_TICKETS // max(1, sum(part.count > 0 for part in parts)))
    return [replace(part, start=max(part.start, part.end - each)) for part in parts]


def _read(value: bytes | None) -> dict[str, Any] | None:
    try:
        found = orjson.loads(value or b"")
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None
