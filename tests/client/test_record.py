from typing import Any

import orjson
import pytest

from streamer.client import LabelRecord
from streamer.records.label import DELETED_AT, DELETED_IN, STANDS
from streamer.records.rank import Place, Rank
from tests.client.making import LABEL
from tests.client.simulated import Broker


def read(value: bytes | None = None, **fields: Any) -> LabelRecord:
    broker = Broker()
    broker.put(value, **fields)
    (log,) = broker.records.values()
    return LabelRecord.of(log[0])


def test_a_label_is_read_with_its_place_in_the_topic() -> None:
    value = LABEL.to_json()
    found = read(value, key=LABEL.key, partition=0, offset=7, timestamp=5)
    assert found == LabelRecord("a/b/topic", LABEL, value, 0, 7, 5, None)
    assert found.rank == Rank(Place(("tickets", 0), 5), 0)
    assert (found.ticket_id, found.task) == ("a/b", "topic")


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"\xff",
        b"3",
        b"[]",
        b"null",
        b"{}",
        orjson.dumps({**orjson.loads(LABEL.to_json()), "votes": 3}),
        orjson.dumps({**orjson.loads(LABEL.to_json()), "rule": None}),
    ],
)
def test_what_is_no_label_keeps_its_bytes(value: bytes) -> None:
    found = read(value)
    assert (found.label, found.value, found.deleted_at) == (None, value, None)


@pytest.mark.parametrize(
    ("key", "ticket_id", "task"),
    [(None, "", ""), (b"", "", ""), (b"alone", "", "alone"), (b"\xff/topic", "�", "topic")],
)
def test_a_key_that_nobody_would_write_is_read_all_the_same(
    key: bytes | None, ticket_id: str, task: str
) -> None:
    found = read(key=key)
    assert (found.ticket_id, found.task) == (ticket_id, task)


def test_a_label_is_no_deletion_whatever_its_headers_say() -> None:
    headers = ((DELETED_AT, b"813"),)
    assert read(headers=headers).deleted_at == 813
    assert read(LABEL.to_json(), headers=headers).deleted_at is None


def test_a_deletion_says_of_which_partition_it_is() -> None:
    headers = ((DELETED_AT, b"813"), (DELETED_IN, b"tickets/3"))
    assert read(headers=headers).rank == Rank(Place(("tickets", 3), 813), -1)
    assert read(headers=headers[:1]).rank == Rank(Place(None, 813), -1)
    assert read().rank is None


def test_what_the_table_wrote_stands() -> None:
    assert read(LABEL.to_json(), headers=((STANDS, b"me"),)).stands
    assert not read(LABEL.to_json()).stands
