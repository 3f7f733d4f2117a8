"""A table reads its own topic back: after a start, after rebalances, and behind other writers."""

import asyncio

import pytest
from aiokafka.errors import UnknownTopicOrPartitionError

from streamer.errors import BrokerError, ConfigError
from tests.services.table.histories import Raw, label
from tests.services.table.scene import Log, Table, key_in, quiet

ZERO, ONE = key_in(0), key_in(1)


def heard(key: bytes, offset: int, revision: int = 0, name: str = "bug", **other: object) -> Raw:
    partition = 0 if key == ZERO else 1
    body = label(offset, revision, name, **other).to_json()  # type: ignore[arg-type]
    return Raw(body, key=key, partition=partition)


async def test_a_new_process_knows_what_the_one_before_wrote() -> None:
    log = Log()
    async with Table(log, b"first").following() as table:
        await table.hear(heard(ZERO, 9), heard(ONE, 9))
    async with Table(log, b"second").following() as table:
        await table.hear(heard(ZERO, 5), heard(ONE, 9))
    assert [len(log.values(key)) for key in (ZERO, ONE)] == [1, 1]


async def test_a_partition_that_left_and_comes_back_is_read_from_its_beginning() -> None:
    log = Log()
    async with Table(log, b"me").following() as table:
        await table.hear(heard(ZERO, 9), heard(ONE, 9, name="question"))
        await quiet(log)
        table.move([0])
        await table.hear(heard(ZERO, 10))
        await asyncio.sleep(0.02)
        table.move([0, 1])
        await table.hear(heard(ONE, 5))
        assert log.values(ONE) == [heard(ONE, 9, name="question").value]
        assert table.shelves.keys == 2


async def test_who_lost_a_partition_leaves_it_to_the_new_owner_though_nothing_else_happens() -> (
    None
):
    log = Log()
    first, second = Table(log, b"first"), Table(log, b"second", [])
    async with first.following(), second.following():
        await first.hear(heard(ONE, 9))
        await quiet(log)
        first.move([0])
        second.move([1])
        await second.hear(heard(ONE, 10, name="question"))
        await quiet(log)
    assert log.values(ONE) == [heard(ONE, 9).value, heard(ONE, 10, name="question").value]
    assert first.shelves.keys == 0


async def test_what_a_stopped_process_writes_late_is_written_over() -> None:
    log = Log()
    first, second = Table(log, b"first"), Table(log, b"second")
    async with second.following():
        async with first.following():
            await first.hear(heard(ONE, 9))
            first.move([])
        second.move([0, 1])
        await second.hear(heard(ONE, 20, name="question"))
        await quiet(log)
        log.append(Raw(heard(ONE, 10).value, (("table.writer", b"first"),), ONE), 1)
        await quiet(log)
    assert log.values(ONE)[-1] == heard(ONE, 20, name="question").value


@pytest.mark.parametrize("value", [b"no label", None, label(99, 2).to_json()])
async def test_what_others_write_is_written_over(value: bytes | None) -> None:
    log = Log()
    async with Table(log, b"me").following() as table:
        await table.hear(heard(ONE, 9))
        log.append(Raw(value, key=ONE), 1)
        await quiet(log)
    assert log.values(ONE) == [heard(ONE, 9).value, value, heard(ONE, 9).value]


async def test_keys_of_another_layout_end_it_but_not_those_of_other_writers() -> None:
    log = Log()
    log.append(Raw(b"whatever", key=ZERO), 1)
    async with Table(log, b"me").following() as table:
        await table.hear(heard(ONE, 9))
    log.append(Raw(heard(ZERO, 3).value, (("table.writer", b"before"),), ZERO), 1)
    table = Table(log, b"other")
    hearing = asyncio.create_task(table.hear(heard(ONE, 9)))
    with pytest.raises(ConfigError, match="--rebuild"):
        await table.own.run(table.handler.repair)
    hearing.cancel()


async def test_a_partition_that_kafka_does_not_know_is_an_error_that_says_what_to_do() -> None:
    table = Table(Log(), b"me")
    table.consumer.error = UnknownTopicOrPartitionError()
    with pytest.raises(BrokerError, match="check --connect"):
        await table.hear(heard(ONE, 9))
