"""Hands out records one by one, and commits those that came back."""

import asyncio
import logging
from collections import deque
from collections.abc import Collection
from datetime import datetime
from typing import Any, Literal

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import (
    CommitFailedError,
    IllegalStateError,
    KafkaError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
)

log = logging.getLogger(__name__)

Start = Literal["earliest", "latest"] | datetime

_AT_ONCE = 500
_LEAST_WAIT_MS = 100
_GIVE_UP_AFTER_S = 5.0


class Delivery(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka comes without types
    """Records of a consumer's partitions, each at least once.

    A record is done when the next one is asked for. Done ones are committed every `commit_every`
    seconds, before partitions move to another member, and at the end; `grouped` is False where
    there is no group to commit for. `start` is where a partition begins that the group has no
    offset for; one that was added since begins with its first record.
    """

    def __init__(
        self, consumer: AIOKafkaConsumer, start: Start, commit_every: float, grouped: bool
    ) -> None:
        self._consumer = consumer
        self._start = start
        self._commit_every = commit_every
        self._grouped = grouped
        self._waiting: deque[Any] = deque()
        self._given: Any = None
        self._done: dict[TopicPartition, int] = {}
        self._committed_at = 0.0
        self._there: frozenset[int] | None = None

    async def next(self) -> Any:
        """The next record; the one before is done."""
        self._finish()
        await self._commit_when_due()
        while not self._waiting:
            await self._fetch()
            await self._commit_when_due()
        self._given = self._waiting.popleft()
        return self._given

    async def commit(self) -> None:
        """Commit what is done; what can't be committed comes again."""
        done, self._committed_at = dict(self._done), self._now()
        if not done or not self._grouped:
            return
        try:
            async with asyncio.timeout(_GIVE_UP_AFTER_S):
                await self._consumer.commit(done)
        except (CommitFailedError, IllegalStateError):
            log.info("another member has the partitions now, and reads some labels again")
            self._done.clear()
        except (KafkaError, TimeoutError) as error:
            log.warning("offsets were not committed, and are tried again: %r", error)
        else:
            self._done = {tp: offset for tp, offset in self._done.items() if done.get(tp) != offset}

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        """Give up all that was fetched; what the body has in hand at this moment comes again."""
        self._waiting.clear()
        self._given = None
        await self.commit()
        self._done.clear()

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """Note what is there: where to begin is asked for by the fetch that needs it."""
        for partition in assigned:
            self._note(partition.topic)

    async def _commit_when_due(self) -> None:
        if self._now() >= self._committed_at + self._commit_every:
            await self.commit()

    def _finish(self) -> None:
        if self._given is not None:
            partition = TopicPartition(self._given.topic, self._given.partition)
            self._done[partition] = self._given.offset + 1
            self._given = None

    async def _fetch(self) -> None:
        # Not without waiting: such a call never lets the client's own tasks run.
        wait_ms = max(int(self._commit_every * 1000), _LEAST_WAIT_MS)
        try:
            batches = await self._consumer.getmany(timeout_ms=wait_ms, max_records=_AT_ONCE)
        except NoOffsetForPartitionError as error:
            partition = error.args[0]
            there = self._note(partition.topic)
            await self._begin(
                partition, self._start if partition.partition in there else "earliest"
            )
        except OffsetOutOfRangeError as error:
            for partition, offset in error.args[0].items():
                log.warning(
                    "%s: offset %d is gone; going on at the oldest label", partition, offset
                )
                await self._begin(partition, "earliest")
        else:
            for records in batches.values():
                self._waiting.extend(records)

    def _note(self, topic: str) -> frozenset[int]:
        """The partitions that were there at first."""
        if self._there is None:
            self._there = frozenset(self._consumer.partitions_for_topic(topic) or ())
        return self._there

    async def _begin(self, partition: TopicPartition, start: Start) -> None:
        offset = await self._offset(partition, start)
        try:
            self._consumer.seek(partition, offset)
        except IllegalStateError:
            return  # it moved to another member meanwhile
        # At once: a group that begins at `latest` and is restarted before it finished anything
        # would otherwise skip what came in between.
        self._done[partition] = offset
        await self.commit()

    async def _offset(self, partition: TopicPartition, start: Start) -> int:
        if isinstance(start, datetime):
            moment = int(start.timestamp() * 1000)
            first_later = (await self._consumer.offsets_for_times({partition: moment}))[partition]
            if first_later is not None:
                return int(first_later.offset)
        ask = (
            self._consumer.beginning_offsets if start == "earliest" else self._consumer.end_offsets
        )
        return int((await ask([partition]))[partition])

    def _now(self) -> float:
        return asyncio.get_running_loop().time()
