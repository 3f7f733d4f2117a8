"""A log, a producer and a consumer group in memory, as unkind as Kafka and aiokafka may be."""

import asyncio
import random
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import (
    CommitFailedError,
    IllegalStateError,
    NoOffsetForPartitionError,
    UnknownError,
    UnknownTopicOrPartitionError,
)

TOPIC = "tickets"

Output = tuple[int, int, int]  # partition, offset, number of the output
SET_ASIDE = -1  # the number of a dead letter


@dataclass(frozen=True, slots=True)
class SimRecord:
    partition: int
    offset: int
    topic: str = TOPIC
    timestamp: int = 0
    key: bytes | None = None
    value: bytes | None = b"text"
    headers: Sequence[tuple[str, bytes]] = ()
    deadly: bool = False

    @property
    def outputs(self) -> list[Output]:
        """What has to be published for this record: nothing, one or two records."""
        count = (self.partition * 7 + self.offset * 13) % 3
        return [(self.partition, self.offset, number) for number in range(count)]


class Log:
    """Input partitions with gaps in their offsets, what was published, and what was committed."""

    def __init__(self, chance: random.Random, partitions: int, deadly: float = 0.0) -> None:
        """`deadly` is the share of the records that end the process which handles them."""
        self.chance = chance
        self._deadly = deadly
        self.records: dict[TopicPartition, list[SimRecord]] = {
            TopicPartition(TOPIC, number): [] for number in range(partitions)
        }
        self.committed: dict[TopicPartition, int] = {}
        self.notes: dict[TopicPartition, str] = {}
        # How many records of each were found done below a commit; what is done stays done.
        self._checked = dict.fromkeys(self.records, 0)
        self.published: dict[Output, int] = {}
        self.settled: set[tuple[int, int]] = set()
        self.violations: list[str] = []

    def grow(self, count: int) -> None:
        for _ in range(count):
            partition, records = self.chance.choice(list(self.records.items()))
            last = records[-1].offset if records else -1
            offset = last + self.chance.choice([1, 1, 1, 2, 5])
            # Not drawn where there are none: the runs without them stay what they were.
            deadly = bool(self._deadly) and self.chance.random() < self._deadly
            records.append(SimRecord(partition.partition, offset, deadly=deadly))

    def commit(self, partition: TopicPartition, offset: int, note: str = "") -> None:
        """Take a commit and hold the invariant: what lies below it is published."""
        if offset < self.committed.get(partition, 0):
            self.violations.append(f"{partition} went back to {offset}")
        self.committed[partition] = offset
        self.notes[partition] = note
        while (place := self._checked[partition]) < len(self.records[partition]):
            record = self.records[partition][place]
            if record.offset >= offset:
                break
            self._checked[partition] += 1
            if not self.is_done(record):
                self.violations.append(f"{partition} committed {offset}, {record.offset} not done")

    def is_set_aside(self, record: SimRecord) -> bool:
        return (record.partition, record.offset, SET_ASIDE) in self.published

    def is_done(self, record: SimRecord) -> bool:
        if self.is_set_aside(record):
            return True
        if not record.outputs:
            return (record.partition, record.offset) in self.settled
        return all(output in self.published for output in record.outputs)

    def publish(self, output: Output) -> None:
        self.published[output] = self.published.get(output, 0) + 1

    @property
    def all_committed(self) -> bool:
        return all(
            self.committed.get(partition, 0) > records[-1].offset
            for partition, records in self.records.items()
            if records
        )

    @property
    def lost(self) -> list[SimRecord]:
        return [r for records in self.records.values() for r in records if not self.is_done(r)]

    @property
    def repeats(self) -> int:
        return sum(self.published.values()) - len(self.published)


class SimBatch:
    def __init__(self, room: int) -> None:
        self.outputs: list[Output] = []
        self._room = room

    def append(self, *, key: bytes, value: bytes, timestamp: int, headers: Any) -> object | None:
        if len(self.outputs) >= self._room:
            return None
        partition, offset, number = key.decode().split("/")
        self.outputs.append((int(partition), int(offset), int(number)))
        return object()


