"""What becomes of a topic while a group reads it."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import TopicPartition
from aiokafka.coordinator.protocol import ConsumerProtocol
from aiokafka.errors import KafkaError

from streamer.errors import BrokerError
from streamer.stream.clients import Clients
from streamer.stream.groups import committed
from streamer.stream.topic_state import TopicState, topic_state

log = logging.getLogger(__name__)

EVERY = 5.0
WITHIN = 20.0
# By then every member has noticed, and what is committed is of the new topic.
STALE_FOR = 60.0


class TopicWatch:
    """Notices a topic that was deleted and made again, and partitions that nobody reads.

    Offsets say nothing about the first: those of the old topic may lie in the new one. The second
    happens to groups of static members: Kafka gives a member that was restarted its partitions back
    without anybody looking whether there are more by now, and whoever leads the group since doesn't
    know that it does (KAFKA-13435). `unread` has how many records wait in each such partition;
    `stale` are the partitions of a topic made again that this member has not begun yet: also those
    of others, who may commit an offset of the old topic before they notice. Make one by
    `TopicWatch.of`.
    """

    def __init__(self, admin: Any, consumer: Any, group: str, topic: str) -> None:
        self._admin = admin
        self._consumer = consumer
        self._group = group
        self._topic = topic
        self._state: TopicState | None = None
        self._first: int | None = None
        self._missed = 0
        self._gone = False
        self._noticed_at = 0.0
        self.stale: set[int] = set()
        self.unread: dict[int, int] = {}

    @classmethod
    @asynccontextmanager
    async def of(
        cls, clients: Clients, consumer: Any, group: str, topic: str
    ) -> AsyncIterator["TopicWatch"]:
        """Watches meanwhile; begun before the consumer joins its group.

        What Kafka does not answer stays as it was: no work waits for this.
        """
        async with clients.admin() as admin:
            watch = cls(admin, consumer, group, topic)
            await watch.begin()
            watching = asyncio.create_task(watch._regularly())
            try:
                yield watch
            finally:
                watching.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await watching

    async def begin(self) -> None:
        """Note which topic it is, and which partitions the group may be new to."""
        try:
            state = await topic_state(self._admin, self._topic)
        except KafkaError as error:
            raise BrokerError(
                f"Kafka doesn't describe {self._topic} ({error!r}): look at it"
            ) from error
        commits = await committed(self._admin, self._group)
        read_before = any(partition.topic == self._topic for partition in commits)
        self._state = state
        self._first = 0 if read_before or state is None else state.partitions

    @property
    def count(self) -> int | None:
        """How many partitions there are, as of the last look; None where Kafka has not said."""
        return None if self._state is None else self._state.partitions

    def is_added(self, partition: int) -> bool:
        """Whether the group had read the topic before this partition of it was there."""
        return self._first is not None and partition >= self._first

    async def look(self) -> None:
        """Ask now; raises `KafkaError`."""
        state, before = await topic_state(self._admin, self._topic), self._state
        if state is None:
            if not self._gone:
                log.warning("%s is gone: make it again, or stop this service", self._topic)
            self._gone = True
            return
        self._gone = False
        if before is not None and state.id != before.id:
            log.warning(
                "%s was deleted and made again: what was in flight is of the old one, and the new "
                "one is read from its beginning. Its tickets get decision ids that were there "
                "before; subscribers tell them apart by key and created_at",
                self._topic,
            )
            self.stale, self._noticed_at = set(range(state.partitions)), time.monotonic()
        elif time.monotonic() - self._noticed_at > STALE_FOR:
            self.stale.clear()
        self._state = state
        await self._look_for_unread(state)

    async def _look_for_unread(self, state: TopicState) -> None:
        owned = await self._owned()
        if owned is None:
            return
        self.unread = await self._waiting(set(range(state.partitions)) - owned)
        self._missed = self._missed + 1 if self.unread else 0
        # One look may have come before the group's own; later ones wait twice as long each time.
        if self._missed > 1 and self._missed.bit_count() == 1:
            log.warning(
                "nobody in group %s reads %s%s: joining it anew",
                self._group,
                self._topic,
                sorted(self.unread),
            )
            # Private, because to subscribe again would forget what can still be committed.
            self._consumer._coordinator.request_rejoin()

    async def _waiting(self, partitions: Iterable[int]) -> dict[int, int]:
        """How many records of partitions that nobody reads wait there."""
        unread = [TopicPartition(self._topic, number) for number in sorted(partitions)]
        if not unread:
            return {}
        firsts = await self._consumer.beginning_offsets(unread)
        ends = await self._consumer.end_offsets(unread)
        commits = await committed(self._admin, self._group)
        return {
            partition.partition: ends[partition] - commits.get(partition, firsts[partition])
            for partition in unread
        }

    async def _owned(self) -> frozenset[int] | None:
        """The partitions that the group's members read; None while they are being shared out."""
        (answer,) = await self._admin.describe_consumer_groups([self._group])
        ((error, _, state, _, _, members, *_),) = answer.groups
        if error or state != "Stable":
            return None
        shares = [ConsumerProtocol.ASSIGNMENT.decode(member[4]) for member in members]
        return frozenset(
            partition.partition
            for share in shares
            for partition in share.partitions()
            if partition.topic == self._topic
        )

    async def _regularly(self) -> None:
        while True:
            await asyncio.sleep(EVERY)
            try:
                async with asyncio.timeout(WITHIN):
                    await self.look()
            except (KafkaError, TimeoutError) as error:
                log.debug("it is not known how %s is: %r", self._topic, error)
