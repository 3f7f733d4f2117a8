"""Reads the table's own topic back: what was written before, and what others write late."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError
from numpy.typing import NDArray

from streamer.errors import BrokerError, ConfigError
from streamer.services.table.record import caused, writer, written
from streamer.services.table.said import heard_at
from streamer.services.table.shelves import Shelved, Shelves
from streamer.stream.handler import Record
from streamer.stream.partitioner import partitions

POLL_MS = 200

Stray = Callable[[Record], Awaitable[bool]]
"""Called with a record of a ready partition that another process wrote; False where the partition
isn't ready any more.
"""


class OwnTopic:
    """Follows the partitions that this process writes, and keeps `shelves` to what they say.

    A partition is ready once all that was in it has been read. Of what a table wrote there before,
    the last is the state, unless it follows from an older record of `labels` than what it lies
    behind; that, and what others wrote, is written over. From then on this process alone decides
    what stands there. None is ready where `moved`, the count of rebalances, is another than before,
    nor after a stop of more than `session` seconds, which has perhaps cost all. `held` gives the
    partitions that are read now; what is known of others is dropped.
    """

    def __init__(
        self,
        consumer: Any,
        labels: str,
        topic: str,
        me: bytes,
        shelves: Shelves,
        session: float,
        held: Callable[[], Collection[int]],
        moved: Callable[[], int],
    ) -> None:
        self._consumer = consumer
        self._labels = labels
        self._topic = topic
        self._me = me
        self._shelves = shelves
        self._session = session
        self._held = held
        self._moved = moved
        self._moves = 0
        self._wanted: set[int] = set()
        self._ready: set[int] = set()
        self._followed: dict[int, Shelved] = {}
        self._read = asyncio.Condition()
        self._looked = time.monotonic()

    def ready(self, number: int) -> bool:
        """Whether this process decides what stands in a partition."""
        self._let_go()
        return number in self._ready

    def forget(self, numbers: Iterable[int]) -> None:
        """Read these partitions from their beginning: what is known of them was not all written."""
        gone = set(numbers)
        self._ready -= gone
        self._shelves.drop(gone)

    def misplaced(self, batch: Sequence[Record]) -> NDArray[np.bool_]:
        """Which labels, [len(batch)], have no key, or one whose states lie in another partition."""
        count = len(self._consumer.partitions_for_topic(self._topic))
        targets = partitions([record.key or b"" for record in batch], count).tolist()
        given = zip(batch, targets, strict=True)
        return np.array(
            [record.key is None or record.partition != partition for record, partition in given]
        )

    async def catch_up(self, numbers: Iterable[int]) -> None:
        """Return once these partitions, which are held, are ready.

        Raises `BrokerError` where Kafka doesn't say how much is in them, `ConfigError` where they
        tell of labels that their topic doesn't have.
        """
        self._let_go()
        missing = set(numbers) - self._ready
        if not missing:
            return
        self._wanted = {*self._held(), *missing}
        try:
            ends = await self._consumer.end_offsets(
                [self._topic_partition(number) for number in missing]
            )
            await self._until_read(ends)
            await self._refuse_other_labels(missing)
        except KafkaError as error:
            raise self._unreadable(error) from error
        await self._until_read(ends)  # it may have left and come back meanwhile
        self._ready |= missing

    async def run(self, stray: Stray) -> None:
        """Follow the topic until cancelled; raises `BrokerError`, or `ConfigError` for a layout
        of partitions that isn't the one that the topic was written with.
        """
        try:
            while True:
                await self._follow(stray)
        except KafkaError as error:
            raise self._unreadable(error) from error

    def _unreadable(self, error: KafkaError) -> BrokerError:
        return BrokerError(
            f"reading {self._topic} back failed: {error!r}; run `streamer check --connect` for "
            "the topic and this user's rights, then restart"
        )

    async def _follow(self, stray: Stray) -> None:
        self._let_go()
        await self._assign()
        if not self._followed:
            await asyncio.sleep(POLL_MS / 1000)
            return
        batches = await self._consumer.getmany(timeout_ms=POLL_MS)
        self._notice_a_stop()
        self._let_go()
        for partition, records in batches.items():
            await self._take(partition.partition, records, stray)
        for number, held in self._followed.items():
            held.position = await self._consumer.position(self._topic_partition(number))
        async with self._read:
            self._read.notify_all()
        await self._mend(stray)

    async def _mend(self, stray: Stray) -> None:
        """Have what stands written over what was found behind it."""
        for number in self._ready & self._followed.keys():
            held = self._followed[number]
            while held.strays and held is self._shelves[number]:
                if not await stray(next(iter(held.strays.values()))):
                    return
                del held.strays[next(iter(held.strays))]

    async def _assign(self) -> None:
        """Follow what is wanted; what was dropped meanwhile is another shelf, and begins anew."""
        wanted = {number: self._shelves[number] for number in sorted(self._wanted)}
        if wanted.keys() == self._followed.keys() and all(
            held is self._followed[number] for number, held in wanted.items()
        ):
            return
        topic_partitions = [self._topic_partition(number) for number in wanted]
        first = await self._consumer.beginning_offsets(topic_partitions) if topic_partitions else {}
        self._consumer.assign(topic_partitions)
        for partition in topic_partitions:
            self._consumer.seek(
                partition, max(wanted[partition.partition].position, first[partition])
            )
        self._followed = wanted

    def _let_go(self) -> None:
        """See whether partitions were given out anew, before anything is decided about them."""
        if (moves := self._moved()) != self._moves:
            self._moves = moves
            self._ready.clear()
        if left := self._wanted - {*self._held()}:
            self._wanted -= left
            self.forget(left)

    def _notice_a_stop(self) -> None:
        now = time.monotonic()
        if now - self._looked > self._session:
            self._ready.clear()
        self._looked = now

    async def _take(self, number: int, records: Sequence[Record], stray: Stray) -> None:
        held = self._followed[number]
        for record in self._placed(number, records):
            held.strays.pop(record.key or b"", None)
            mine = writer(record.headers) == self._me
            ready = number in self._ready and held is self._shelves[number]
            if not ready or not (mine or await stray(record)):
                _restore(held, record)
            if mine:
                _read_back(held, record)

    def _placed(self, number: int, records: Sequence[Record]) -> Iterator[Record]:
        """Those whose keys belong here: the others aren't read as the state of any key."""
        count = len(self._consumer.partitions_for_topic(self._topic))
        targets = partitions([record.key or b"" for record in records], count).tolist()
        for record, partition in zip(records, targets, strict=True):
            if partition == number and record.key is not None:
                yield record
            elif writer(record.headers) is not None:
                raise self._other_layout(number)

    def _other_layout(self, number: int) -> ConfigError:
        return ConfigError(
            f"{self._topic}[{number}] holds keys of other partitions: partitions were added "
            "since it was written. Stop the table everywhere, then run `streamer table "
            "--rebuild`"
        )

    async def _refuse_other_labels(self, numbers: Iterable[int]) -> None:
        topic_partitions = [TopicPartition(self._labels, number) for number in numbers]
        for partition, end in (await self._consumer.end_offsets(topic_partitions)).items():
            if self._shelves[partition.partition].heard >= end:
                raise ConfigError(
                    f"{self._topic}[{partition.partition}] tells of labels that {self._labels} "
                    "doesn't have: that was made again. Stop the table everywhere, then run "
                    "`streamer table --rebuild`"
                )

    async def _until_read(self, ends: dict[TopicPartition, int]) -> None:
        async with self._read:
            await self._read.wait_for(lambda: self._reached(ends))

    def _reached(self, ends: dict[TopicPartition, int]) -> bool:
        return all(
            self._shelves[partition.partition].position >= end for partition, end in ends.items()
        )

    def _topic_partition(self, number: int) -> TopicPartition:
        return TopicPartition(self._topic, number)


def _restore(held: Shelved, record: Record) -> None:
    shelf, key = held.shelf, record.key or b""
    if key in held.fresh:
        return  # what is on its way lies behind it
    try:
        state, cause = written(record), caused(record.headers)
    except (ValueError, TypeError, LookupError):
        held.strays[key] = record  # not the table's, whoever wrote it
        return
    if cause is not None and cause < shelf.cause(key):
        held.strays[key] = record
        return
    shelf.put(key, state, heard_at(record), cause or 0)
    held.heard = max(held.heard, -1 if cause is None else cause)
    shelf.lies(key, record.offset)


def _read_back(held: Shelved, record: Record) -> None:
    key = record.key or b""
    if key not in held.strays:
        held.shelf.lies(key, record.offset)
    if (fresh := held.fresh.get(key)) is not None:
        fresh.count -= 1
        if not fresh.count:
            del held.fresh[key]
