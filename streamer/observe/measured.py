"""Kafka clients that count and time what is done with them, as OpenTelemetry wants it counted."""

import asyncio
import time
from collections.abc import Mapping
from functools import partial
from typing import Any

from streamer.observe.metrics import Metrics


class MeasuredConsumer:
    """A consumer of `topic`; all else it does as `consumer` does."""

    def __init__(self, consumer: Any, topic: str, metrics: Metrics) -> None:
        self._consumer = consumer
        self._topic = topic
        self._metrics = metrics

    def __getattr__(self, name: str) -> Any:
        return getattr(self._consumer, name)

    async def getmany(self, *, timeout_ms: int, max_records: int) -> Mapping[Any, Any]:
        """See aiokafka; a poll that brings nothing is not counted."""
        began = time.monotonic()
        got: Mapping[Any, Any] = await self._consumer.getmany(
            timeout_ms=timeout_ms, max_records=max_records
        )
        if got:
            self._metrics.operation("poll", self._topic, time.monotonic() - began)
            self._metrics.consumed(self._topic, sum(map(len, got.values())))
        return got

    async def commit(self, offsets: Mapping[Any, int]) -> None:
        """See aiokafka."""
        began = time.monotonic()
        await self._consumer.commit(offsets)
        self._metrics.operation("commit", self._topic, time.monotonic() - began)


class MeasuredProducer:
    """A producer of whole batches; all else it does as `producer` does."""

    def __init__(self, producer: Any, metrics: Metrics) -> None:
        self._producer = producer
        self._metrics = metrics

    def __getattr__(self, name: str) -> Any:
        return getattr(self._producer, name)

    async def send_batch(self, batch: Any, topic: str, *, partition: int) -> "asyncio.Future[Any]":
        """See aiokafka. Counted once Kafka has acknowledged it, and not at all where it fails."""
        records, began = batch.record_count(), time.monotonic()
        sent: asyncio.Future[Any] = await self._producer.send_batch(
            batch, topic, partition=partition
        )
        sent.add_done_callback(partial(self._acknowledged, topic, records, began))
        return sent

    def _acknowledged(
        self, topic: str, records: int, began: float, sent: "asyncio.Future[Any]"
    ) -> None:
        if not sent.cancelled() and sent.exception() is None:
            self._metrics.operation("send", topic, time.monotonic() - began)
            self._metrics.sent(topic, records)
