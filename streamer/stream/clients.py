"""Kafka clients with every setting that matters said aloud, never left to a default."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.errors import KafkaConnectionError, KafkaError

from streamer.errors import BrokerError, ConfigError
from streamer.records.fetched import read_any_header_name
from streamer.stopping import stopped
from streamer.stream.connection import Connection
from streamer.stream.odd_batch import Producer
from streamer.stream.topics import misspelt

REPLY_WITHIN_MS = 40_000
MARGIN = 64 * 1024
BATCH_BYTES = 512 * 1024
FETCH_BYTES = 16 * 2**20
PARTITION_BYTES = 2**20
FOLLOWED_BYTES = 2**20
REJOIN_MARGIN_MS = 10_000
# How long it goes unnoticed that partitions were added.
METADATA_AGE_MS = 10_000
# The client leaves the group when it isn't polled for so long; the engine has its own watchdog.
POLL_WITHIN_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Clients:
    """Makes clients for one Kafka; start them by `started`."""

    connection: Connection

    def consumer(
        self, group: str, *, member: str | None, session_timeout: float, drain: float
    ) -> AIOKafkaConsumer:
        """A consumer of `group` without a subscription. Times are in seconds.

        `member` is a static member id: such a member is back at once after a crash, but holds
        its partitions for `session_timeout` where it isn't restarted.
        """
        read_any_header_name()
        session_ms = int(session_timeout * 1000)
        return AIOKafkaConsumer(
            **self.connection.options(),
            group_id=group,
            group_instance_id=member,
            enable_auto_commit=False,
            auto_offset_reset="none",
            isolation_level="read_committed",
            partition_assignment_strategy=(RoundRobinPartitionAssignor,),
            session_timeout_ms=session_ms,
            heartbeat_interval_ms=session_ms // 4,
            rebalance_timeout_ms=int(drain * 1000) + REJOIN_MARGIN_MS,
            max_poll_interval_ms=POLL_WITHIN_MS,
            request_timeout_ms=REPLY_WITHIN_MS,
            metadata_max_age_ms=METADATA_AGE_MS,
            max_partition_fetch_bytes=PARTITION_BYTES,
            fetch_max_bytes=FETCH_BYTES,
        )

    def follower(self) -> AIOKafkaConsumer:
        """A consumer without a group, of partitions that it is given."""
        read_any_header_name()
        return AIOKafkaConsumer(
            **self.connection.options(),
            group_id=None,
            enable_auto_commit=False,
            # Below what is asked for only what was deleted while we read.
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            request_timeout_ms=REPLY_WITHIN_MS,
            max_partition_fetch_bytes=FOLLOWED_BYTES,
        )

    def producer(self, *, limit: int, compression: str | None) -> Producer:
        """An idempotent producer for records that came in with up to `limit` bytes.

        No linger: the engine sends whole batches. Its requests may exceed `limit`, because they
        are counted before compression and a copy carries more headers than the original.
        """
        return Producer(
            **self.connection.options(),
            acks="all",
            enable_idempotence=True,
            compression_type=compression,
            linger_ms=0,
            metadata_max_age_ms=METADATA_AGE_MS,
            max_batch_size=min(BATCH_BYTES, limit),
            max_request_size=limit + MARGIN,
            request_timeout_ms=REPLY_WITHIN_MS,
        )

    @asynccontextmanager
    async def started(self, client: Any) -> AsyncIterator[Any]:
        """The client, started, and stopped at the end; raises `ConfigError` without Kafka."""
        try:
            await self._start(client)
            yield client
        finally:
            await stopped(client.stop)

    @asynccontextmanager
    async def admin(self) -> AsyncIterator[AIOKafkaAdminClient]:
        """An admin client, started, and closed at the end; raises `ConfigError` without Kafka."""
        admin = AIOKafkaAdminClient(**self.connection.options(), request_timeout_ms=REPLY_WITHIN_MS)
        try:
            await self._start(admin)
            yield admin
        finally:
            await stopped(admin.close)

    async def ensure_topics(self, topics: Iterable[str]) -> None:
        """Raises `ConfigError` naming the topics that Kafka doesn't have.

        A consumer of a missing topic would wait for it in silence.
        """
        try:
            async with self.admin() as admin:
                there = set(await admin.list_topics())
        except KafkaError as error:
            raise BrokerError(
                f"Kafka at {self.connection.bootstrap} doesn't list its topics ({error!r}); "
                "look at the brokers' health and this user's rights"
            ) from error
        wanted = set(topics)
        if missing := sorted(wanted - there):
            # Names that share a stem are near each other, and none of them stands for another.
            near = filter(None, (misspelt(name, there - wanted) for name in missing))
            meant = next((f"; did you mean {topic}?" for topic in near), ":")
            raise ConfigError(
                f"Kafka at {self.connection.bootstrap} has no topic {', '.join(missing)}"
                f"{meant} create it by `streamer topics --create`, or "
                "correct the names under `topics`"
            )

    async def _start(self, client: Any) -> None:
        try:
            await client.start()
            # aiokafka's tasks must have begun: one that is stopped before ends as if cancelled.
            await asyncio.sleep(0)
        except KafkaConnectionError as error:
            raise ConfigError(
                f"no Kafka answers at {self.connection.bootstrap} by {self.connection.protocol}: "
                "start it, or correct kafka.bootstrap and kafka.security"
            ) from error
        except (KafkaError, ValueError, OSError) as error:
            # What answers there may be anything, and its answer no Kafka's.
            raise ConfigError(
                f"what answers at {self.connection.bootstrap} is no Kafka that takes this client"
                f" by {self.connection.protocol} ({_first_line(error)}): correct kafka.bootstrap,"
                " or kafka.security"
            ) from error


def _first_line(error: Exception) -> str:
    lines = str(error).splitlines()
    return lines[0] if lines else type(error).__name__
