import asyncio
import logging
from datetime import UTC, datetime
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaConnectionError

from streamer.client.delivery import Delivery, Start
from tests.client.simulated import LABELS, Broker, Consumer
from tests.stream.rig import virtual
from tests.waiting import soon

PLACE, OTHER = TopicPartition(LABELS, 0), TopicPartition(LABELS, 1)
NEVER = 1e6


class Setting:
    """A delivery of a topic with some records, to a member of a group that has the partitions."""

    def __init__(
        self,
        *partitions: int,
        start: Start = "earliest",
        commit_every: float = NEVER,
        group: str | None = "mine",
    ) -> None:
        self.broker = Broker(partitions=len(partitions))
        for number, count in enumerate(partitions):
            self.broker.put(*[b""] * count, partition=number)
        self.consumer = Consumer(self.broker, group_id=group, auto_offset_reset="none")
        self.consumer.assign([LABELS])
        self.delivery = Delivery(self.consumer, start, commit_every, grouped=group is not None)

    def goes_on_at(self, offset: int) -> None:
        """What the group committed before."""
        self.broker.commits.append({PLACE: offset})

    async def next(self, count: int) -> list[Any]:
        return [await self.delivery.next() for _ in range(count)]

    async def offsets(self, count: int) -> list[int]:
        return [record.offset for record in await self.next(count)]


async def test_what_is_in_hand_while_partitions_move_is_not_committed() -> None:
    setting = Setting(7)
    setting.goes_on_at(4)
    assert await setting.offsets(2) == [4, 5]
    await setting.delivery.on_partitions_revoked([PLACE])
    assert setting.broker.commits == [{PLACE: 4}, {PLACE: 5}]
    # The partition is back, and begins where the commit says; nothing of before is handed out.
    setting.consumer.unassign()
    setting.consumer.assign([LABELS])
    assert await setting.offsets(1) == [5]
    await setting.delivery.commit()
    assert len(setting.broker.commits) == 2


async def test_what_could_not_be_committed_before_partitions_moved_is_never_committed() -> None:
    setting = Setting(7)
    setting.goes_on_at(4)
    await setting.next(2)
    setting.consumer.failures.append(KafkaConnectionError())
    await setting.delivery.on_partitions_revoked([PLACE])
    # By now another member may be further on: this commit would take its place back.
    await setting.delivery.commit()
    assert setting.broker.commits == [{PLACE: 4}]


async def test_a_commit_that_failed_is_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    for failure in (KafkaConnectionError(), TimeoutError()):
        setting = Setting(7)
        setting.goes_on_at(4)
        setting.consumer.failures.append(failure)
        await setting.next(2)
        await setting.delivery.commit()
        assert setting.broker.committed == {PLACE: 4}
        await setting.delivery.commit()
        assert setting.broker.committed == {PLACE: 5}
    assert caplog.text.count("are tried again") == 2


async def test_a_commit_for_partitions_that_are_gone_is_given_up() -> None:
    for failure in (CommitFailedError(), IllegalStateError()):
        setting = Setting(7)
        setting.goes_on_at(4)
        setting.consumer.failures.append(failure)
        await setting.next(2)
        await setting.delivery.commit()
        await setting.delivery.commit()
        assert setting.broker.committed == {PLACE: 4}


@virtual
async def test_a_commit_that_nobody_answers_is_given_up_after_a_while() -> None:
    setting = Setting(7)
    setting.goes_on_at(4)
    await setting.next(2)

    async def hangs(_: Any) -> None:
        await asyncio.sleep(10**9)

    taken, setting.consumer.commit = setting.consumer.commit, hangs  # type: ignore[method-assign]
    await setting.delivery.commit()
    assert asyncio.get_running_loop().time() < 60
    setting.consumer.commit = taken  # type: ignore[method-assign]
    await setting.delivery.commit()
    assert setting.broker.committed == {PLACE: 5}


async def test_what_is_done_while_a_commit_is_under_way_is_committed_with_the_next() -> None:
    setting = Setting(7)
    setting.goes_on_at(4)
    await setting.next(2)
    under_way = asyncio.create_task(setting.delivery.commit())
    await asyncio.sleep(0)
    await setting.next(1)
    await under_way
    await setting.delivery.commit()
    assert setting.broker.commits == [{PLACE: 4}, {PLACE: 5}, {PLACE: 6}]


async def test_nothing_is_committed_twice_or_without_a_group(
    caplog: pytest.LogCaptureFixture,
) -> None:
    setting = Setting(7)
    setting.goes_on_at(4)
    await setting.next(2)
    await setting.delivery.commit()
    await setting.delivery.commit()
    assert setting.broker.commits == [{PLACE: 4}, {PLACE: 5}]
    lonely = Setting(2, group=None, commit_every=0)
    await lonely.next(2)
    await lonely.delivery.commit()
    assert lonely.broker.commits == []
    assert caplog.text == ""


