"""The newest records of a topic. Joins no group and commits nothing."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from streamer.stream.handler import Record
from streamer.stream.reading import Part, Reader

if TYPE_CHECKING:
    from streamer.stream.clients import Clients

_RECORDS = 50
_BYTES = 4 * 2**20


async def newest(clients: "Clients", topic: str) -> list[Record]:
    """Some 50 of all partitions together, deletions left out; of more than 4 MiB the first.

    Raises `ConfigError` or `BrokerError`.
    """
    kept: list[Record] = []
    taken = 0
    async with Reader.of(clients, [topic]) as reader:
        parts = await reader.parts(reader.partitions(topic), "earliest")
        async for records in reader.batches(_ends(parts)):
            for record in records:
                if record.value is not None and taken < _BYTES:
                    taken += len(record.value)
                    kept.append(record)
    return kept


def _ends(parts: Sequence[Part]) -> list[Part]:
    each = -(-_RECORDS // max(1, sum(part.count > 0 for part in parts)))
    return [replace(part, start=max(part.start, part.end - each)) for part in parts]
