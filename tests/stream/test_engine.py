"""Single decisions of the engine, one at a time."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from types import SimpleNamespace

import pytest
from aiokafka.errors import (
    CommitFailedError,
    GroupAuthorizationFailedError,
    NoOffsetForPartitionError,
    TopicAuthorizationFailedError,
)

from streamer.errors import BrokerError, HandlerError, ModelError
from streamer.stream import assignment, engine
from streamer.stream.handler import Emission, Record, Settled
from tests.stream.rig import (
    PARTITION,
    Group,
    Rig,
    answer,
    answer_slowly,
    limited,
    virtual,
)
from tests.stream.simulated import TOPIC


@virtual
async def test_what_is_done_is_committed_soon_and_once() -> None:
    rig = Rig(answer)
    rig.feed(4, 5, 9)
    await asyncio.sleep(3)
    assert rig.consumer.commits == [10]
    await rig.stop()
    assert rig.consumer.commits == [10]


@virtual
async def test_stopping_drains_and_commits() -> None:
    rig = Rig(answer_slowly)
    rig.feed(0, 1)
    await asyncio.sleep(0.1)
    await rig.stop()
    assert rig.consumer.commits == [2]


@virtual
async def test_a_failure_during_the_last_drain_is_raised_and_not_committed() -> None:
    async def one_fails(batch: Sequence[Record]) -> AsyncIterator[Group]:
        await asyncio.sleep(1.3 if batch[0].offset == 0 else 1.4)
        if batch[0].offset == 1:
            raise ModelError("out")
        yield [Settled(record, "fine") for record in batch]

    rig = Rig(one_fails, limited(max_batch=1))
    rig.feed(0, 1)
    await asyncio.sleep(1.25)  # the next regular commit comes when the second has failed
    rig.engine.stop()
    with pytest.raises(ModelError):
        await rig.task
    assert rig.consumer.commits == []


async def answer_late(batch: Sequence[Record]) -> AsyncIterator[Group]:
    await asyncio.sleep(8)
    async for group in answer(batch):
        yield group


@virtual
async def test_work_that_outlasts_the_drain_is_dropped_uncommitted() -> None:
    async def never(batch: Sequence[Record]) -> AsyncIterator[Group]:
        await asyncio.sleep(10**6)
        yield []

    cancelled = []

    async def never_ending(batch: Sequence[Record]) -> AsyncIterator[Group]:
        try:
            async for group in never(batch):
                yield group
        except asyncio.CancelledError:
            cancelled.append(batch[0].offset)
            raise

    rig = Rig(never_ending)
    rig.feed(0)
    await asyncio.sleep(0.1)
    await rig.stop()
    assert (rig.consumer.commits, rig.engine.in_flight) == ([], 0)
    assert cancelled == [0]


@virtual
async def test_work_that_outlasts_the_drain_of_a_rebalance_is_cancelled_and_publishes_nothing() -> (
    None
):
    rig = Rig(answer_late)
    rig.feed(0)
    await asyncio.sleep(0.1)
    await rig.engine.on_partitions_revoked([PARTITION])
    assert rig.engine.in_flight == 0
    await asyncio.sleep(20)
    assert rig.producer.sent == []
    await rig.stop()
    assert rig.consumer.commits == []


@virtual
async def test_a_batch_that_fails_takes_the_others_with_it_before_the_engine_ends() -> None:
    async def first_fails(batch: Sequence[Record]) -> AsyncIterator[Group]:
        await asyncio.sleep(1 if batch[0].offset == 0 else 3)
        if batch[0].offset == 0:
            raise ModelError("out")
        async for group in answer(batch):
            yield group

    rig = Rig(first_fails, limited(max_batch=1))
    rig.feed(0, 1)
    with pytest.raises(ModelError):
        await rig.task
    await asyncio.sleep(10)
    assert (rig.producer.sent, rig.consumer.commits) == ([], [])


@virtual
async def test_a_record_left_out_is_a_defect_of_the_handler() -> None:
    async def forgetful(batch: Sequence[Record]) -> AsyncIterator[Group]:
        yield [Settled(batch[0], "fine")]

    rig = Rig(forgetful)
    rig.feed(0, 1, 2)
    with pytest.raises(HandlerError, match=r"2 records .* the first at tickets\[0\]@1"):
        await rig.task
    assert rig.consumer.commits == []


@virtual
async def test_a_batch_cancelled_by_a_library_stops_the_engine_instead_of_hanging() -> None:
    async def cancelled(batch: Sequence[Record]) -> AsyncIterator[Group]:
        raise asyncio.CancelledError
        yield []

    rig = Rig(cancelled)
    rig.feed(0)
    with pytest.raises(HandlerError, match="cancelled from inside"):
        await rig.task


@virtual
async def test_a_poll_cancelled_by_a_library_stops_the_engine_instead_of_hanging() -> None:
    rig = Rig(answer)
    rig.consumer.polls.put_nowait(asyncio.CancelledError())
    with pytest.raises(HandlerError, match="cancelled from inside"):
        await rig.task


@virtual
async def test_groups_leave_before_the_batch_is_done() -> None:
    async def in_two_steps(batch: Sequence[Record]) -> AsyncIterator[Group]:
        yield [Emission(batch[0], "labels", b"key", b"early")]
        await asyncio.sleep(4)
        yield [Settled(batch[1], "late")]

    rig = Rig(in_two_steps)
    rig.feed(0, 1)
    await asyncio.sleep(1)
    assert len(rig.producer.sent) == 1
    assert rig.consumer.commits == []
    await rig.stop()
    assert rig.consumer.commits == [2]
    assert rig.engine.counts.settled == {"late": 1}


@virtual
async def test_a_free_slot_takes_what_is_there_and_a_busy_time_makes_larger_batches() -> None:
    rig = Rig(answer_slowly, limited(max_batch=3, in_flight=1))
    for offset in range(5):
        rig.feed(offset)
    await asyncio.sleep(1)
    assert rig.handler.batches == [[0]]
    # No poll comes back any more: the slot that gets free takes what waits by itself.
    await asyncio.sleep(5)
    assert rig.handler.batches == [[0], [1, 2, 3], [4]]
    await rig.stop()


@virtual
async def test_a_full_buffer_pauses_and_goes_on_when_there_is_room() -> None:
    rig = Rig(answer_slowly, limited(max_batch=2, in_flight=1, max_buffered=4))
    rig.feed(0, 1)
    rig.feed(2, 3, 4, 5)
    await asyncio.sleep(1.5)
    assert rig.consumer.paused() == {PARTITION}
    assert rig.engine.buffered == 4
    await asyncio.sleep(1)
    assert rig.consumer.paused() == set()
    assert rig.consumer.rooms[-1] == 2
    await asyncio.sleep(4)
    await rig.stop()
    assert rig.consumer.commits[-1] == 6


@virtual
async def test_a_commit_that_hangs_in_a_rebalance_is_given_up_and_the_engine_goes_on() -> None:
    rig = Rig(answer)
    rig.feed(0)
    await asyncio.sleep(0.1)
    rig.consumer.commit_hangs = True
    began = asyncio.get_running_loop().time()
    await rig.engine.on_partitions_revoked([PARTITION])
    assert asyncio.get_running_loop().time() - began < 20
    assert rig.engine.counts.commits_lost == 1
    rig.consumer.commit_hangs = False
    rig.feed(0)
    await asyncio.sleep(10)
    assert rig.consumer.commits[-1] == 1
    await rig.stop()


@virtual
async def test_stopping_does_not_wait_for_a_poll() -> None:
    rig = Rig(answer)
    await asyncio.sleep(1)
    await asyncio.wait_for(rig.stop(), 0.001)


@virtual
async def test_a_lost_commit_is_counted_and_offered_again() -> None:
    rig = Rig(answer)
    rig.consumer.commit_error = CommitFailedError()
    rig.feed(0)
    await asyncio.sleep(1)
    assert rig.engine.counts.commits_lost > 1
    rig.consumer.commit_error = None
    await rig.stop()
    assert rig.consumer.commits == [1]


@virtual
async def test_a_refused_commit_is_one_clear_line() -> None:
    rig = Rig(answer)
    rig.consumer.commit_error = GroupAuthorizationFailedError("group")
    rig.feed(0)
    with pytest.raises(BrokerError, match=r"refused a commit.*streamer check --connect"):
        await rig.task


@virtual
async def test_a_last_commit_that_hangs_ends() -> None:
    rig = Rig(answer)
    rig.consumer.commit_hangs = True
    rig.feed(0)
    await asyncio.sleep(0.1)
    rig.engine.stop()
    with pytest.raises(BrokerError, match="did not take the last commit"):
        await rig.task


@virtual
async def test_a_poll_that_fails_is_one_clear_line() -> None:
    rig = Rig(answer)
    rig.consumer.polls.put_nowait(TopicAuthorizationFailedError(TOPIC))
    with pytest.raises(BrokerError, match=r"reading failed.*streamer check --connect"):
        await rig.task


@virtual
async def test_a_start_position_lost_to_a_rebalance_is_left_to_the_new_owner() -> None:
    rig = Rig(answer)
    rig.consumer.commit_error = CommitFailedError()
    rig.consumer.polls.put_nowait(NoOffsetForPartitionError(PARTITION))
    await asyncio.sleep(1)
    assert rig.consumer.sought == [7]
    rig.consumer.commit_error = None
    await rig.stop()


@virtual
async def test_a_rebalance_drops_what_waits_and_keeps_what_is_finished() -> None:
    rig = Rig(answer_slowly, limited(max_batch=2, in_flight=1))
    rig.feed(0, 1, 2, 3)
    await asyncio.sleep(0.1)
    await rig.engine.on_partitions_revoked([PARTITION])
    assert rig.consumer.commits == [2]
    assert (rig.engine.buffered, rig.handler.batches) == (0, [[0, 1]])
    assert rig.engine.counts.redelivered == 0
    rig.feed(2, 3, 4)
    await asyncio.sleep(4)
    await rig.stop()
    assert rig.consumer.commits[-1] == 5
    assert rig.engine.counts.redelivered == 2


@virtual
async def test_a_failure_in_the_rebalance_is_not_swallowed() -> None:
    rig = Rig(answer_slowly)
    rig.feed(0)
    await asyncio.sleep(0.1)
    rig.consumer.commit_error = GroupAuthorizationFailedError("group")
    await rig.engine.on_partitions_revoked([PARTITION])
    with pytest.raises(BrokerError, match="refused a commit"):
        await rig.task


@virtual
async def test_when_it_last_polled_and_how_often_it_committed_is_told() -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(engine, "time", SimpleNamespace(monotonic=asyncio.get_running_loop().time))
        rig = Rig(answer)
        # Before the first poll it is as if it had just polled: the watchdog must bear with it.
        assert rig.engine.polled_at == asyncio.get_running_loop().time()
        for count in range(3):
            await asyncio.sleep(10)
            assert rig.engine.counts.commits == len(rig.consumer.commits) == count
            rig.feed(count)
            now = asyncio.get_running_loop().time()
            await asyncio.sleep(0.1)
            # That one came at once; the poll that waits for the next has begun since.
            assert now <= rig.engine.polled_at <= now + 0.1
        await rig.stop()


@virtual
async def test_the_watermark_ages_only_while_something_is_unfinished() -> None:
    with pytest.MonkeyPatch.context() as patched:
        clock = SimpleNamespace(monotonic=asyncio.get_running_loop().time)
        for module in (engine, assignment):
            patched.setattr(module, "time", clock)
        await watermark_ages()


async def watermark_ages() -> None:
    rig = Rig(answer_slowly, limited(max_batch=1, in_flight=1))
    await asyncio.sleep(10)
    assert rig.engine.watermark_age == 0
    rig.feed(0, 1)
    await asyncio.sleep(1.5)
    assert rig.engine.watermark_age == pytest.approx(1.5, abs=0.3)
    await asyncio.sleep(1)  # the first was finished half a second ago, the second is not
    assert rig.engine.watermark_age == pytest.approx(0.5, abs=0.3)
    await asyncio.sleep(10)
    assert rig.engine.watermark_age == 0
    await rig.stop()


@virtual
async def test_a_label_too_large_for_the_topic_becomes_a_dead_letter() -> None:
    async def verbose(batch: Sequence[Record]) -> AsyncIterator[Group]:
        headers = [("traceparent", b"00-ours"), ("other", b"1")]
        yield [Emission(record, "labels", b"key", b"x" * 2000, headers) for record in batch]

    rig = Rig(verbose)
    rig.feed(0)
    await asyncio.sleep(1)
    await rig.stop()
    ((_, _, (letter,)),) = rig.producer.sent
    assert ("dead.reason", b"too_large_to_copy") in letter["headers"]
    assert ("traceparent", b"00-ours") in letter["headers"]
    assert "other" not in dict(letter["headers"])
    assert letter["value"] == b"text"
    assert rig.consumer.commits == [1]
