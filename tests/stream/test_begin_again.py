"""The topic is deleted and made again while an engine reads it."""

import asyncio

from streamer.stream.engine import COMMIT_WITHIN, Engine
from tests.stream.rig import PARTITION, Rig, answer, answer_slowly, virtual


@virtual
async def test_the_new_topic_is_read_from_its_beginning_and_that_is_committed() -> None:
    rig = Rig(answer)
    rig.feed(40, 41)
    await asyncio.sleep(1)
    assert rig.consumer.commits == [42]
    rig.topic.again()
    rig.feed(42)
    await asyncio.sleep(1)
    # What was read before it was noticed is finished, and committed no more.
    assert (rig.consumer.sought, rig.consumer.commits) == ([7], [42, 7])
    rig.feed(7, 8)
    await asyncio.sleep(1)
    assert rig.consumer.commits == [42, 7, 9]
    await rig.stop()
    assert rig.handler.batches == [[40, 41], [42], [7, 8]]


@virtual
async def test_what_is_in_flight_is_finished_and_its_offsets_are_never_committed() -> None:
    rig = Rig(answer_slowly)
    rig.feed(40, 41)
    await asyncio.sleep(0.1)
    rig.topic.again()
    rig.feed()
    await asyncio.sleep(5)
    assert rig.producer.sent
    assert rig.consumer.commits == [7]
    assert rig.engine.lags == {}
    await rig.stop()


@virtual
async def test_a_commit_for_a_topic_that_is_gone_is_given_up() -> None:
    rig = Rig(answer)
    rig.consumer.commit_hangs = True
    rig.feed(40)
    await asyncio.sleep(1)
    rig.consumer.commit_hangs = False
    # Kafka's client would repeat that one until the topic is there again, and then it is wrong.
    rig.topic.again()
    rig.feed()
    await asyncio.sleep(20)
    assert rig.consumer.commits == [7]
    await rig.stop()


@virtual
async def test_a_rebalance_does_not_wait_for_ever_for_a_commit() -> None:
    rig = Rig(answer)
    rig.consumer.commit_hangs = True
    rig.feed(40)
    await asyncio.sleep(1)
    await revoked(rig.engine)
    assert rig.engine.counts.commits_lost == 1
    rig.consumer.commit_hangs = False
    rig.feed(40)
    # The regular commit may hang still, for as long as one is waited for.
    await asyncio.sleep(2 * COMMIT_WITHIN)
    assert rig.consumer.commits == [41]
    await rig.stop()


@virtual
async def test_the_lag_is_also_that_of_partitions_that_nobody_reads() -> None:
    rig = Rig(answer)
    rig.topic.unread = {4: 20}
    assert rig.engine.lags == {4: 20}
    await rig.stop()


async def revoked(engine: Engine) -> None:
    async with asyncio.timeout(60):
        await engine.on_partitions_revoked([PARTITION])
