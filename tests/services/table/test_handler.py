"""What a table writes for its batches, also where one was broken off or the table came back."""

import time
from dataclasses import replace
from unittest.mock import patch

import orjson
import pytest

from streamer.records.deletion import deletion_headers
from streamer.records.rank import Place
from streamer.services.table.handler import SWEEP_EVERY_S
from streamer.stream.handler import Barrier, Emission
from tests.services.table.histories import Raw, label
from tests.services.table.scene import CURRENT, LABELS, Log, Table, key_in, quiet

KEY = key_in(0)


def heard(offset: int, revision: int = 0, name: str = "bug", **other: object) -> Raw:
    return Raw(label(offset, revision, name, **other).to_json(), key=KEY)  # type: ignore[arg-type]


def gone(offset: int) -> Raw:
    return Raw(None, tuple(deletion_headers(Place(("tickets", 0), offset))), KEY)


def stands(log: Log) -> tuple[str, str, int] | None:
    """Label, source and offset of what stands."""
    last = log.values(KEY)[-1]
    raw = orjson.loads(last or b"null")
    return raw and (raw["label"], raw["source"], raw["position"]["offset"])


async def test_a_table_without_work_is_seen_and_its_first_repair_counts() -> None:
    shown = Table(Log(), b"me").metrics.render().decode()
    assert "streamer_table_keys 0.0" in shown
    assert 'streamer_table_total{event="repaired"} 0.0' in shown


async def test_of_a_batch_each_key_gets_its_last_state() -> None:
    log = Log()
    async with Table(log, b"me").following() as table:
        await table.hear(heard(1), heard(3, name="question"), heard(2, name="billing"))
    assert log.values(KEY) == [heard(3, name="question").value]


async def test_a_state_is_sent_once_kafka_has_the_label_that_was_carried_to_it() -> None:
    log = Log()
    async with Table(log, b"me").following() as table:
        batch = [heard(1), heard(1, 2, "billing"), heard(5)]
        groups = [group async for group in table.handler.handle(batch)]
    order = [
        item.topic if isinstance(item, Emission) else type(group)
        for group in groups
        for item in ([group] if isinstance(group, Barrier) else group)
        if isinstance(item, Emission | Barrier)
    ]
    assert order == [LABELS, Barrier, CURRENT, Barrier]


@pytest.mark.parametrize("lose", [0, 1])
async def test_a_batch_that_was_broken_off_is_written_when_it_comes_again(lose: int) -> None:
    log = Log()
    async with Table(log, b"me").following() as table:
        await table.hear(heard(1), heard(1, 2, "billing"))
        await table.hear(heard(5), lose=lose)
        table.move([0, 1])
        await table.hear(heard(5))
        assert stands(log) == ("billing", "person", 5)
        assert table.labels[-1] == log.values(KEY)[-1]
        log.append(Raw(b"of another", key=KEY), 0)
        await quiet(log)
    assert stands(log) == ("billing", "person", 5)


async def test_a_broken_off_batch_leaves_nothing_on_its_way() -> None:
    log = Log()
    async with Table(log, b"me").following() as table:
        await table.hear(heard(1))
        await table.hear(heard(5), lose=1)
        await table.hear(heard(1))
        await quiet(log)
        assert table.shelves[0].fresh == {}


async def test_what_workers_said_is_looked_up_where_a_person_speaks_and_releases() -> None:
    log = Log()
    async with Table(log, b"me").following() as table:
        await table.hear(heard(1, name="question"))
        await quiet(log)
        await table.hear(heard(1, 2, "billing"))
        assert stands(log) == ("billing", "person", 1)
    async with Table(log, b"next").following() as table:
        await table.hear(heard(1, 2, "billing", released=True))
        assert stands(log) == ("question", "workers", 1)
        copy = orjson.loads(table.labels[-1] or b"")
        assert (copy["revision"], copy["released"]) == (2, True)


async def test_a_verdict_that_came_below_a_persons_label_stands_after_the_release() -> None:
    log = Log()
    async with Table(log, b"me").following() as table:
        await table.hear(heard(1, name="question"), heard(1, 2, "billing"))
        await table.hear(heard(1, 1, "bug"))
    async with Table(log, b"next").following() as table:
        await table.hear(heard(1, 2, "billing", released=True))
    assert stands(log) == ("bug", "judge", 1)


async def test_a_label_that_was_released_without_another_is_nobodys_after_a_restart() -> None:
    log = Log()
    async with Table(log, b"me").following() as table:
        await table.hear(heard(1, 2, "billing"), heard(1, 2, "billing", released=True))
    async with Table(log, b"next").following() as table:
        await table.hear(heard(5, name="question"))
        assert (stands(log), table.labels) == (("question", "workers", 5), [])


