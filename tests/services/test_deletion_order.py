"""Compaction keeps what comes last: within a batch a deletion lies where the input has it."""

import orjson
import pytest

from streamer.client import LabelRecord, LabelTable
from streamer.records.label import DELETED_AT, DELETED_IN
from tests.services.making import MakeHandler, votes
from tests.services.records import Rec


def ticket(offset: int) -> Rec:
    return Rec(orjson.dumps({"id": "T-1", "text": votes(1, 1, 1)}), b"T-1", offset)


def deletion(offset: int) -> Rec:
    return Rec(None, b"T-1", offset)


@pytest.mark.parametrize(
    ("batch", "stands"),
    [
        ([ticket(5), deletion(6)], None),
        ([ticket(5), deletion(6), ticket(7)], 7),
        ([deletion(4), ticket(5)], 5),
        ([ticket(5), deletion(6), deletion(7)], None),
        ([deletion(3), ticket(5), deletion(6)], None),
    ],
)
async def test_the_last_record_of_a_batch_is_the_state(
    make: MakeHandler, batch: list[Rec], stands: int | None
) -> None:
    written = (await make().of(*batch)).to("labels")
    table = LabelTable()
    for number, one in enumerate(written):
        kept = Rec(one.value, one.key, number, topic="labels", headers=one.headers)
        table.apply(LabelRecord.of(kept))
    last = written[-1].value
    assert (last and orjson.loads(last)["position"]["offset"]) == stands
    found = table.of("T-1", "intent")
    assert (found and found.position.offset) == stands


async def test_a_deletion_says_where_it_lay(make: MakeHandler) -> None:
    (gone,) = (await make().of(deletion(6))).to("labels")
    assert {DELETED_AT: b"6", DELETED_IN: b"tickets/0"}.items() <= dict(gone.headers).items()
