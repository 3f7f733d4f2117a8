"""A table reads its own topic back: after a start, after rebalances, and behind other writers."""

import asyncio
import time
from dataclasses import replace
from unittest.mock import patch

import pytest
from aiokafka.errors import UnknownTopicOrPartitionError

from streamer.errors import BrokerError, ConfigError
from streamer.records.deletion import deletion_headers
from streamer.records.label import STANDS
from streamer.records.rank import Place
from streamer.services.table.handler import SWEEP_EVERY_S
from streamer.services.table.record import caused
from tests.services.table.histories import Raw, label
from tests.services.table.scene import Log, Table, key_in, quiet

ZERO, ONE = key_in(0), key_in(1)
OTHER, THIRD = key_in(1, first=200), key_in(1, first=400)


def heard(key: bytes, offset: int, revision: int = 0, name: str = "bug", **other: object) -> Raw:
    partition = 0 if key == ZERO else 1
    body = label(offset, revision, name, **other).to_json()  # type: ignore[arg-type]
    return Raw(body, key=key, partition=partition)


def at(offset: int, record: Raw) -> Raw:
    """The record at a place of the labels topic."""
    return replace(record, offset=offset)


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


def gone(key: bytes, offset: int) -> Raw:
    return Raw(None, tuple(deletion_headers(Place(("tickets", 0), offset))), key, partition=1)


@pytest.mark.parametrize("me", [b"first", b"third"])
@pytest.mark.parametrize(
    ("older", "newer"),
    [
        (heard(ONE, 9), heard(ONE, 20, name="question")),
        (heard(ONE, 9), heard(ONE, 9, 2, name="question")),
        (heard(ONE, 9), gone(ONE, 15)),
        (gone(ONE, 5), heard(ONE, 20)),
    ],
)
async def test_what_is_older_than_what_it_lies_behind_is_not_taken_for_the_state_by_the_next(
    older: Raw, newer: Raw, me: bytes
) -> None:
    log = Log()
    async with Table(log, b"first").following() as table:
        await table.hear(at(5, older))
    async with Table(log, b"second").following() as table:
        await table.hear(at(6, newer))
    log.append(log.partitions[1][0], 1)
    async with Table(log, me).following() as table:
        await table.hear(at(7, heard(OTHER, 1)))
        await quiet(log)
        await table.hear(at(8, older))
        await quiet(log)
    assert log.values(ONE) == [older.value, newer.value, older.value, newer.value]
    async with Table(log, b"next").following() as table:
        await table.hear(at(9, heard(OTHER, 1)))
        await quiet(log)
    assert len(log.values(ONE)) == 4


async def test_what_is_written_by_who_heard_more_is_not_written_over() -> None:
    log = Log()
    first, second = Table(log, b"first"), Table(log, b"second")
    async with first.following(), second.following():
        await first.hear(at(5, heard(ONE, 9)))
        await quiet(log)
        await second.hear(at(6, heard(ONE, 20, name="question")))
        await quiet(log)
    assert log.values(ONE) == [heard(ONE, 9).value, heard(ONE, 20, name="question").value]


async def test_a_label_that_ended_stays_ended_though_an_older_one_is_written_late() -> None:
    log, now = Log(), time.time()
    async with Table(log, b"first").following() as table:
        old = replace(heard(ONE, 9), timestamp=int(now - 100 * 86_400) * 1000)
        await table.hear(at(5, old))
        with patch("time.time", return_value=now + SWEEP_EVERY_S + 1):
            await table.hear(at(6, heard(OTHER, 1)))
    log.append(log.partitions[1][0], 1)
    async with Table(log, b"next").following() as table:
        await table.hear(at(7, heard(OTHER, 1)))
        await quiet(log)
    assert log.values(ONE) == [heard(ONE, 9).value, None, heard(ONE, 9).value, None]


async def test_a_state_does_not_get_older_by_what_is_heard_once_more() -> None:
    log = Log()
    async with Table(log, b"me").following() as table:
        await table.hear(at(9, heard(ONE, 20)))
        await table.hear(at(5, heard(ONE, 21)))
        log.append(Raw(b"of others", key=ONE), 1)
        await quiet(log)
    assert [caused(one.headers) for one in log.partitions[1]] == [9, 9, None, 9]


async def test_what_tables_of_before_wrote_counts_as_it_lies_there() -> None:
    log = Log()
    async with Table(log, b"first").following() as table:
        await table.hear(at(5, heard(ONE, 9)))
    log.append(Raw(heard(ONE, 20).value, ((STANDS, b"before"),), ONE), 1)
    async with Table(log, b"next").following() as table:
        await table.hear(at(6, heard(ONE, 19)))
        await quiet(log)
        assert log.values(ONE) == [heard(ONE, 9).value, heard(ONE, 20).value]
        await table.hear(at(7, heard(ONE, 21)))
    assert log.values(ONE)[2:] == [heard(ONE, 21).value]


@pytest.mark.parametrize("key", [ONE, OTHER])
@pytest.mark.parametrize("value", [b"no label", None, label(99, 2).to_json()])
async def test_what_others_wrote_while_no_table_ran_is_written_over(
    value: bytes | None, key: bytes
) -> None:
    log = Log()
    async with Table(log, b"me").following() as table:
        await table.hear(heard(ONE, 9))
    stood = log.values(key)
    log.append(Raw(value, key=key), 1)
    async with Table(log, b"next").following() as table:
        await table.hear(heard(THIRD, 9))
        await quiet(log)
    assert log.values(key) == [*stood, value, *(stood or [None])]


async def test_a_key_that_others_wrote_into_the_wrong_partition_is_left() -> None:
    log = Log()
    async with Table(log, b"me").following() as table:
        await table.hear(heard(ONE, 9), heard(ZERO, 9))
        log.append(Raw(label(99).to_json(), key=ONE), 0)
        await quiet(log)
    assert log.values(ONE) == [label(99).to_json(), heard(ONE, 9).value]


@pytest.mark.parametrize(("end", "refused"), [(5, True), (6, False)])
async def test_states_of_labels_that_are_not_there_end_it(end: int, refused: bool) -> None:
    log = Log()
    async with Table(log, b"me").following() as table:
        await table.hear(at(5, heard(ONE, 9)))
    table = Table(log, b"next")
    table.consumer.labels_end = end
    async with table.following():
        if not refused:
            await table.hear(at(1, heard(ONE, 20)))
            return
        with pytest.raises(ConfigError, match=r"made again.*--rebuild"):
            await table.hear(at(1, heard(ONE, 20)))


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