async def test_what_is_done_is_committed_while_more_waits() -> None:
    setting = Setting(7, commit_every=0)
    setting.goes_on_at(4)
    await setting.next(3)
    assert setting.broker.commits == [{PLACE: 4}, {PLACE: 5}, {PLACE: 6}]


@virtual
async def test_what_is_done_is_committed_in_time_while_nothing_comes() -> None:
    setting = Setting(7, commit_every=2)
    setting.goes_on_at(4)
    await setting.next(3)
    waiting = asyncio.create_task(setting.next(1))
    await asyncio.sleep(1.9)
    assert setting.broker.committed == {PLACE: 4}
    await asyncio.sleep(3)
    assert setting.broker.committed == {PLACE: 7}
    waiting.cancel()


@virtual
async def test_a_fetch_waits_for_as_long_as_commits_do_but_never_not_at_all() -> None:
    for commit_every, waited in ((2.0, 2000), (0.0, 100)):
        setting = Setting(0, commit_every=commit_every)
        setting.goes_on_at(0)
        waiting = asyncio.create_task(setting.next(1))
        await asyncio.sleep(1)
        waiting.cancel()
        assert set(setting.consumer.waits) == {waited}


async def test_partitions_are_committed_each_for_itself() -> None:
    setting = Setting(2, 3)
    given = await setting.next(5)
    assert sorted((record.partition, record.offset) for record in given) == [
        (0, 0),
        (0, 1),
        (1, 0),
        (1, 1),
        (1, 2),
    ]
    last = given[-1]
    await setting.delivery.commit()
    done = {PLACE: 2, OTHER: 3}
    # The last one is still in hand.
    assert setting.broker.committed == {
        **done,
        TopicPartition(LABELS, last.partition): last.offset,
    }


@pytest.mark.parametrize(
    ("start", "first"),
    [
        ("earliest", 2),
        ("latest", 5),
        (datetime.fromtimestamp(3.5, UTC), 4),
        (datetime.fromtimestamp(3, UTC), 3),
        (datetime.fromtimestamp(0, UTC), 2),
        (datetime.fromtimestamp(99, UTC), 5),
    ],
)
async def test_a_group_that_has_committed_nothing_begins_at_the_start_and_says_so_at_once(
    start: Start, first: int
) -> None:
    setting = Setting(5, start=start)
    setting.broker.oldest[PLACE] = 2
    waiting = asyncio.create_task(setting.next(1))
    await soon(lambda: bool(setting.broker.commits))
    # Nothing is done yet: a restart begins at the same place, whatever has come since.
    assert setting.broker.commits == [{PLACE: first}]
    setting.broker.put(b"", timestamp=100_000)
    assert [record.offset for record in await waiting] == [first]


async def test_a_group_that_has_committed_goes_on_there_whatever_the_start() -> None:
    setting = Setting(5, start="latest")
    setting.goes_on_at(1)
    assert await setting.offsets(2) == [1, 2]


async def test_where_the_place_is_gone_it_goes_on_at_the_oldest_and_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING)
    setting = Setting(5, start="latest")
    setting.goes_on_at(1)
    setting.broker.oldest[PLACE] = 3
    assert await setting.offsets(2) == [3, 4]
    assert "offset 1 is gone" in caplog.text
    assert setting.broker.commits[1] == {PLACE: 3}


async def test_a_partition_that_moves_while_its_start_is_asked_for_is_left_alone() -> None:
    setting = Setting(1)
    asked = setting.consumer.beginning_offsets

    async def meanwhile(places: Any) -> Any:
        setting.consumer.unassign()
        return await asked(places)

    setting.consumer.beginning_offsets = meanwhile  # type: ignore[method-assign]
    waiting = asyncio.create_task(setting.next(1))
    await asyncio.sleep(0.01)
    assert setting.broker.commits == []
    assert not waiting.done()
    waiting.cancel()


async def test_an_assignment_alone_asks_for_nothing() -> None:
    setting = Setting(1)
    await setting.delivery.on_partitions_assigned([PLACE])
    assert (setting.consumer.waits, setting.broker.commits) == ([], [])


@pytest.mark.parametrize("group", ["mine", None])
async def test_a_partition_that_was_added_begins_with_its_first_label(group: str | None) -> None:
    """Though the group began at the end of what was there then."""
    setting = Setting(5, 2, start="latest", group=group)
    reading = asyncio.create_task(setting.next(3))
    await asyncio.sleep(0.01)
    setting.broker.records[TopicPartition(LABELS, 2)] = []
    setting.broker.put(b"", b"", partition=2)
    setting.consumer.assign([LABELS])
    setting.broker.put(b"")
    found = await asyncio.wait_for(reading, 60)
    assert {(one.partition, one.offset) for one in found} == {(0, 5), (2, 0), (2, 1)}
