"""Which label stands where a backfill has said something: the subscribers' own rule."""

from dataclasses import replace

import pytest

from streamer.client import LabelRecord, LabelTable
from streamer.records.label import Label
from tests.client.making import LABEL


def made(offset: int, revision: int, name: str, backfill: str | None = None) -> Label:
    position = replace(LABEL.position, offset=offset)
    return replace(LABEL, position=position, revision=revision, label=name, backfill=backfill)


BEFORE = made(5, 0, "before")
AGAIN = made(5, 0, "again", "again")


@pytest.mark.parametrize(
    ("log", "state"),
    [
        ([BEFORE, AGAIN], "again"),
        ([BEFORE, made(6, 0, "newer"), AGAIN], "newer"),
        ([BEFORE, made(5, 1, "verified"), AGAIN], "verified"),
        ([BEFORE, made(5, 2, "a person's"), AGAIN], "a person's"),
        ([AGAIN, BEFORE], "before"),
    ],
)
def test_a_backfill_stands_over_what_it_repeats_and_over_nothing_else(
    log: list[Label], state: str
) -> None:
    table = LabelTable()
    for offset, label in enumerate(log):
        key = label.key.decode()
        table.apply(LabelRecord(key, label, label.to_json(), 0, offset, 0))
    assert [label.label for label in table.values()] == [state]
