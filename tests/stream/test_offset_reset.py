from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition

from streamer.errors import ConfigError
from streamer.stream.offset_reset import OffsetReset
from tests.stream.same_topic import SameTopic

PARTITION = TopicPartition("tickets", 3)
FIRST, END = 100, 160


class Consumer:
    """One partition that holds the offsets from FIRST to END; those after t=5000 from 130."""

    def __init__(self) -> None:
        self.position: int | None = None
        self.committed: int | None = None
        self.assigned = frozenset([PARTITION])

    async def beginning_offsets(
        self, partitions: Iterable[TopicPartition]
    ) -> dict[TopicPartition, int]:
        return dict.fromkeys(partitions, FIRST)

    async def end_offsets(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(partitions, END)

    async def offsets_for_times(
        self, timestamps: Mapping[TopicPartition, int]
    ) -> Mapping[TopicPartition, Any]:
        return {
            tp: SimpleNamespace(offset=130) if moment <= 5000 else None
            for tp, moment in timestamps.items()
        }

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        self.committed = offsets[PARTITION]

    def assignment(self) -> frozenset[TopicPartition]:
        return self.assigned

    def seek(self, partition: TopicPartition, offset: int) -> None:
        assert partition == PARTITION
        self.position = offset


def second(number: int) -> datetime:
    return datetime.fromtimestamp(number, UTC)


STARTS = [("earliest", FIRST), ("latest", END), (second(5), 130), (second(6), END)]


@pytest.mark.parametrize(("start", "offset"), STARTS)
async def test_a_new_group_starts_where_it_is_told_and_commits_that(
    start: Any, offset: int
) -> None:
    consumer = Consumer()
    await OffsetReset(consumer, SameTopic(), start).begin(PARTITION)
    assert (consumer.position, consumer.committed) == (offset, offset)


@pytest.mark.parametrize(
    ("offset", "message"),
    [
        (40, "60 records were deleted before they were read"),
        (200, "the topic ends 40 records before it, as after it was made again; 60"),
    ],
)
async def test_an_offset_that_is_gone_is_the_operators_decision(offset: int, message: str) -> None:
    consumer = Consumer()
    with pytest.raises(ConfigError, match=message) as caught:
        await OffsetReset(consumer, SameTopic(), "earliest").out_of_range(PARTITION, offset)
    assert f"tickets[3]: the committed offset {offset}" in str(caught.value)
    assert "--resume" in str(caught.value)
    assert (consumer.position, consumer.committed) == (None, None)


@pytest.mark.parametrize(("resume", "offset"), STARTS)
async def test_resume_says_where_to_go_on(resume: Any, offset: int) -> None:
    consumer = Consumer()
    await OffsetReset(consumer, SameTopic(), "latest", resume).out_of_range(PARTITION, 40)
    assert consumer.position == offset


@pytest.mark.parametrize(("first", "offset"), [(4, END), (3, FIRST), (0, FIRST)])
async def test_a_partition_that_was_added_begins_with_its_first_record(
    first: int, offset: int
) -> None:
    """Nothing of it was read before, and what was written until now must not be skipped."""
    consumer = Consumer()
    await OffsetReset(consumer, SameTopic(first=first), "latest").begin(PARTITION)
    assert (consumer.position, consumer.committed) == (offset, offset)


@pytest.mark.parametrize("offset", [40, 200])
async def test_an_offset_of_a_topic_that_is_no_more_is_no_loss(offset: int) -> None:
    consumer, topic = Consumer(), SameTopic()
    topic.unnoticed = True
    positions = OffsetReset(consumer, topic, "latest")
    assert not positions.outdated
    await positions.out_of_range(PARTITION, offset)
    assert positions.outdated
    await positions.begin_again()
    assert (consumer.position, consumer.committed) == (FIRST, FIRST)
    assert not positions.outdated


async def test_a_partition_that_comes_later_is_begun_then_and_each_only_once() -> None:
    """Also one that the partitions were being shared out of when it was noticed."""
    consumer, topic = Consumer(), SameTopic()
    positions = OffsetReset(consumer, topic, "latest")
    topic.again()
    consumer.assigned = frozenset()
    assert not positions.outdated
    await positions.begin_again()
    consumer.assigned = frozenset([PARTITION])
    assert positions.outdated
    await positions.begin_again()
    assert consumer.position == FIRST
    assert not positions.outdated


async def test_a_partition_that_the_topic_no_longer_has_is_left_alone() -> None:
    consumer, topic = Consumer(), SameTopic()
    topic.stale = {0, 1, 2}
    positions = OffsetReset(consumer, topic, "earliest")
    assert not positions.outdated
    await positions.begin_again()
    assert (consumer.position, consumer.committed) == (None, None)
