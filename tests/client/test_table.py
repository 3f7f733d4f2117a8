from dataclasses import replace
from types import SimpleNamespace

import pytest

from streamer.client import LabelRecord, LabelTable
from streamer.records.label import DELETED_AT, Label
from tests.client.making import LABEL, at, deletion, record


@pytest.mark.parametrize(
    ("log", "state"),
    [
        ([at(5)], at(5)),
        ([at(5), at(6, label="refund")], at(6, label="refund")),
        ([at(6, label="refund"), at(5)], at(6, label="refund")),
        ([at(5), at(5, label="refund")], at(5, label="refund")),
        ([at(5, 1, "refund"), at(5)], at(5, 1, "refund")),
        ([at(5, 9), at(6, 0, "refund")], at(6, 0, "refund")),
        ([at(6, label="refund"), None], None),
        ([at(6), None, at(5)], at(5)),
    ],
)
def test_the_highest_position_and_revision_is_the_state_then_the_last(
    log: list[Label | None], state: Label | None
) -> None:
    table = LabelTable()
    for label in log:
        table.apply(record(label, b"{}" if label else None))
    assert table.of("a/b", "topic") == state
    assert dict(table) == ({"a/b/topic": state} if state else {})


def test_only_what_changes_the_state_is_a_change() -> None:
    table = LabelTable()
    told = [table.apply(record(label)) for label in (at(5), at(5), at(4))]
    assert told == [True, False, False]
    assert table.apply(record(None, b"no label")) is False
    assert table.of("a/b", "topic") == at(5)
    assert [table.apply(record(None, None)) for _ in range(2)] == [True, False]
    assert len(table) == 0


def test_a_deletion_changes_what_it_reaches_and_that_alone() -> None:
    table = LabelTable()
    log = [record(at(7)), deletion(6), deletion(9), record(at(8)), record(at(10)), deletion(4)]
    assert [table.apply(one) for one in log] == [True, False, True, False, True, False]
    assert table.of("a/b", "topic") == at(10)


def test_a_table_is_a_mapping_of_keys() -> None:
    table = LabelTable()
    table.apply(record(at(5)))
    table.apply(replace(record(at(6)), key="other/topic"))
    assert dict(table) == {"a/b/topic": at(5), "other/topic": at(6)}
    assert table["other/topic"] == at(6)
    assert (table.of("other", "topic"), table.of("other", "intent")) == (at(6), None)
    assert len(table) == 2


@pytest.mark.parametrize(
    ("log", "state"),
    [
        ([record(at(5)), deletion(6)], None),
        ([deletion(6), record(at(5))], None),
        ([deletion(6), record(at(7))], at(7)),
        ([record(at(7)), deletion(6)], at(7)),
        ([record(at(7)), deletion(6), record(at(5, 1))], at(7)),
        ([deletion(6), deletion(4), record(at(5))], None),
    ],
)
def test_a_deletion_removes_what_lay_before_it_in_the_input(
    log: list[LabelRecord], state: Label | None
) -> None:
    table = LabelTable()
    for item in log:
        table.apply(item)
    assert table.of("a/b", "topic") == state


def test_a_ticket_id_may_hold_a_slash() -> None:
    assert (record(LABEL).ticket_id, record(LABEL).task) == ("a/b", "topic")


@pytest.mark.parametrize(
    ("said", "offset"),
    [(b"813", 813), (None, None), (b"", None), (b"x", None), (b"9" * 5000, None)],
)
def test_a_deletion_that_does_not_say_how_far_it_reaches_is_read_all_the_same(
    said: bytes | None, offset: int | None
) -> None:
    headers = ((DELETED_AT, said),)
    raw = SimpleNamespace(
        key=b"a/topic", value=None, partition=0, offset=1, timestamp=0, headers=headers
    )
    assert LabelRecord.of(raw).deleted_at == offset


def of(partition: int, offset: int, name: str = "billing") -> LabelRecord:
    position = replace(LABEL.position, partition=partition, offset=offset)
    return record(replace(LABEL, position=position, label=name))


@pytest.mark.parametrize(
    ("log", "state"),
    [
        ([of(0, 900), of(1, 3, "refund")], "refund"),
        ([of(0, 900), of(1, 3, "refund"), of(0, 7)], "billing"),
        ([of(0, 900), deletion(3, 1)], None),
        ([of(0, 900), deletion(3, 0)], "billing"),
        ([deletion(900, 0), of(1, 3, "refund")], "refund"),
    ],
)
def test_offsets_of_other_partitions_say_nothing(log: list[LabelRecord], state: str | None) -> None:
    table = LabelTable()
    for one in log:
        table.apply(one)
    found = table.of("a/b", "topic")
    assert (found and found.label) == state


def test_of_the_tables_own_topic_the_last_record_stands() -> None:
    table = LabelTable()
    for label in (at(9), at(5, label="refund")):
        assert table.apply(replace(record(label), stands=True))
    assert table.of("a/b", "topic") == at(5, label="refund")
    assert table.apply(replace(deletion(2), stands=True))
    assert not table
    assert table.apply(replace(record(at(1)), stands=True))


def test_only_the_newest_deletions_are_remembered() -> None:
    table = LabelTable(remember=2)
    for number in range(3):
        table.apply(replace(deletion(6), key=f"{number}/topic"))
    late = [table.apply(replace(record(at(5)), key=f"{number}/topic")) for number in range(3)]
    assert late == [True, False, False]
