from dataclasses import replace

import pytest

from streamer.stream.backlog import RECORD_BYTES, Backlog
from tests.stream.rig import limited
from tests.stream.simulated import SimRecord


def backlog(**limits: int) -> Backlog:
    roomy = {"max_batch": 10, "in_flight": 2, "max_buffered": 100, "max_bytes": 10**6}
    return Backlog(limited(**{**roomy, **limits}))


def records(count: int, size: int = 0) -> list[SimRecord]:
    return [SimRecord(0, offset, value=b"x" * size) for offset in range(count)]


@pytest.mark.parametrize(
    "large",
    [
        {"value": b"x" * 1000},
        {"key": b"x" * 1000},
        {"headers": [("name", b"x" * 1000)]},
        {"headers": [("x" * 1000, b"")]},
        {"headers": [("\N{PILE OF POO}" * 250, b"")]},
    ],
)
def test_key_headers_and_value_count(large: dict[str, object]) -> None:
    held = backlog(copies=3)
    held.take([replace(SimRecord(0, 0, value=None), **large)])  # type: ignore[arg-type]
    assert 3000 + 3 * RECORD_BYTES <= held.bytes <= 3100 + 3 * RECORD_BYTES


def test_a_batch_counts_until_it_is_finished() -> None:
    held = backlog()
    held.take(records(25, 100))
    (whole, first) = (held.bytes, held.cut())
    assert first is not None
    assert [record.offset for record in first.records] == list(range(10))
    assert (len(held), held.bytes) == (15, whole)
    held.drop()
    assert (len(held), held.bytes) == (0, first.bytes)
    held.finished(first)
    assert (held.bytes, held.cut()) == (0, None)


def test_the_room_is_by_number_and_by_bytes() -> None:
    held = backlog(max_buffered=30, max_bytes=10_000)
    held.take(records(10))
    assert held.room == 20
    held.take(records(1, 10_000 - held.bytes - RECORD_BYTES - 1))
    assert (held.bytes, held.room) == (9_999, 19)
    exactly = backlog(max_bytes=10_000)
    exactly.take(records(1, 10_000 - RECORD_BYTES))
    assert exactly.room == 0


def test_a_batch_has_its_share_of_the_bytes() -> None:
    held = backlog(in_flight=2, max_bytes=10_000)
    held.take(records(9, 1000 - RECORD_BYTES))
    batches = [held.cut(), held.cut()]
    assert [len(batch.records) for batch in batches if batch] == [5, 4]


def test_what_is_larger_than_a_share_waits_until_it_can_go_alone() -> None:
    held = backlog(in_flight=2, max_bytes=10_000)
    held.take(records(1))
    small = held.cut()
    held.take(records(1, 20_000))
    held.take(records(1))
    assert small is not None
    assert held.cut() is None
    held.finished(small)
    large = held.cut()
    assert large is not None
    assert len(large.records) == 1
    # The small one behind it finds no room beside it.
    assert held.cut() is None
    held.finished(large)
    assert held.cut() is not None
