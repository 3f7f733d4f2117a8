"""How much the engine holds at once, by number and by bytes."""

import asyncio
from collections.abc import AsyncIterator, Sequence

from streamer.stream.handler import Record, Settled
from tests.stream.rig import (
    PARTITION,
    Group,
    Rig,
    answer,
    answer_slowly,
    limited,
    virtual,
)

LARGE = b"x" * 10_000


@virtual
async def test_large_records_fill_it_by_their_bytes_while_they_wait_and_while_in_flight() -> None:
    rig = Rig(answer_slowly, limited(max_batch=1, in_flight=1, max_bytes=25_000))
    rig.feed(0, 1, value=LARGE)
    await asyncio.sleep(0.1)
    assert (rig.engine.in_flight, rig.engine.buffered) == (1, 1)
    assert 20_000 < rig.engine.held_bytes < 25_000
    rig.feed(2, value=LARGE)
    await asyncio.sleep(1.4)
    assert rig.engine.held_bytes > 30_000
    assert rig.consumer.paused() == {PARTITION}
    await asyncio.sleep(1)  # one is finished: its bytes are given back, and there is room
    assert rig.consumer.paused() == set()
    assert 20_000 < rig.engine.held_bytes < 25_000
    await asyncio.sleep(4)
    assert rig.engine.held_bytes == 0
    await rig.stop()
    assert rig.consumer.commits[-1] == 3


@virtual
async def test_small_records_of_the_same_number_do_not_fill_it() -> None:
    rig = Rig(answer_slowly, limited(max_batch=1, in_flight=1, max_bytes=25_000))
    rig.feed(0, 1, 2)
    await asyncio.sleep(1.5)
    assert rig.consumer.paused() == set()
    await rig.stop()


@virtual
async def test_a_batch_is_cut_by_bytes_so_that_each_slot_has_its_share() -> None:
    limits = limited(max_batch=100, in_flight=2, max_bytes=50_000)
    rig = Rig(answer_slowly, limits)
    rig.feed(0, 1, 2, 3, value=LARGE)
    await asyncio.sleep(0.1)
    assert rig.handler.batches == [[0, 1], [2, 3]]
    await rig.stop()


@virtual
async def test_what_a_record_is_copied_to_counts() -> None:
    rig = Rig(answer_slowly, limited(in_flight=1, max_bytes=50_000, copies=10))
    rig.feed(0, 1, value=LARGE)
    await asyncio.sleep(0.1)
    assert rig.engine.held_bytes > 200_000
    assert rig.handler.batches == [[0]]
    await asyncio.sleep(2)
    assert rig.handler.batches == [[0], [1]]
    await rig.stop()


@virtual
async def test_a_rebalance_gives_back_the_bytes_of_what_waits_and_of_what_outlasts_the_drain() -> (
    None
):
    async def never(batch: Sequence[Record]) -> AsyncIterator[Group]:
        await asyncio.sleep(10**6 if batch[0].offset < 2 else 0)
        yield [Settled(record, "fine") for record in batch]

    rig = Rig(never, limited(max_batch=1, in_flight=1, max_bytes=25_000))
    for _ in range(3):
        rig.feed(0, 1, value=LARGE)
        await asyncio.sleep(0.1)
        assert rig.engine.held_bytes > 20_000
        await rig.engine.on_partitions_revoked([PARTITION])
        assert rig.engine.held_bytes == 0
    rig.feed(2, 3, 4, value=LARGE)
    await asyncio.sleep(3)
    assert rig.consumer.commits[-1] == 5
    await rig.stop()


@virtual
async def test_a_poll_asks_for_few_at_once_and_for_more_while_there_are_more() -> None:
    rig = Rig(answer_slowly)
    rig.feed(*range(64))
    rig.feed(64)
    await asyncio.sleep(0.1)
    # The second had come to nothing at once; the third waits.
    assert rig.consumer.rooms[:3] == [64, 64, 64]
    await asyncio.sleep(3)
    await rig.stop()
    assert rig.consumer.commits[-1] == 65


@virtual
async def test_as_many_as_were_asked_for_are_begun_without_waiting_for_more() -> None:
    rig = Rig(answer)
    rig.feed(*range(64))
    await asyncio.sleep(0.1)
    assert rig.handler.batches == [list(range(64))]
    await rig.stop()
