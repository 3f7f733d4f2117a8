"""The Faust application that reads the summaries and keeps their windows in its tables."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import faust
from faust.auth import SASLCredentials, SSLCredentials
from faust.streams import Stream
from faust.types import StreamT
from faust.types.tuples import FutureMessage
from mode.supervisors import CrashingSupervisor

from streamer.errors import BrokerError
from streamer.monitoring.windows import Taken, Windows
from streamer.records.fetched import read_any_header_name
from streamer.records.summary import Summary
from streamer.stream.connection import Connection

log = logging.getLogger(__name__)

Told = Callable[[Taken, int, int], None]

MOST_AT_ONCE = 1000
WITHIN_S = 0.2
STOP_WITHIN_S = 5.0
# A monitor that was killed reads its tables' topics before it serves again: keep them short. Kafka
# compacts closed segments alone, and by default a segment may hold a gigabyte, or a week.
_CHANGELOG = {
    "segment.bytes": 16 * 2**20,
    "segment.ms": 600_000,
    "min.cleanable.dirty.ratio": 0.1,
}


class ConfirmedTable(faust.Table[str, Any]):
    """A table that knows when Kafka has its changes.

    Faust commits offsets after a flush that neither waits for all of its own buffer nor tells of
    failures. Where the process was killed then, sums stayed too low for good in 2 of 11 tries.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        self._unconfirmed: list[FutureMessage] = []

    def send_changelog(self, *given: Any, **named: Any) -> FutureMessage:
        sent = super().send_changelog(*given, **named)
        self._unconfirmed.append(sent)
        return sent

    async def confirmed(self) -> None:
        """Wait until Kafka has acknowledged all changes up to now; raises what went wrong."""
        waiting, self._unconfirmed = self._unconfirmed, []
        await asyncio.gather(*waiting)


class SummaryTables:
    """Takes summaries from the stats topic into windows, each of them once.

    The windows lie in two tables, whose changelog topics bring them back after the end of the
    process, however it ended. A summary is acknowledged when Kafka has the tables' changes; one
    that is read again is found in its windows. Kafka holds `copies` of the changelogs. `told` gets
    what became of a batch, how many of its records were no summaries, and the offset after it.
    """

    def __init__(
        self, connection: Connection, name: str, topic: str, told: Told, *, copies: int = 1
    ) -> None:
        # Belongs to the running loop: make it there.
        read_any_header_name()
        settings = _settings(connection, name)
        self._app = faust.App(name, topic_replication_factor=copies, **settings)
        self._tables = [self._table(name) for name in ("recent", "long")]
        self.windows = Windows(*self._tables)
        self._told = told
        source = self._app.topic(topic, value_type=bytes, value_serializer="raw")
        # An error must end the process: an agent that is started again would go on behind it.
        agent = self._app.agent(source, concurrency=1, supervisor_strategy=CrashingSupervisor)
        agent(self._take)

    async def start(self) -> None:
        """Returns when the tables are back; raises `BrokerError` where that fails."""
        await self._app.start()
        self.check()

    def check(self) -> None:
        """Raises `BrokerError` once the application has given up."""
        if self._app.should_stop:
            reason = self._app.crash_reason
            raise BrokerError(f"the monitor's tables stopped ({reason!r}): look at the brokers")

    async def stop(self) -> None:
        """Commit and leave; what was not committed is read again."""
        try:
            async with asyncio.timeout(STOP_WITHIN_S):
                await self._app.stop()
        except TimeoutError:
            log.warning("the monitor's tables did not stop in time; nothing is lost by that")

    def _table(self, name: str) -> ConfirmedTable:
        table = self._app.Table(
            name, partitions=1, use_partitioner=True, extra_topic_configs=_CHANGELOG
        )
        assert isinstance(table, ConfirmedTable)  # by the setting `Table`
        return table

    async def _take(self, stream: StreamT[Any]) -> None:
        # Not take(), which acknowledges what its body failed on.
        assert isinstance(stream, Stream)
        async for events in stream.noack_take(MOST_AT_ONCE, within=WITHIN_S):
            summaries, unreadable = _read(event.value for event in events)
            taken = self.windows.take(summaries, int(time.time() * 1000))
            for table in self._tables:
                await table.confirmed()
            for event in events:
                event.ack()
            self._told(taken, unreadable, events[-1].message.offset + 1)


def _read(values: Iterable[bytes]) -> tuple[Sequence[Summary], int]:
    summaries, unreadable = [], 0
    for value in values:
        try:
            summaries.append(Summary.from_json(value))
        except (ValueError, TypeError, KeyError, AttributeError):
            unreadable += 1
    return summaries, unreadable


def _settings(connection: Connection, name: str) -> dict[str, Any]:
    return {
        "broker": [f"kafka://{host.strip()}" for host in connection.bootstrap.split(",")],
        "broker_credentials": _credentials(connection),
        # One monitor alone. Under the same id a killed one is back at once; else its partition
        # would stay with the dead member for the session timeout, which is a minute by default.
        "consumer_group_instance_id": f"{name}-1",
        "consumer_auto_offset_reset": "earliest",
        "consumer_metadata_max_age_ms": 10_000,
        "broker_session_timeout": 10.0,
        "broker_heartbeat_interval": 2.0,
        "broker_rebalance_timeout": 10.0,
        "broker_request_timeout": 40.0,
        "broker_max_poll_interval": 86_400.0,
        "broker_commit_interval": 1.0,
        "stream_recovery_delay": 0.0,
        # What is taken and not acknowledged is read again: nothing has to be waited for.
        "stream_wait_empty": False,
        "topic_partitions": 1,
        "topic_disable_leader": True,
        "table_standby_replicas": 0,
        "store": "memory://",
        "Table": ConfirmedTable,
        "key_serializer": "raw",
        "value_serializer": "raw",
        "web_enabled": False,
        "producer_acks": -1,
        "producer_compression_type": "lz4",
        "producer_request_timeout": 60.0,
    }


def _credentials(connection: Connection) -> Any:
    options = connection.options()
    if connection.protocol.startswith("SASL"):
        return SASLCredentials(
            username=connection.username,
            password=connection.password,
            mechanism=connection.mechanism,
            ssl_context=options.get("ssl_context"),
        )
    if connection.protocol == "SSL":
        return SSLCredentials(context=options["ssl_context"])
    return None
