"""Sends emissions to Kafka in whole batches, one builder per output partition."""

import asyncio
import time
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from aiokafka.errors import KafkaError

from streamer.errors import BrokerError
from streamer.stream.dead_letters import record_bytes
from streamer.stream.handler import Emission
from streamer.stream.partitioner import partitions


class Producer(Protocol):
    """The part of aiokafka's producer that is used."""

    def create_batch(self) -> Any: ...
    async def send_batch(
        self, batch: Any, topic: str, *, partition: int
    ) -> asyncio.Future[Any]: ...
    async def partitions_for(self, topic: str) -> set[int]: ...


class Publisher:
    """Sends groups of emissions and waits for their acknowledgement.

    `limit` is the largest record in bytes that may be sent; `within` is how many seconds Kafka
    may take to acknowledge before the process gives up, because an idempotent producer itself
    waits for ever.
    """

    def __init__(self, producer: Producer, limit: int, within: float) -> None:
        self._producer = producer
        self.limit = limit
        self._within = within

    def fits(self, emission: Emission) -> bool:
        """Whether Kafka would take the record."""
        return record_bytes(emission) <= self.limit

    async def send(self, emissions: Sequence[Emission]) -> list[asyncio.Future[Any]]:
        """Queue the emissions in their order; the futures are done when Kafka has them.

        Raises `BrokerError` where Kafka has no such topic or takes nothing any more.
        """
        by_topic: dict[str, list[Emission]] = {}
        for emission in emissions:
            by_topic.setdefault(emission.topic, []).append(emission)
        sent: list[asyncio.Future[Any]] = []
        for topic, group in by_topic.items():
            try:
                sent += await self._send_topic(topic, group)
            except KafkaError as error:
                raise BrokerError(
                    f"can't send to {topic}: {error!r}; nothing of this batch was committed. "
                    "Run `streamer check --connect` for the topics and the brokers"
                ) from error
        return sent

    async def acknowledged(self, sent: Iterable[asyncio.Future[Any]]) -> None:
        """Wait until Kafka has it all; raises `BrokerError` when it refuses or takes too long."""
        try:
            async with asyncio.timeout(self._within):
                await asyncio.gather(*sent)
        except TimeoutError:
            raise BrokerError(
                f"Kafka did not acknowledge within {self._within:g} s; nothing of this batch was "
                "committed. Look at the brokers' health and min.insync.replicas, then restart"
            ) from None
        except KafkaError as error:
            raise BrokerError(
                f"Kafka refused a batch ({error!r}); nothing of it was committed. "
                "Run `streamer check --connect` for the topics' settings"
            ) from error

    async def _send_topic(self, topic: str, group: Sequence[Emission]) -> list[asyncio.Future[Any]]:
        count = len(await self._producer.partitions_for(topic))
        hashed_keys = partitions([emission.key or b"" for emission in group], count).tolist()
        now = int(time.time() * 1000)
        open_batches: dict[int, Any] = {}
        sent: list[asyncio.Future[Any]] = []
        for emission, hashed in zip(group, hashed_keys, strict=True):
            partition = emission.record.partition % count if emission.key is None else hashed
            batch = open_batches.get(partition)
            if batch is None or not _append(batch, emission, now):
                if batch is not None:
                    sent.append(await self._producer.send_batch(batch, topic, partition=partition))
                open_batches[partition] = batch = self._producer.create_batch()
                _append(batch, emission, now)
        for partition, batch in open_batches.items():
            sent.append(await self._producer.send_batch(batch, topic, partition=partition))
        return sent


def _append(batch: Any, emission: Emission, now: int) -> bool:
    added = batch.append(
        key=emission.key, value=emission.value, timestamp=now, headers=list(emission.headers)
    )
    return added is not None
