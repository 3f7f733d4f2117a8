from typing import Any

import orjson
import pytest

from streamer.client import LabelRecord
from streamer.client.record import rank
from streamer.records.label import DELETED_AT
from tests.client.making import LABEL, at
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


def test_the_place_in_the_input_counts_before_the_revision() -> None:
    assert sorted([at(6, 0), at(5, 9), at(5, 1)], key=rank) == [at(5, 1), at(5, 9), at(6, 0)]
