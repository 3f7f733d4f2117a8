"""The tickets of which a person holds a label, which no backfill changes."""

from typing import TYPE_CHECKING

from streamer.records.label import Label
from streamer.stream.reading import Reader

if TYPE_CHECKING:
    from streamer.stream.clients import Clients


async def held_by_people(clients: "Clients", topic: str | None) -> frozenset[str]:
    """Ids of such tickets, by the table's `topic`; nobody's where there is none.

    Raises `ConfigError` without Kafka or the topic, `BrokerError` where Kafka stops answering.
    """
    if topic is None:
        return frozenset()
    sources: dict[bytes | None, str | None] = {}
    async with Reader.of(clients, [topic]) as reader:
        parts = await reader.parts(reader.partitions(topic), "earliest")
        async for batch in reader.batches(parts):
            sources.update((record.key, _holder(record.value)) for record in batch)
    return frozenset(
        (key or b"").decode("utf-8", "replace").rpartition("/")[0]
        for key, source in sources.items()
        if source == "person"
    )


def _holder(value: bytes | None) -> str | None:
    if value is None or b'"person"' not in value:
        return None
    try:
        label = Label.from_json(value)
    except ValueError:
        return None
    return None if label.released else label.source
