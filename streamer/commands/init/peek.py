"""A look at Kafka: its topics, and a few tickets. Joins no group and commits nothing."""

import asyncio
from typing import TYPE_CHECKING, Any

import orjson

from streamer.commands.newest import newest
from streamer.config.kafka import KafkaSettings
from streamer.services.runtime.kafka import kafka_clients

if TYPE_CHECKING:
    from streamer.stream.clients import Clients

_WITHIN_S = 15.0


def topics(bootstrap: str) -> list[str]:
    """The names of the topics, without Kafka's own; raises `ConfigError` or `TimeoutError`."""
    return asyncio.run(_topics(kafka_clients(KafkaSettings(bootstrap=bootstrap, start="latest"))))


def tickets(bootstrap: str, topic: str) -> tuple[list[dict[str, Any]], int]:
    """The newest records that are JSON objects, at most 50 or 4 MiB; and how many are none.

    Raises `ConfigError`, `BrokerError` or `TimeoutError`.
    """
    return asyncio.run(
        _tickets(kafka_clients(KafkaSettings(bootstrap=bootstrap, start="latest")), topic)
    )


async def _topics(clients: "Clients") -> list[str]:
    async with asyncio.timeout(_WITHIN_S), clients.admin() as admin:
        return sorted(name for name in await admin.list_topics() if not name.startswith("__"))


async def _tickets(clients: "Clients", topic: str) -> tuple[list[dict[str, Any]], int]:
    async with asyncio.timeout(_WITHIN_S):
        read = [_read(record.value) for record in await newest(clients, topic)]
    read_tickets = [ticket for ticket in read if ticket]
    return read_tickets, len(read) - len(read_tickets)


def _read(value: bytes | None) -> dict[str, Any] | None:
    try:
        ticket = orjson.loads(value or b"")
    except orjson.JSONDecodeError:
        return None
    return ticket if isinstance(ticket, dict) else None
