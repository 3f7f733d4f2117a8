"""An engine on a clock that jumps, with one partition that is fed by hand."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from dataclasses import replace
from typing import Any

from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import (
    KafkaError,
)

from streamer.stream.commits import Commits
from streamer.stream.dead_letters import DeadLetters
from streamer.stream.engine import Engine
from streamer.stream.handler import Barrier, Emission, Record, Settled
from streamer.stream.limits import Limits
from streamer.stream.offset_reset import OffsetReset
from streamer.stream.publisher import Publisher
from tests.stream.same_topic import SameTopic
from tests.stream.simulated import TOPIC, SimRecord
from tests.stream.test_publisher import Producer
from tests.stream.virtual_loop import VirtualLoop

PARTITION = TopicPartition(TOPIC, 0)
Group = Sequence[Emission | Settled] | Barrier
Handle = Callable[[Sequence[Record]], AsyncIterator[Group]]


class Scripted:
    """One partition whose polls are put in by hand, as records or as errors to raise."""

    def __init__(self) -> None:
        self.polls: asyncio.Queue[list[SimRecord] | BaseException] = asyncio.Queue()
        self.commits: list[int] = []
        self.commit_error: KafkaError | None = None
        self.commit_hangs = False
        self.rooms: list[int] = []
        self.sought: list[int] = []
        self._paused: set[TopicPartition] = set()

    def subscribe(self, *, topics: list[str], listener: ConsumerRebalanceListener) -> None: ...

    async def getmany(
        self, *, timeout_ms: int, max_records: int
    ) -> Mapping[TopicPartition, Sequence[Record]]:
        self.rooms.append(max_records)
        poll = await self.polls.get() if timeout_ms else []
        if isinstance(poll, BaseException):
            raise poll
        return {PARTITION: poll} if poll else {}

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        if self.commit_hangs:
            await asyncio.sleep(10**9)
        if self.commit_error is not None:
            raise self.commit_error
        self.commits.append(offsets[PARTITION])

    def assignment(self) -> frozenset[TopicPartition]:
        return frozenset([PARTITION])

    def highwater(self, partition: TopicPartition) -> int | None:
        return None

    def pause(self, *partitions: TopicPartition) -> None:
        self._paused.update(partitions)

    def paused(self) -> set[TopicPartition]:
        return set(self._paused)

    def resume(self, *partitions: TopicPartition) -> None:
        self._paused.difference_update(partitions)

    def seek(self, partition: TopicPartition, offset: int) -> None:
        self.sought.append(offset)

    async def beginning_offsets(self, partitions: Any) -> dict[TopicPartition, int]:
        return dict.fromkeys(partitions, 7)

    async def end_offsets(self, partitions: Any) -> dict[TopicPartition, int]:
        return dict.fromkeys(partitions, 9)

    async def offsets_for_times(self, timestamps: Any) -> Mapping[TopicPartition, Any]:
        return {}


class Handler:
    def __init__(self, handle: Handle) -> None:
        self.batches: list[list[int]] = []
        self._handle = handle

    def handle(self, batch: Sequence[Record]) -> AsyncIterator[Group]:
        self.batches.append([record.offset for record in batch])
        return self._handle(batch)


class Acknowledging(Producer):
    """Takes everything at once, unless told to wait."""

    at_once = True

    async def send_batch(self, batch: Any, topic: str, *, partition: int) -> asyncio.Future[None]:
        acknowledged = await super().send_batch(batch, topic, partition=partition)
        if self.at_once:
            acknowledged.set_result(None)
        return acknowledged


ROOMY = Limits(
    max_batch=512, in_flight=4, max_buffered=8192, max_bytes=512 * 2**20, copies=1, drain=5
)


def limited(**to: int) -> Limits:
    """Limits that hold everything, but for these."""
    return replace(ROOMY, **to)  # type: ignore[arg-type]  # all of them are numbers


class Rig:
    """An engine with scripted surroundings."""

    def __init__(self, handle: Handle, limits: Limits | None = None) -> None:
        self.consumer, self.producer = Scripted(), Acknowledging()
        self.handler = Handler(handle)
        self.topic = SameTopic()
        self.engine = Engine(
            self.consumer,
            Commits(self.consumer),
            Publisher(self.producer, limit=1000, within=30),
            self.handler,
            OffsetReset(self.consumer, self.topic, "earliest"),
            DeadLetters("labels", 1000),
            limits or limited(),
        )
        self.task = asyncio.create_task(self.engine.run(TOPIC))

    def feed(self, *offsets: int, value: bytes = b"text") -> None:
        self.consumer.polls.put_nowait([SimRecord(0, offset, value=value) for offset in offsets])

    async def stop(self) -> None:
        self.engine.stop()
        await self.task


async def answer(batch: Sequence[Record]) -> AsyncIterator[Group]:
    yield [Emission(record, "labels", b"key", b"label") for record in batch]


async def answer_slowly(batch: Sequence[Record]) -> AsyncIterator[Group]:
    await asyncio.sleep(2)
    async for group in answer(batch):
        yield group


def virtual(scenario: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    """Runs the test on the clock that jumps."""

    def test() -> None:
        with asyncio.Runner(loop_factory=VirtualLoop) as runner:
            runner.run(scenario())

    test.__name__ = scenario.__name__
    return test
