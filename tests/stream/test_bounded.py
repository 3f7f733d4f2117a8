from collections import deque
from collections.abc import Mapping, Sequence

from aiokafka import TopicPartition

from streamer.stream.bounded import BoundedConsumer
from tests.stream.simulated import TOPIC, SimRecord

ONE, OTHER, UNNAMED = (TopicPartition(TOPIC, number) for number in range(3))
Polls = Sequence[Mapping[TopicPartition, Sequence[int]]]


class Consumer:
    def __init__(self, polls: Polls) -> None:
        self.polls = deque(polls)
        self.asked: list[tuple[int, int]] = []
        self.stopped: set[TopicPartition] = set()

    async def getmany(
        self, *, timeout_ms: int, max_records: int
    ) -> dict[TopicPartition, list[SimRecord]]:
        self.asked.append((timeout_ms, max_records))
        return {
            place: [SimRecord(place.partition, offset) for offset in offsets]
            for place, offsets in self.polls.popleft().items()
        }

    def pause(self, *places: TopicPartition) -> None:
        self.stopped.update(places)

    def paused(self) -> set[TopicPartition]:
        return set(self.stopped)


async def read(bounded: BoundedConsumer) -> dict[TopicPartition, list[int]]:
    found = await bounded.getmany(timeout_ms=5, max_records=7)
    return {place: [record.offset for record in records] for place, records in found.items()}


async def test_what_lies_before_the_end_comes_and_nothing_behind_it() -> None:
    consumer = Consumer([{ONE: [3, 4]}, {ONE: [6, 9, 10, 11], OTHER: [1]}])
    bounded = BoundedConsumer(consumer, {ONE: 10, OTHER: 5})
    assert await read(bounded) == {ONE: [3, 4]}
    assert consumer.stopped == set()
    assert await read(bounded) == {ONE: [6, 9], OTHER: [1]}
    assert consumer.stopped == {ONE}
    assert consumer.asked == [(5, 7), (5, 7)]


async def test_a_partition_is_through_with_the_last_record_before_its_end() -> None:
    consumer = Consumer([{ONE: [8]}, {ONE: [9]}])
    bounded = BoundedConsumer(consumer, {ONE: 10})
    await read(bounded)
    assert consumer.stopped == set()
    await read(bounded)
    assert consumer.stopped == {ONE}


async def test_a_partition_that_is_not_named_or_has_nothing_left_is_not_read() -> None:
    consumer = Consumer([{UNNAMED: [0, 1], ONE: [12, 13]}])
    bounded = BoundedConsumer(consumer, {ONE: 10})
    assert await read(bounded) == {}
    assert consumer.stopped == {UNNAMED, ONE}


async def test_whoever_resumes_what_is_paused_leaves_out_what_is_through() -> None:
    consumer = Consumer([{ONE: [9]}, {}])
    bounded = BoundedConsumer(consumer, {ONE: 10, OTHER: 10})
    bounded.pause(OTHER)
    await read(bounded)
    assert bounded.paused() == {OTHER}
    # A rebalance forgets what was paused: the partition is looked at again.
    consumer.stopped.clear()
    await read(bounded)
    consumer.stopped.add(ONE)
    assert bounded.paused() == {ONE}
