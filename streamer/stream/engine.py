"""Reads a topic, runs a handler over it, and commits what is done and never beyond."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any, Protocol

from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError, NoOffsetForPartitionError, OffsetOutOfRangeError

from streamer.errors import BrokerError, HandlerError, TicketError
from streamer.stream.assignment import Assignment
from streamer.stream.backlog import Backlog, Batch
from streamer.stream.commits import MOVED, Commits
from streamer.stream.counts import Counts
from streamer.stream.dead_letters import DeadLetters
from streamer.stream.end_offsets import EndOffsets
from streamer.stream.handler import Barrier, Emission, Handler, Record, Settled
from streamer.stream.limits import Limits
from streamer.stream.offset_reset import OffsetReset
from streamer.stream.publisher import Publisher

log = logging.getLogger(__name__)

POLL_MS = 200
# How much a poll may bring too much where large records follow small ones: it asks for a number.
AT_ONCE = 64
COMMIT_EVERY = 0.25
COMMIT_WITHIN = 5.0
FULL_FOR = 1.0


class Consumer(Protocol):
    """The part of aiokafka's consumer that is used."""

    def subscribe(self, *, topics: list[str], listener: ConsumerRebalanceListener) -> None: ...
    async def getmany(
        self, *, timeout_ms: int, max_records: int
    ) -> Mapping[TopicPartition, Sequence[Record]]: ...
    def assignment(self) -> frozenset[TopicPartition]: ...
    def highwater(self, partition: TopicPartition) -> int | None: ...
    async def position(self, partition: TopicPartition) -> int: ...
    async def end_offsets(
        self, partitions: Iterable[TopicPartition]
    ) -> dict[TopicPartition, int]: ...
    def pause(self, *partitions: TopicPartition) -> None: ...
    def paused(self) -> set[TopicPartition]: ...
    def resume(self, *partitions: TopicPartition) -> None: ...


