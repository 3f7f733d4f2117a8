import asyncio
from collections.abc import Iterable

from aiokafka import TopicPartition
from aiokafka.errors import KafkaConnectionError

from streamer.stream.end_offsets import EndOffsets
from tests.stream.rig import virtual

ONE, OTHER = TopicPartition("tickets", 0), TopicPartition("tickets", 1)


class Consumer:
    """Two partitions; reading begins at 10 and 20."""

    def __init__(self) -> None:
        self.ends = {ONE: 15, OTHER: 20}
        self.highest: dict[TopicPartition, int] = {}
        self.held = frozenset([ONE, OTHER])
        self.failure: Exception | None = None
        self.hangs = False
        self.asked = 0

    async def end_offsets(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        self.asked += 1
        if self.hangs:
            await asyncio.sleep(10**9)
        if self.failure is not None:
            raise self.failure
        return {place: self.ends[place] for place in partitions}

    async def position(self, partition: TopicPartition) -> int:
        return {ONE: 10, OTHER: 20}[partition]

    def assignment(self) -> frozenset[TopicPartition]:
        return self.held

    def highwater(self, partition: TopicPartition) -> int | None:
        return self.highest.get(partition)


async def test_a_lag_counts_from_what_is_unfinished_or_from_where_reading_begins() -> None:
    consumer = Consumer()
    ends = EndOffsets(consumer)
    assert ends.lags({}) == {}
    await ends.look()
    assert ends.lags({}) == {0: 5, 1: 0}
    assert ends.lags({ONE: 12, OTHER: 25}) == {0: 3, 1: 0}


async def test_the_further_of_two_ends_counts() -> None:
    consumer = Consumer()
    ends = EndOffsets(consumer)
    consumer.highest = {ONE: 18, OTHER: 3}
    assert ends.lags({ONE: 12}) == {0: 6}
    await ends.look()
    assert ends.lags({ONE: 12, OTHER: 19}) == {0: 6, 1: 1}


async def test_what_is_not_held_has_no_lag() -> None:
    consumer = Consumer()
    ends = EndOffsets(consumer)
    await ends.look()
    consumer.held = frozenset([OTHER])
    assert ends.lags({ONE: 12}) == {1: 0}
    consumer.held, consumer.asked = frozenset(), 0
    await ends.look()
    assert (ends.lags({}), consumer.asked) == ({}, 0)
    consumer.held = frozenset([ONE])
    assert ends.lags({}) == {}


@virtual
async def test_ends_are_asked_for_again_and_again_and_no_failure_ends_it() -> None:
    consumer = Consumer()
    ends = EndOffsets(consumer)
    async with ends.watched():
        await asyncio.sleep(1)
        assert ends.lags({}) == {0: 5, 1: 0}
        consumer.ends[ONE] = 30
        await asyncio.sleep(4)
        assert ends.lags({}) == {0: 20, 1: 0}
        consumer.failure = KafkaConnectionError()
        await asyncio.sleep(4)
        # What Kafka does not answer stays as it was.
        assert ends.lags({}) == {0: 20, 1: 0}
        consumer.failure, consumer.hangs = None, True
        await asyncio.sleep(4)
        consumer.hangs, consumer.ends[ONE] = False, 40
        await asyncio.sleep(30)
        assert ends.lags({}) == {0: 30, 1: 0}
    asked = consumer.asked
    await asyncio.sleep(60)
    assert consumer.asked == asked
