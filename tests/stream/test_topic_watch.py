"""What is noticed of a topic, from scripted answers; Kafka's own are in the slow tests."""

import logging
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.coordinator.protocol import ConsumerProtocol
from aiokafka.structs import OffsetAndMetadata

from streamer.stream.topic_watch import TopicWatch

OLD, NEW = b"o" * 16, b"n" * 16


class Admin:
    """A topic and a group as they are set."""

    def __init__(self) -> None:
        self.id: bytes | None = OLD
        self.partitions = 4
        self.state = "Stable"
        self.shares: list[list[int]] = [[0, 2], [1, 3]]
        self.committed: list[tuple[str, int]] = []

    async def _send_request(self, request: Any) -> Any:
        error = 3 if self.id is None else 0
        topic = (error, "tickets", self.id, False, [()] * self.partitions, 0, {})
        return SimpleNamespace(topics=[topic])

    async def describe_consumer_groups(self, groups: list[str]) -> list[Any]:
        members = [("m", "c", "h", b"", share(numbers)) for numbers in self.shares]
        return [SimpleNamespace(groups=[(0, "g", self.state, "consumer", "roundrobin", members)])]

    async def list_consumer_group_offsets(self, group: str, **_: Any) -> dict[Any, Any]:
        return {TopicPartition(*place): OffsetAndMetadata(5, "") for place in self.committed}


class Coordinator:
    def __init__(self) -> None:
        self.rejoined = 0

    def request_rejoin(self) -> None:
        self.rejoined += 1


class Consumer:
    """Partitions with the offsets from 10 to 30."""

    def __init__(self, coordinator: Coordinator) -> None:
        self._coordinator = coordinator

    async def beginning_offsets(self, places: list[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(places, 10)

    async def end_offsets(self, places: list[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(places, 30)


class Watched:
    """A watch that has begun."""

    def __init__(self) -> None:
        self.admin, self.coordinator = Admin(), Coordinator()
        consumer = Consumer(self.coordinator)
        self.watch = TopicWatch(self.admin, consumer, "group", "tickets")

    async def looks(self, count: int = 1) -> "Watched":
        for _ in range(count):
            await self.watch.look()
        return self


async def watched(**given: Any) -> Watched:
    made = Watched()
    for name, value in given.items():
        setattr(made.admin, name, value)
    await made.watch.begin()
    return made


def share(numbers: list[int]) -> bytes:
    # As other clients write it: a topic that isn't ours stands beside it.
    parts = [("tickets", numbers), ("other", [0, 1, 2, 3, 4, 5])]
    return bytes(ConsumerProtocol.ASSIGNMENT(0, parts, b"").encode())


async def test_a_topic_of_the_same_id_was_not_made_again() -> None:
    one = await watched()
    assert (await one.looks(3)).watch.stale == set()


async def test_a_topic_of_another_id_was_made_again_and_that_is_said(
    caplog: pytest.LogCaptureFixture,
) -> None:
    one = await watched()
    one.admin.id = NEW
    assert (await one.looks(2)).watch.stale == {0, 1, 2, 3}
    assert caplog.text.count("tickets was deleted and made again") == 1
    one.watch.stale.discard(2)
    assert (await one.looks(2)).watch.stale == {0, 1, 3}


async def test_a_topic_that_is_gone_is_said_once_and_known_again_by_its_id(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    one = await watched()
    one.admin.id = None
    await one.looks(5)
    assert one.watch.stale == set()
    assert caplog.text.count("tickets is gone") == 1
    one.admin.id = NEW
    assert (await one.looks()).watch.stale == {0, 1, 2, 3}


async def test_offsets_are_taken_for_the_new_topics_after_a_minute(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Or a partition that moves much later would be read once more."""
    one = await watched()
    one.admin.id, one.admin.partitions = NEW, 6
    assert (await one.looks()).watch.stale == set(range(6))
    monkeypatch.setattr("streamer.stream.topic_watch.STALE_FOR", -1.0)
    assert (await one.looks()).watch.stale == set()


@pytest.mark.parametrize(
    ("committed", "added"),
    [
        ([], [False, False, True]),
        ([("other", 0)], [False, False, True]),
        # Who has read the topic before has an offset of all that was there then.
        ([("tickets", 0)], [True, True, True]),
    ],
)
async def test_a_partition_is_added_if_the_group_had_begun_without_it(
    committed: list[tuple[str, int]], added: list[bool]
) -> None:
    one = await watched(committed=committed)
    assert [one.watch.is_added(number) for number in (0, 3, 4)] == added


async def test_what_nobody_reads_is_told_and_mended_by_joining_anew(
    caplog: pytest.LogCaptureFixture,
) -> None:
    one = await watched(committed=[("tickets", 5)])
    one.admin.partitions = 6
    await one.looks()
    # One look may be too early: the group's leader has its own.
    assert (one.watch.unread, one.coordinator.rejoined) == ({4: 20, 5: 25}, 0)
    await one.looks()
    assert one.coordinator.rejoined == 1
    assert "nobody in group group reads tickets[4, 5]" in caplog.text
    one.admin.shares = [[0, 2, 4], [1, 3, 5]]
    await one.looks(2)
    assert (one.watch.unread, one.coordinator.rejoined) == ({}, 1)


async def test_joining_that_does_not_mend_it_is_tried_ever_more_seldom() -> None:
    one = await watched(partitions=6)
    rejoined = []
    for _ in range(32):
        await one.looks()
        rejoined.append(one.coordinator.rejoined)
    assert [rejoined.index(count) + 1 for count in range(1, 6)] == [2, 4, 8, 16, 32]


@pytest.mark.parametrize("state", ["PreparingRebalance", "CompletingRebalance", "Empty", "Dead"])
async def test_nothing_is_missed_while_partitions_are_shared_out(state: str) -> None:
    one = await watched(state=state, shares=[], partitions=6)
    await one.looks(5)
    assert (one.watch.unread, one.coordinator.rejoined) == ({}, 0)