async def test_a_deleted_tickets_label_does_not_rise_after_a_restart() -> None:
    log = Log()
    async with Table(log, b"me").following() as table:
        await table.hear(gone(5))
    async with Table(log, b"next").following() as table:
        await table.hear(heard(3, 1))
    assert [value for value in log.values(KEY) if value] == []


async def test_a_deletion_below_the_newest_message_keeps_its_label() -> None:
    log = Log()
    async with Table(log, b"me").following() as table:
        await table.hear(heard(9))
        await quiet(log)
        await table.hear(gone(5))
    async with Table(log, b"next").following() as table:
        await table.hear(heard(3, 2, "billing"))
    assert stands(log) == ("bug", "workers", 9)


@pytest.mark.parametrize(
    "value",
    [
        b"no label",
        orjson.dumps(orjson.loads(label(1).to_json()) | {"task": None}),
        orjson.dumps(orjson.loads(label(1).to_json()) | {"position": {"source": None}}),
        label(1, 2).to_json()[:-1] + b',"more":' + b"[" * 400 + b"]" * 400 + b"}",
    ],
)
async def test_what_is_no_label_is_a_dead_letter_and_its_neighbours_go_on(value: bytes) -> None:
    log = Log()
    async with Table(log, b"me").following() as table:
        await table.hear(Raw(value, key=KEY), heard(5))
        assert [letter.value for letter in table.dead] == [value]
    assert stands(log) == ("bug", "workers", 5)


@pytest.mark.parametrize("odd", [{"key": None}, {"key": KEY, "partition": 1}])
async def test_a_label_in_the_partition_of_other_keys_is_a_dead_letter(
    odd: dict[str, object],
) -> None:
    log = Log()
    async with Table(log, b"me").following() as table:
        await table.hear(replace(heard(9), **odd), heard(5))  # type: ignore[arg-type]
        assert len(table.dead) == 1
        await quiet(log)
        assert (stands(log), table.shelves[0].fresh) == (("bug", "workers", 5), {})


async def test_what_would_be_too_large_beside_a_persons_label_is_a_dead_letter() -> None:
    log = Log()
    long = label(5).to_json()[:-1] + b',"more":"' + b"x" * 700_000 + b'"}'
    async with Table(log, b"me").following() as table:
        await table.hear(Raw(long, key=KEY))
        await quiet(log)
        person = label(5, 2, "billing").to_json()[:-1] + b',"more":"' + b"x" * 700_000 + b'"}'
        await table.hear(Raw(person, key=KEY))
        assert len(table.dead) == 1
    assert stands(log) == ("billing", "workers", 5)


@pytest.mark.parametrize("timestamp", [-1, 2**62])
async def test_odd_times_and_revisions_disturb_nobody(timestamp: int) -> None:
    log = Log()
    async with Table(log, b"me").following() as table:
        await table.hear(replace(heard(5), timestamp=timestamp), heard(5, 300, "question"))
    assert stands(log) == ("question", "judge", 5)


async def test_a_label_of_which_nothing_came_for_long_ends() -> None:
    log, now = Log(), time.time()
    other = key_in(0, first=200)
    async with Table(log, b"me").following() as table:
        old = replace(heard(1), timestamp=int(now - 100 * 86_400) * 1000)
        await table.hear(old)
        later = now + SWEEP_EVERY_S + 1
        with patch("time.time", return_value=later):
            await table.hear(replace(heard(7), key=other))
        await quiet(log)
        assert log.values(KEY)[-1] is None
        assert log.values(other)[-1] is not None
        assert table.shelves.keys == 1


@pytest.mark.parametrize("first", [0, 2])
async def test_a_label_that_each_message_gets_again_stands_over_every_restart(first: int) -> None:
    log, now = Log(), time.time()
    other = key_in(0, first=200)
    for turn in range(3):
        at = now + turn * 60 * 86_400
        with patch("time.time", return_value=at):
            async with Table(log, b"%d" % turn).following() as table:
                message = heard(turn, first if turn == 0 else 0)
                await table.hear(replace(message, timestamp=int(at) * 1000))
                await quiet(log)
                with patch("time.time", return_value=at + SWEEP_EVERY_S + 1):
                    await table.hear(replace(heard(turn), key=other))
                await quiet(log)
        assert stands(log) == ("bug", "person" if first else "workers", turn)


async def test_labels_of_long_ago_that_are_read_again_do_not_end_what_came_since() -> None:
    log, now = Log(), time.time()
    old = replace(heard(1), timestamp=int(now - 100 * 86_400) * 1000)
    other = replace(heard(7), key=key_in(0, first=200))
    async with Table(log, b"me").following() as table:
        await table.hear(old, replace(heard(5), timestamp=int(now) * 1000))
        await quiet(log)
    async with Table(log, b"next").following() as table:
        await table.hear(old, other)
        with patch("time.time", return_value=now + SWEEP_EVERY_S + 1):
            await table.hear(other)
        await quiet(log)
    assert stands(log) == ("bug", "workers", 5)