class SimProducer:
    """Acknowledges in any order, late, or not at all; dies with its process."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self.dead = False
        self.refuse = 0.0

    def create_batch(self) -> SimBatch:
        return SimBatch(self._log.chance.randint(1, 8))

    async def partitions_for(self, topic: str) -> set[int]:
        return {0, 1, 2}

    async def send_batch(
        self, batch: SimBatch, topic: str, *, partition: int
    ) -> asyncio.Future[None]:
        chance = self._log.chance
        if chance.random() < 0.3:
            await asyncio.sleep(chance.expovariate(20))
        acknowledged = asyncio.get_running_loop().create_future()
        # In a process that is killed, what was sent arrives or doesn't, without a word.
        arrives_anyway = chance.random() < 0.5
        fails = chance.random() < self.refuse
        if fails and arrives_anyway:
            raise UnknownTopicOrPartitionError

        def land() -> None:
            if self.dead and not arrives_anyway:
                return
            if fails:
                if not acknowledged.done():
                    acknowledged.set_exception(UnknownError("refused"))
                    acknowledged.exception()
                return
            for output in batch.outputs:
                self._log.publish(output)
            if not acknowledged.done():
                acknowledged.set_result(None)

        asyncio.get_running_loop().call_later(chance.expovariate(10), land)
        return acknowledged


class SimConsumer:
    """A member of the group; the coordinator works behind its back, as aiokafka's does."""

    def __init__(self, log: Log, group: "Group") -> None:
        self._log = log
        self._group = group
        self.listener: ConsumerRebalanceListener | None = None
        self.held: frozenset[TopicPartition] = frozenset()
        self.position: dict[TopicPartition, int] = {}
        self.generation = -1
        self.assigned = asyncio.Event()
        self.dead = False
        self._paused: set[TopicPartition] = set()

    def subscribe(self, *, topics: list[str], listener: ConsumerRebalanceListener) -> None:
        self.listener = listener
        self._group.join(self)

    def take_over(self, held: frozenset[TopicPartition], generation: int) -> None:
        self.held, self.generation = held, generation
        self.position = {tp: self._log.committed[tp] for tp in held if tp in self._log.committed}
        self._paused.clear()
        self.assigned.set()

    async def getmany(
        self, *, timeout_ms: int, max_records: int
    ) -> Mapping[TopicPartition, Sequence[SimRecord]]:
        await self.assigned.wait()
        if not self._ready() and timeout_ms:
            await asyncio.sleep(self._log.chance.uniform(0, timeout_ms / 1000))
            await self.assigned.wait()
        return self._drain(max_records)

    def _ready(self) -> bool:
        return any(
            tp not in self.position or self._ahead(tp) for tp in self.held if tp not in self._paused
        )

    def _ahead(self, tp: TopicPartition) -> list[SimRecord]:
        records = self._log.records[tp]
        return records[bisect_left(records, self.position[tp], key=lambda r: r.offset) :]

    def _drain(self, room: int) -> Mapping[TopicPartition, Sequence[SimRecord]]:
        got: dict[TopicPartition, Sequence[SimRecord]] = {}
        for tp in self._log.chance.sample(sorted(self.held), len(self.held)):
            if tp in self._paused:
                continue
            if tp not in self.position:
                if got:
                    break
                raise NoOffsetForPartitionError(tp)
            wanted = self._log.chance.randint(1, 40)
            if records := self._ahead(tp)[: min(wanted, room)]:
                got[tp] = records
                room -= len(records)
                self.position[tp] = records[-1].offset + 1
            if room <= 0:
                break
        return got

    async def commit(
        self, offsets: Mapping[TopicPartition, int] | Mapping[TopicPartition, tuple[int, str]]
    ) -> None:
        if not set(offsets) <= self.held:
            raise IllegalStateError("not assigned")
        generation = self.generation
        await asyncio.sleep(self._log.chance.expovariate(50))
        if self.dead:
            await asyncio.get_running_loop().create_future()
        if generation != self._group.generation:
            raise CommitFailedError
        for partition, committed in offsets.items():
            offset, note = committed if isinstance(committed, tuple) else (committed, "")
            self._log.commit(partition, offset, note)

    def assignment(self) -> frozenset[TopicPartition]:
        return self.held

    def highwater(self, partition: TopicPartition) -> int | None:
        return None

    def pause(self, *partitions: TopicPartition) -> None:
        self._check(partitions)
        self._paused.update(partitions)

    def paused(self) -> set[TopicPartition]:
        return set(self._paused)

    def resume(self, *partitions: TopicPartition) -> None:
        self._check(partitions)
        self._paused.difference_update(partitions)

    def seek(self, partition: TopicPartition, offset: int) -> None:
        self._check([partition])
        self.position[partition] = offset

    def _check(self, partitions: Iterable[TopicPartition]) -> None:
        if not set(partitions) <= self.held:
            raise IllegalStateError("not assigned")

    async def beginning_offsets(
        self, partitions: Iterable[TopicPartition]
    ) -> dict[TopicPartition, int]:
        await asyncio.sleep(self._log.chance.expovariate(20))
        return dict.fromkeys(partitions, 0)

    async def end_offsets(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        raise AssertionError("the simulated groups start at earliest")

    async def offsets_for_times(
        self, timestamps: Mapping[TopicPartition, int]
    ) -> Mapping[Any, Any]:
        raise AssertionError("the simulated groups start at earliest")


class Group:
    """An eager consumer group: all give back what they hold, then all get their new share."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self.members: list[SimConsumer] = []
        self.generation = 0
        self._wanted = asyncio.Event()
        self._revoking: dict[SimConsumer, asyncio.Task[Any]] = {}
        self._announcing: set[asyncio.Task[Any]] = set()

    def join(self, member: SimConsumer) -> None:
        self.members.append(member)
        self._wanted.set()

    def leave(self, member: SimConsumer) -> None:
        if member in self.members:
            self.members.remove(member)
        member.assigned.clear()
        self._wanted.set()

    def kill(self, member: SimConsumer) -> None:
        """The process is gone; the group notices only when the session has timed out."""
        member.dead = True
        if task := self._revoking.get(member):
            task.cancel()
        asyncio.get_running_loop().call_later(self._log.chance.uniform(0.1, 6), self.leave, member)

    async def coordinate(self) -> None:
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            await asyncio.sleep(self._log.chance.uniform(0, 0.5))
            await self._rebalance(list(self.members))

    async def _rebalance(self, members: list[SimConsumer]) -> None:
        alive = [member for member in members if not member.dead]
        for member in alive:
            member.assigned.clear()
            self._revoking[member] = asyncio.ensure_future(
                member.listener.on_partitions_revoked(member.held)
            )
        await asyncio.gather(*self._revoking.values(), return_exceptions=True)
        self._revoking.clear()
        joined = [member for member in alive if member in self.members and not member.dead]
        self.generation += 1
        partitions = sorted(self._log.records)
        for place, member in enumerate(joined):
            member.take_over(frozenset(partitions[place :: len(joined)]), self.generation)
            task = asyncio.ensure_future(self._announce(member))
            self._announcing.add(task)
            task.add_done_callback(self._announcing.discard)

    async def _announce(self, member: SimConsumer) -> None:
        # Records may be fetched before this: that is how aiokafka does it.
        held = member.held
        await asyncio.sleep(self._log.chance.choice([0, 0, 0.05, 0.5]))
        await member.listener.on_partitions_assigned(held)