class Engine(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """Runs one handler over one topic, as a member of a consumer group.

    A free slot takes what is there, up to a batch, and never waits to fill one; while all slots
    are busy records pile up and the next batch is larger. Anything unexpected ends `run` without
    a commit, so that the records come again.
    """

    def __init__(
        self,
        consumer: Consumer,
        commits: Commits,
        publisher: Publisher,
        handler: Handler,
        positions: OffsetReset,
        dead_letters: DeadLetters,
        limits: Limits,
    ) -> None:
        self._consumer = consumer
        self._commits = commits
        self._publisher = publisher
        self._handler = handler
        self._positions = positions
        self._dead_letters = dead_letters
        self._limits = limits
        self._assignment = Assignment()
        self._backlog = Backlog(limits)
        self._tasks: dict[asyncio.Task[None], Batch] = {}
        self._freed = asyncio.Event()
        self._stopping = asyncio.Event()
        self._committing = asyncio.Lock()
        self._error: BaseException | None = None
        self._seen: dict[TopicPartition, int] = {}
        self.ends = EndOffsets(consumer)
        self.counts = Counts()
        self.polled_at = time.monotonic()

    @property
    def in_flight(self) -> int:
        """Batches being worked on."""
        return len(self._tasks)

    @property
    def buffered(self) -> int:
        """Records read and waiting for a slot."""
        return len(self._backlog)

    @property
    def held_bytes(self) -> int:
        """What the records that wait and those being worked on count, with their copies."""
        return self._backlog.bytes

    @property
    def spare(self) -> bool:
        """Whether nothing that was read waits for a slot."""
        return not self._backlog and len(self._tasks) < self._limits.in_flight

    @property
    def oldest_ms(self) -> int | None:
        """The Kafka timestamp of the oldest record that is read and unfinished."""
        batches = [self._backlog.first(), *(batch.records for batch in self._tasks.values())]
        times = (record.timestamp for batch in batches for record in batch)
        # Kafka's -1 says that no time is known.
        return min((timestamp for timestamp in times if timestamp >= 0), default=None)

    @property
    def lags(self) -> dict[int, int]:
        """By partition that is assigned here, or to nobody, how many records are not finished.

        Without `ends` being watched, only of partitions that were read from since the rebalance.
        """
        return {**self._positions.unread, **self.ends.lags(self._assignment.positions())}

    @property
    def watermark_age(self) -> float:
        """Seconds since anything was last finished; 0 while nothing is unfinished."""
        if not self._assignment.unfinished:
            return 0.0
        return time.monotonic() - self._assignment.moved_at

    def stop(self) -> None:
        """Ask `run` to finish what is in flight, commit and return."""
        self._stopping.set()
        self._freed.set()

    async def run(self, topic: str) -> None:
        """Work until `stop`; raises what made it fail, with nothing committed for that batch."""
        self._consumer.subscribe(topics=[topic], listener=self)
        reader = self._start(self._read())
        committer = self._start(self._commit_regularly())
        try:
            await self._stopping.wait()
            # A poll waits for a rebalance to end, that is for the slowest member's drain.
            await _cancel([reader])
            if self._error is None:
                await self._finish()
        finally:
            self.stop()
            await _cancel([reader, committer, *self._release_tasks()])
        if self._error is not None:
            raise self._error

    async def on_partitions_revoked(self, revoked: Sequence[TopicPartition]) -> None:
        """Drain within the budget, commit what is done, forget the rest."""
        self.counts.rebalances += 1
        # aiokafka logs and swallows what a listener raises; of a task of ours the engine hears it.
        handover = self._start(self._hand_over())
        try:
            await asyncio.wait([handover])
        finally:
            await _cancel([handover])
            self._assignment = Assignment()

    async def on_partitions_assigned(self, assigned: Sequence[TopicPartition]) -> None:
        """Nothing: fetching has begun by now, so ledgers are made by the poll loop."""
        log.info("assigned: %s", ", ".join(f"{tp.topic}[{tp.partition}]" for tp in assigned))

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        if task.cancelled() and self._stopping.is_set():
            return
        if (error := _failure(task)) is not None:
            self._fail(error)

    async def _read(self) -> None:
        while not self._stopping.is_set():
            await self._poll()

    async def _poll(self) -> None:
        self.polled_at = time.monotonic()
        if self._positions.outdated:
            await self._begin_again()
        if self._backlog.room <= 0:
            await self._hold()
            return
        if paused := self._consumer.paused():
            self._consumer.resume(*paused)
        wait_ms = POLL_MS
        while (room := min(self._backlog.room, AT_ONCE)) > 0:
            got = await self._fetch(wait_ms, room)
            self._take(got)
            if sum(map(len, got.values())) < room:
                break
            wait_ms = 0
        self._dispatch()

    async def _begin_again(self) -> None:
        """Finish what was read of a topic that is no more, then read the one that has its name."""
        await self._drain()
        self._assignment, self._seen = Assignment(), {}
        self._commits.forget()
        try:
            # Not while a commit for the old topic is on its way.
            async with self._committing:
                await self._positions.begin_again()
        except MOVED as error:
            log.info("a rebalance took a partition, which is begun again after it: %r", error)

    async def _hold(self) -> None:
        """Wait for room; when it takes long, pause and keep polling to stay a live member."""
        self._freed.clear()
        try:
            async with asyncio.timeout(FULL_FOR):
                await self._freed.wait()
        except TimeoutError:
            self._consumer.pause(*self._consumer.assignment())
            self._take(await self._fetch(0, 1))
            self._dispatch()

    async def _fetch(self, timeout_ms: int, room: int) -> Mapping[TopicPartition, Sequence[Record]]:
        try:
            try:
                return await self._consumer.getmany(timeout_ms=timeout_ms, max_records=room)
            except NoOffsetForPartitionError as error:
                await self._positions.begin(error.args[0])
            except OffsetOutOfRangeError as error:
                for partition, offset in error.args[0].items():
                    await self._positions.out_of_range(partition, offset)
        except MOVED as error:
            log.info("a rebalance took a partition before its position was set: %r", error)
        except KafkaError as error:
            raise BrokerError(
                f"reading failed: {error!r}; run `streamer check --connect` for topics and rights"
            ) from error
        return {}

    def _take(self, got: Mapping[TopicPartition, Sequence[Record]]) -> None:
        for partition, records in got.items():
            self._assignment.read(partition, records)
            self._backlog.take(records)
            self.counts.records += len(records)
            self._notice(partition, records)

    def _notice(self, partition: TopicPartition, records: Sequence[Record]) -> None:
        """Count what was handed out before: a rebalance begins at the last commit again."""
        seen, last = self._seen.get(partition, -1), records[-1].offset
        if records[0].offset <= seen:
            self.counts.redelivered += sum(record.offset <= seen for record in records)
        self._seen[partition] = max(seen, last)

    def _dispatch(self) -> None:
        if self._stopping.is_set():
            return
        while len(self._tasks) < self._limits.in_flight and (batch := self._backlog.cut()):
            task = asyncio.create_task(self._work(batch.records, self._assignment))
            self._tasks[task] = batch
            task.add_done_callback(self._free)

    def _free(self, task: asyncio.Task[None]) -> None:
        self._freed.set()
        if (batch := self._tasks.pop(task, None)) is None:
            return
        self._backlog.finished(batch)
        if (error := _failure(task)) is not None:
            self._fail(error)
        else:
            self._dispatch()

    async def _work(self, batch: Sequence[Record], assignment: Assignment) -> None:
        self.counts.batches += 1
        covered: set[int] = set()
        sent: list[asyncio.Future[Any]] = []
        emitted = 0
        async with contextlib.aclosing(self._handler.handle(batch)) as groups:
            async for group in groups:
                if isinstance(group, Barrier):
                    await self._publisher.acknowledged(sent)
                    sent.clear()
                    continue
                covered.update(map(id, map(attrgetter("record"), group)))
                emissions = self._emissions(group)
                sent += await self._publisher.send(emissions)
                emitted += len(emissions)
        if left_out := [record for record in batch if id(record) not in covered]:
            raise HandlerError(
                f"{len(left_out)} records got neither an emission nor Settled, the first at "
                f"{left_out[0].topic}[{left_out[0].partition}]@{left_out[0].offset}"
            )
        await self._publisher.acknowledged(sent)
        self.counts.emissions += emitted
        assignment.finish(batch)

    def _emissions(self, group: Sequence[Emission | Settled]) -> list[Emission]:
        emissions = []
        for item in group:
            if isinstance(item, Settled):
                self.counts.settled[item.why] = self.counts.settled.get(item.why, 0) + 1
            elif len(item.value or b"") + len(item.key or b"") > self._publisher.limit // 2:
                emissions.append(self._sendable(item))
            else:
                emissions.append(item)
        return emissions

    def _sendable(self, emission: Emission) -> Emission:
        if self._publisher.fits(emission):
            return emission
        error = TicketError("too_large_to_copy", f"{len(emission.value or b'')} bytes to write")
        return self._dead_letters.emission(emission.record, error, emission.headers)

    async def _commit_regularly(self) -> None:
        while True:
            await asyncio.sleep(COMMIT_EVERY)
            # The client repeats one for a topic that is gone until another has its name.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(COMMIT_WITHIN):
                    await self._commit()

    async def _commit(self) -> None:
        async with self._committing:
            await self._commit_finished()

    async def _commit_finished(self) -> None:
        assignment = self._assignment
        offsets = assignment.to_commit()
        if not offsets:
            return
        if await self._commits.commit(offsets):
            assignment.committed(offsets)
            self.counts.commits += 1
        else:
            # The partitions are somebody else's by now, who will read the records again.
            self.counts.commits_lost += 1

    async def _settle(self) -> None:
        """Drain within the budget and commit what is done, unless something failed."""
        await self._drain()
        if self._error is None:
            async with self._committing:
                await self._commit_finished()
                await self._commits.leave()

    async def _drain(self) -> None:
        self._backlog.drop()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=self._limits.drain)
        await _cancel(self._release_tasks())

    async def _hand_over(self) -> None:
        try:
            async with asyncio.timeout(2 * self._limits.drain):
                await self._settle()
        except TimeoutError:
            # Kafka shares the partitions out without waiting for longer: the records come again.
            self.counts.commits_lost += 1

    async def _finish(self) -> None:
        """Settle for the last time; without Kafka a commit is retried for ever, so not longer."""
        try:
            async with asyncio.timeout(2 * self._limits.drain):
                await self._settle()
        except TimeoutError:
            raise BrokerError(
                f"Kafka did not take the last commit within {self._limits.drain:g} s; what is "
                "done since the one before will come again. Look at the brokers' health"
            ) from None

    def _release_tasks(self) -> list[asyncio.Task[None]]:
        tasks = list(self._tasks)
        for batch in self._tasks.values():
            self._backlog.finished(batch)
        self._tasks.clear()
        return tasks

    def _fail(self, error: BaseException) -> None:
        if self._error is None:
            self._error = error
        self.stop()


async def _cancel(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _failure(task: asyncio.Task[None]) -> BaseException | None:
    if task.cancelled():
        # Not by us: a client library did it, and what the task had would never be finished.
        return HandlerError("work was cancelled from inside; report it with the log, then restart")
    return task.exception()
