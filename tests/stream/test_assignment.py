import pytest
from aiokafka import TopicPartition

from streamer.stream import assignment as module
from streamer.stream.assignment import Assignment
from tests.stream.simulated import TOPIC, SimRecord

FIRST, SECOND = TopicPartition(TOPIC, 0), TopicPartition(TOPIC, 1)


def test_each_partition_commits_its_own_watermark_once() -> None:
    held = Assignment()
    a, b, c = SimRecord(0, 4), SimRecord(0, 5), SimRecord(1, 70)
    held.read(FIRST, [a, b])
    held.read(SECOND, [c])
    held.finish([b, c])
    assert held.to_commit() == {SECOND: 71}
    held.finish([a])
    assert held.to_commit() == {FIRST: 6, SECOND: 71}
    held.committed({FIRST: 6})
    assert held.to_commit() == {SECOND: 71}
    assert held.unfinished == 0


def test_waiting_counts_from_the_first_record_after_a_time_without_work(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 100.0
    monkeypatch.setattr(module.time, "monotonic", lambda: now)
    held = Assignment()
    now = 4000.0
    held.read(FIRST, [SimRecord(0, 1)])
    assert held.moved_at == 4000.0
    now = 4001.0
    held.read(FIRST, [SimRecord(0, 2)])
    assert held.moved_at == 4000.0
