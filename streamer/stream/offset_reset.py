"""Where to begin reading, and what to do when Kafka no longer has what comes next."""

import logging
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Literal, Protocol

from aiokafka import TopicPartition

from streamer.errors import ConfigError

log = logging.getLogger(__name__)

Start = Literal["earliest", "latest"] | datetime


class Consumer(Protocol):
    """The part of aiokafka's consumer that is used."""

    async def beginning_offsets(
        self, partitions: Iterable[TopicPartition]
    ) -> dict[TopicPartition, int]: ...
    async def end_offsets(
        self, partitions: Iterable[TopicPartition]
    ) -> dict[TopicPartition, int]: ...
    async def offsets_for_times(
        self, timestamps: Mapping[TopicPartition, int]
    ) -> Mapping[TopicPartition, Any]: ...
    def assignment(self) -> Iterable[TopicPartition]: ...
    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None: ...
    def seek(self, partition: TopicPartition, offset: int) -> None: ...


class Topic(Protocol):
    """What is known of the topic: which partitions of one that was made again are not begun."""

    stale: set[int]
    unread: dict[int, int]

    def is_added(self, partition: int) -> bool: ...
    async def look(self) -> None: ...


class OffsetReset:
    """Sets a partition's position where the group has none, or one that is gone.

    `start` is where a new group begins. `resume` is the operator's answer to an offset out of
    range; without one that is an error, because both silent answers are wrong: one skips records,
    the other judges a whole topic again. Of a partition that was added to the topic, and of a topic
    that was made again, nothing was read before: these begin with their first record.
    """

    def __init__(
        self, consumer: Consumer, topic: Topic, start: Start, resume: Start | None = None
    ) -> None:
        self._consumer = consumer
        self._topic = topic
        self._start = start
        self._resume = resume

    @property
    def outdated(self) -> bool:
        """Whether the offsets at hand are those of a topic that is no more."""
        return bool(self._topic.stale) and bool(self._stale())

    @property
    def unread(self) -> Mapping[int, int]:
        """How many records wait in partitions that no member of the group reads."""
        return self._topic.unread

    async def begin_again(self) -> None:
        """Start the assigned partitions of a topic that was made again, and commit that.

        What was committed since is of the old topic, and could well lie in the new one.
        """
        for partition in self._stale():
            await self._begin_at(partition, "earliest")
            self._topic.stale.discard(partition.partition)

    def _stale(self) -> list[TopicPartition]:
        assigned = self._consumer.assignment()
        return [partition for partition in assigned if partition.partition in self._topic.stale]

    async def begin(self, partition: TopicPartition) -> None:
        """Start a partition for which the group has no offset, and commit where.

        Committed at once: a group that starts at `latest` and is restarted before it finished
        anything would otherwise skip what came in between.
        """
        added = self._topic.is_added(partition.partition)
        await self._begin_at(partition, "earliest" if added else self._start)

    async def _begin_at(self, partition: TopicPartition, where: Start) -> None:
        offset = await self._offset(partition, where)
        log.info("%s: new to the group, starting at offset %d", partition, offset)
        self._consumer.seek(partition, offset)
        await self._consumer.commit({partition: offset})

    async def out_of_range(self, partition: TopicPartition, offset: int) -> None:
        """Go on after an offset that Kafka doesn't have; raises `ConfigError` without `resume`."""
        await self._topic.look()
        if self.outdated:
            return
        first = (await self._consumer.beginning_offsets([partition]))[partition]
        end = (await self._consumer.end_offsets([partition]))[partition]
        what = (
            f"{first - offset} records were deleted before they were read"
            if offset < first
            else f"the topic ends {offset - end} records before it, as after it was made again; "
            f"{end - first} records are in it"
        )
        name = f"{partition.topic}[{partition.partition}]"
        if self._resume is None:
            raise ConfigError(
                f"{name}: the committed offset {offset} is out of range: {what}. Nothing was "
                "skipped or repeated: start again with --resume earliest, latest or a time"
            )
        to = await self._offset(partition, self._resume)
        log.warning("%s: offset %d is out of range: %s; going on at %d", name, offset, what, to)
        self._consumer.seek(partition, to)

    async def _offset(self, partition: TopicPartition, where: Start) -> int:
        if isinstance(where, datetime):
            # Kafka knows no time before 1970, and refuses to be asked about one.
            moment = {partition: max(int(where.timestamp() * 1000), 0)}
            first_later = (await self._consumer.offsets_for_times(moment))[partition]
            if first_later is not None:
                return int(first_later.offset)
        if where == "earliest":
            return (await self._consumer.beginning_offsets([partition]))[partition]
        return (await self._consumer.end_offsets([partition]))[partition]
