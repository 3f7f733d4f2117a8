from collections import deque
from types import SimpleNamespace
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import CommitFailedError, KafkaConnectionError

from streamer.client.delivery import Delivery

PLACE = TopicPartition("labels", 0)


class Consumer:
    """Hands out what it was given, and remembers what was committed."""

    def __init__(self, *offsets: int) -> None:
        self.records = deque(offsets)
        self.committed: list[dict[TopicPartition, int]] = []
        self.failures: deque[Exception] = deque()

    async def getmany(self, **_: Any) -> dict[TopicPartition, list[Any]]:
        found = [SimpleNamespace(topic="labels", partition=0, offset=n) for n in self.records]
        self.records.clear()
        return {PLACE: found}

    async def commit(self, offsets: dict[TopicPartition, int]) -> None:
        if self.failures:
            raise self.failures.popleft()
        self.committed.append(offsets)


def delivery(consumer: Consumer) -> Delivery:
    return Delivery(consumer, "earliest", commit_every=1e9, grouped=True)


async def test_what_is_in_hand_while_partitions_move_is_not_committed() -> None:
    consumer = Consumer(4, 5, 6)
    given = delivery(consumer)
    assert [(await given.next()).offset for _ in range(2)] == [4, 5]
    await given.on_partitions_revoked([PLACE])
    assert consumer.committed == [{PLACE: 5}]
    # The partition is back, and begins where the commit says; nothing of before is handed out.
    consumer.records.extend([5, 6])
    assert (await given.next()).offset == 5
    await given.commit()
    assert consumer.committed == [{PLACE: 5}]


async def test_a_commit_that_failed_is_tried_again() -> None:
    consumer = Consumer(4, 5)
    consumer.failures.append(KafkaConnectionError())
    given = delivery(consumer)
    for _ in range(2):
        await given.next()
    await given.commit()
    assert consumer.committed == []
    await given.commit()
    assert consumer.committed == [{PLACE: 5}]


async def test_a_commit_for_partitions_that_are_gone_is_given_up() -> None:
    consumer = Consumer(4, 5)
    consumer.failures.append(CommitFailedError())
    given = delivery(consumer)
    for _ in range(2):
        await given.next()
    await given.commit()
    await given.commit()
    assert consumer.committed == []


async def test_nothing_is_committed_twice_or_without_a_group() -> None:
    consumer = Consumer(4, 5)
    given = delivery(consumer)
    for _ in range(2):
        await given.next()
    await given.commit()
    await given.commit()
    assert consumer.committed == [{PLACE: 5}]
    alone = Consumer(4, 5)
    lonely = Delivery(alone, "earliest", commit_every=0, grouped=False)
    for _ in range(2):
        await lonely.next()
    await lonely.commit()
    assert alone.committed == []


async def test_what_is_done_is_committed_while_more_waits() -> None:
    consumer = Consumer(4, 5, 6)
    given = Delivery(consumer, "earliest", commit_every=0, grouped=True)
    for _ in range(3):
        await given.next()
    assert consumer.committed == [{PLACE: 5}, {PLACE: 6}]
