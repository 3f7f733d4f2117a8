"""Every record of the labels topic, as it is."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Literal

from aiokafka import AIOKafkaConsumer

from streamer.client.record import LabelRecord
from streamer.errors import BrokerError
from streamer.records.fetched import read_any_header_name
from streamer.stopping import stopped

Start = Literal["earliest", "latest"]

_LOOK_EVERY_S = 0.02


class LabelStream:
    """Reads the labels topic, all partitions, without a consumer group.

    `client` holds arguments of `AIOKafkaConsumer` such as `bootstrap_servers` and TLS or SASL
    settings. Use it as a context manager and iterate: every record comes once per stream, repeats
    after a crash of a service included; `LabelTable` says which of them is the state.

        async with LabelStream(bootstrap_servers="localhost:9092") as labels:
            async for record in labels:
                print(record.key, record.label)
    """

    def __init__(
        self, topic: str = "tickets.labels", start: Start = "earliest", **client: Any
    ) -> None:
        self._topic = topic
        read_any_header_name()
        self._consumer = AIOKafkaConsumer(
            **client,
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset=start,
            isolation_level="read_committed",
        )

    async def __aenter__(self) -> "LabelStream":
        try:
            await self._consumer.start()
            await self._take_place()
        except BaseException:
            await stopped(self._consumer.stop)
            raise
        return self

    async def __aexit__(self, *error: object) -> None:
        await stopped(self._consumer.stop)

    def __aiter__(self) -> AsyncIterator[LabelRecord]:
        return self

    async def __anext__(self) -> LabelRecord:
        return LabelRecord.of(await self._consumer.getone())

    async def batch(self, wait_s: float, at_most: int | None = None) -> list[LabelRecord]:
        """What is there, up to `at_most`, after waiting at most `wait_s` seconds for anything."""
        batches = await self._consumer.getmany(timeout_ms=int(wait_s * 1000), max_records=at_most)
        return [LabelRecord.of(record) for records in batches.values() for record in records]

    async def skip(self) -> int:
        """Leave out what is there now, and return how many offsets that was."""
        left_out = 0
        for partition, end in (
            await self._consumer.end_offsets(self._consumer.assignment())
        ).items():
            ahead = end - await self._consumer.position(partition)
            if ahead > 0:
                self._consumer.seek(partition, end)
                left_out += ahead
        return left_out

    async def _take_place(self) -> None:
        await ensure_topic(self._consumer, self._topic)
        self._consumer.subscribe([self._topic])
        while not self._consumer.assignment():  # noqa: ASYNC110 - the client tells nobody
            await asyncio.sleep(_LOOK_EVERY_S)
        # Now, and not at the first fetch: "latest" means from the moment of entering.
        for partition in self._consumer.assignment():
            await self._consumer.position(partition)


async def ensure_topic(consumer: AIOKafkaConsumer, topic: str) -> None:
    """Raises `BrokerError` without the topic: a subscriber would wait for it in silence."""
    if topic not in await consumer.topics():
        raise BrokerError(f"Kafka has no topic {topic}: create it, or correct its name")
