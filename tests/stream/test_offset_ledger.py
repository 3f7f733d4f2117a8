from hypothesis import given
from hypothesis import strategies as st

from streamer.stream.offset_ledger import OffsetLedger

gaps = st.lists(st.integers(1, 5), min_size=1, max_size=60)


def offsets_of(start: int, steps: list[int]) -> list[int]:
    offsets = [start]
    for step in steps:
        offsets.append(offsets[-1] + step)
    return offsets


@given(start=st.integers(0, 100), steps=gaps, data=st.data())
def test_the_watermark_is_the_lowest_unfinished_offset(
    start: int, steps: list[int], data: st.DataObject
) -> None:
    offsets = offsets_of(start, steps)
    order = data.draw(st.permutations(offsets))
    ledger = OffsetLedger()
    ledger.read(offsets)
    for count, offset in enumerate(order, 1):
        ledger.finish([offset])
        waiting = sorted(set(offsets) - set(order[:count]))
        done_before = [o for o in offsets if not waiting or o < waiting[0]]
        assert ledger.watermark == (done_before[-1] + 1 if done_before else None)
        assert ledger.unfinished == len(offsets) - len(done_before)
    assert ledger.watermark == offsets[-1] + 1


@given(start=st.integers(0, 100), steps=gaps, data=st.data())
def test_reading_and_finishing_in_turns_never_passes_unfinished_work(
    start: int, steps: list[int], data: st.DataObject
) -> None:
    offsets = offsets_of(start, steps)
    ledger, in_flight, highest = OffsetLedger(), set[int](), 0
    while offsets or in_flight:
        if offsets and (not in_flight or data.draw(st.booleans())):
            count = data.draw(st.integers(1, len(offsets)))
            ledger.read(offsets[:count])
            in_flight.update(offsets[:count])
            offsets = offsets[count:]
        else:
            batch = data.draw(st.sets(st.sampled_from(sorted(in_flight)), min_size=1))
            ledger.finish(batch)
            in_flight -= batch
        watermark = ledger.watermark or 0
        assert watermark >= highest
        assert all(offset >= watermark for offset in in_flight)
        highest = watermark
    assert ledger.unfinished == 0


def test_what_was_committed_is_not_offered_again() -> None:
    ledger = OffsetLedger()
    assert ledger.to_commit is None
    ledger.read([5, 9])
    assert ledger.to_commit is None
    ledger.finish([5])
    assert ledger.to_commit == 6
    ledger.committed = 6
    assert ledger.to_commit is None
    ledger.finish([9])
    assert ledger.to_commit == 10


@given(start=st.integers(0, 100), steps=gaps, data=st.data())
def test_the_position_is_the_lowest_unfinished_offset_or_the_one_after_the_last_read(
    start: int, steps: list[int], data: st.DataObject
) -> None:
    offsets = offsets_of(start, steps)
    ledger = OffsetLedger()
    ledger.read(offsets)
    waiting = set(offsets)
    for offset in data.draw(st.permutations(offsets)):
        assert ledger.position == min(waiting)
        ledger.finish([offset])
        waiting.remove(offset)
    assert ledger.position == offsets[-1] + 1


def test_a_read_of_nothing_leaves_the_position_where_it_was() -> None:
    ledger = OffsetLedger()
    ledger.read([])
    assert ledger.position == 0
    ledger.read([3, 8])
    ledger.read([])
    assert ledger.position == 3
    ledger.finish([3, 8])
    ledger.read([])
    assert ledger.position == 9


def test_an_offset_that_is_read_again_is_done_when_it_is_finished_again() -> None:
    ledger = OffsetLedger()
    for _ in range(2):
        ledger.read([5, 6])
        ledger.finish([6])
        assert (ledger.unfinished, ledger.position) == (2, 5)
        ledger.finish([5])
        assert (ledger.unfinished, ledger.watermark) == (0, 7)
