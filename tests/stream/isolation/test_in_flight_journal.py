"""What a journal writes beside the offsets, and when."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import CommitFailedError, GroupAuthorizationFailedError

from streamer.errors import BrokerError
from streamer.stream.isolation.in_flight_journal import Committed, InFlightJournal
from streamer.stream.isolation.note import Note
from tests.stream.rig import virtual
from tests.stream.simulated import TOPIC, SimRecord

ONE, OTHER = TopicPartition(TOPIC, 0), TopicPartition(TOPIC, 1)


class Group:
    """What Kafka keeps for the group, each write of it, and each time that it was asked."""

    def __init__(self, **_: Any) -> None:
        self.kept: dict[TopicPartition, Committed] = {}
        self.writes: list[dict[TopicPartition, Committed]] = []
        self.asked: list[list[TopicPartition]] = []
        self.failure: BaseException | None = None
        self.hangs = False

    async def look(
        self, partitions: Sequence[TopicPartition]
    ) -> Mapping[TopicPartition, Committed]:
        self.asked.append(list(partitions))
        return {place: self.kept[place] for place in partitions if place in self.kept}

    async def commit(self, offsets: Mapping[TopicPartition, Committed]) -> None:
        await asyncio.sleep(10**9 if self.hangs else 0)
        if self.failure is not None:
            raise self.failure
        self.writes.append(dict(offsets))
        self.kept.update(offsets)


def journal(group: Group, ahead: int = 2) -> InFlightJournal:
    return InFlightJournal(group, group.look, ahead)


def noted(**fields: Any) -> str:
    return Note(**fields).text()


async def test_records_are_noted_before_they_are_in_flight_and_no_more_after_leaving() -> None:
    group = Group()
    ours = journal(group)
    records = [SimRecord(0, offset) for offset in (5, 6)]
    await ours.read(records)
    await ours.open(records)
    # Nothing is committed of the partition, so the first record's place counts.
    assert group.writes == [{ONE: (5, noted(open=8))}]
    await ours.open([SimRecord(0, 7)])
    assert len(group.writes) == 1
    assert await ours.commit({ONE: 7})
    assert group.kept == {ONE: (7, noted(open=8))}
    await ours.leave()
    assert group.kept == {ONE: (7, "")}


async def test_each_partition_is_asked_about_once_until_it_leaves() -> None:
    group = Group()
    group.kept[ONE] = (3, noted(open=6, tried={4: 1}))
    ours = journal(group)
    for _ in range(2):
        await ours.read([SimRecord(0, 3), SimRecord(0, 4), SimRecord(1, 9)])
    assert [sorted(asked) for asked in group.asked] == [[ONE, OTHER]]
    assert [ours.suspects(SimRecord(0, offset)) for offset in (3, 5, 6)] == [True, True, False]
    assert [ours.tries(SimRecord(0, offset)) for offset in (3, 4)] == [0, 1]
    assert not ours.suspects(SimRecord(1, 9))
    await ours.leave()
    await ours.read([SimRecord(0, 3)])
    assert group.asked[1:] == [[ONE]]


async def test_where_nothing_is_committed_the_first_record_of_a_partition_counts() -> None:
    group = Group()
    ours = journal(group)
    records = [SimRecord(0, 5), SimRecord(1, 30), SimRecord(0, 6)]
    await ours.read(records)
    await ours.open(records)
    assert {place: offset for place, (offset, _) in group.kept.items()} == {ONE: 5, OTHER: 30}


async def test_a_window_is_told_where_an_unclean_end_left_one(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING)
    group = Group()
    group.kept = {ONE: (3, noted(open=6)), OTHER: (6, noted(open=6))}
    await journal(group).read([SimRecord(0, 3), SimRecord(1, 6)])
    assert [record.getMessage() for record in caplog.records] == [
        f"an unclean end left a window: {TOPIC}[0]@3..5 is worked through one by one"
    ]


async def test_a_window_that_is_not_worked_through_stays_open() -> None:
    group = Group()
    group.kept[ONE] = (3, noted(open=6))
    ours = journal(group)
    await ours.read([SimRecord(0, 3)])
    await ours.begin(SimRecord(0, 3))
    assert group.kept[ONE] == (3, noted(open=6, tried={3: 1}))
    await ours.finish(SimRecord(0, 3))
    assert group.kept[ONE] == (3, noted(open=6))
    await ours.commit({ONE: 4})
    await ours.leave()
    assert group.kept[ONE] == (4, noted(open=6))


async def test_leaving_writes_only_what_reads_otherwise_than_it_should() -> None:
    group = Group()
    group.kept[OTHER] = (9, noted(open=12))
    ours = journal(group)
    await ours.read([SimRecord(0, 5), SimRecord(1, 9)])
    await ours.open([SimRecord(0, 5)])
    group.writes.clear()
    await ours.leave()
    assert group.writes == [{ONE: (5, "")}]


async def test_leaving_with_nothing_to_say_writes_nothing() -> None:
    group = Group()
    ours = journal(group)
    await ours.read([SimRecord(0, 5)])
    await ours.commit({ONE: 6})
    await ours.leave()
    assert group.writes == [{ONE: (6, "")}]


async def test_what_was_never_worked_on_is_committed_with_its_note_kept() -> None:
    group = Group()
    group.kept[ONE] = (3, noted(open=6, tried={5: 1}))
    assert await journal(group).commit({ONE: 4})
    assert group.kept[ONE] == (4, noted(open=6, tried={5: 1}))


async def test_a_commit_of_nothing_asks_nobody() -> None:
    group = Group()
    assert await journal(group).commit({})
    assert (group.asked, group.writes) == ([], [])


async def test_a_commit_that_is_refused_is_told() -> None:
    group = Group()
    group.failure = CommitFailedError()
    assert not await journal(group).commit({ONE: 4})


async def test_a_trial_whose_note_was_cancelled_is_taken_back() -> None:
    group = Group()
    ours = journal(group)
    await ours.read([SimRecord(0, 3)])
    group.failure = asyncio.CancelledError()
    with pytest.raises(asyncio.CancelledError):
        await ours.begin(SimRecord(0, 3))
    assert ours.tries(SimRecord(0, 3)) == 0
    # Kafka may have taken it all the same: nobody knows, so leaving says otherwise.
    group.failure = None
    await ours.leave()
    assert group.kept == {ONE: (3, "")}


async def test_a_trial_that_was_given_up_is_taken_back_at_once() -> None:
    group = Group()
    ours = journal(group)
    await ours.read([SimRecord(0, 3)])
    await ours.begin(SimRecord(0, 3))
    assert group.kept[ONE] == (3, noted(tried={3: 1}))
    await ours.spare(SimRecord(0, 3))
    assert group.kept[ONE] == (3, "")
    await ours.leave()
    await ours.spare(SimRecord(0, 3))


@pytest.mark.parametrize("failure", [asyncio.CancelledError(), GroupAuthorizationFailedError()])
async def test_a_trial_that_kafka_did_not_let_begin_is_none(failure: BaseException) -> None:
    group = Group()
    ours = journal(group)
    await ours.read([SimRecord(0, 3)])
    group.failure = failure
    with pytest.raises((asyncio.CancelledError, BrokerError)):
        await ours.begin(SimRecord(0, 3))
    assert ours.tries(SimRecord(0, 3)) == 0


async def test_a_trial_is_given_up_without_kafka_too_and_noted_with_the_next_commit() -> None:
    group = Group()
    ours = journal(group)
    await ours.read([SimRecord(0, 3)])
    await ours.begin(SimRecord(0, 3))
    group.failure = GroupAuthorizationFailedError()
    await ours.spare(SimRecord(0, 3))
    assert group.kept[ONE] == (3, noted(tried={3: 1}))
    group.failure = None
    await ours.commit({ONE: 3})
    assert group.kept[ONE] == (3, "")


@virtual
async def test_giving_a_trial_up_does_not_wait_for_ever_for_kafka() -> None:
    group = Group()
    ours = journal(group)
    await ours.read([SimRecord(0, 3)])
    await ours.begin(SimRecord(0, 3))
    group.hangs = True
    async with asyncio.timeout(20):
        await ours.spare(SimRecord(0, 3))
    group.hangs = False
    await ours.commit({ONE: 3})
    assert group.kept[ONE] == (3, "")


async def test_writes_come_one_after_another_in_the_order_of_their_floors() -> None:
    group = Group()
    ours = journal(group)
    await ours.read([SimRecord(0, 3)])
    await asyncio.gather(*(ours.commit({ONE: offset}) for offset in (4, 5, 6)))
    assert [write[ONE][0] for write in group.writes] == [4, 5, 6]
