"""Makes a Parquet file of the log topic."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

from aiokafka import AIOKafkaConsumer, TopicPartition
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from streamer.config.settings import Settings
from streamer.errors import BrokerError
from streamer.records.log_file import LogWriter
from streamer.services.streaming import connection
from streamer.stream.clients import Clients
from streamer.stream.positions import Start

PATIENCE_S = 60.0

Offsets = dict[TopicPartition, int]


def run(settings: Settings, file: Path, since: Start) -> int:
    """Write what is in the log topic from `since` on to `file`; what comes meanwhile is left.

    Raises `ConfigError` where Kafka, the topic or the file's folder is not there, `BrokerError`
    where Kafka stops answering. Values that are no log records are counted and left out.
    """
    written, unreadable = asyncio.run(_export(settings, file, since))
    sys.stdout.write(f"wrote {written} records to {file}\n")
    if unreadable:
        sys.stderr.write(f"left out {unreadable} values that are no log records of this release\n")
    if not written:
        sys.stderr.write("nothing was logged: raise audit.share or log.share, and wait\n")
    return 0


async def _export(settings: Settings, file: Path, since: Start) -> tuple[int, int]:
    topic, clients = settings.topics.log, Clients(connection(settings.kafka))
    await clients.ensure_topics([topic])
    consumer = AIOKafkaConsumer(
        topic,
        **clients.connection.options(),
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
    )
    written = unreadable = 0
    async with clients.started(consumer):
        starts, ends = await _range(consumer, since)
        with LogWriter(file) as log, _bar() as bar:
            task = bar.add_task(topic, total=sum(ends[p] - starts[p] for p in starts))
            async for value in _values(consumer, starts, ends):
                try:
                    log.add(value or b"")
                    written += 1
                except (ValueError, TypeError, KeyError):
                    unreadable += 1
                bar.advance(task)
    return written, unreadable


async def _range(consumer: AIOKafkaConsumer, since: Start) -> tuple[Offsets, Offsets]:
    """The first offset to read of each partition, and the one to stop before."""
    partitions = consumer.assignment()
    ends: Offsets = await consumer.end_offsets(partitions)
    if since == "latest":
        return ends, ends
    starts: Offsets = await consumer.beginning_offsets(partitions)
    if isinstance(since, datetime):
        moment = int(since.timestamp() * 1000)
        found = await consumer.offsets_for_times(dict.fromkeys(partitions, moment))
        starts = {p: ends[p] if at is None else at.offset for p, at in found.items()}
    return starts, ends


async def _values(
    consumer: AIOKafkaConsumer, starts: Offsets, ends: Offsets
) -> AsyncIterator[bytes | None]:
    waiting = [partition for partition in starts if starts[partition] < ends[partition]]
    for partition in waiting:
        consumer.seek(partition, starts[partition])
    heard = time.monotonic()
    while waiting:
        found = await consumer.getmany(*waiting, timeout_ms=1000)
        for partition, records in found.items():
            for record in records:
                if record.offset < ends[partition]:
                    yield record.value
        if found:
            heard = time.monotonic()
        elif time.monotonic() - heard > PATIENCE_S:
            raise BrokerError(f"Kafka sent nothing for {PATIENCE_S:g} s: look at the brokers")
        waiting = [p for p in waiting if await consumer.position(p) < ends[p]]


def _bar() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True))
