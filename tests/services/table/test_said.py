"""What records of the labels topic say, whoever wrote them."""

from dataclasses import replace

import orjson
import pytest

from streamer.errors import TicketError
from streamer.records.deletion import deleted_at, deletion_headers
from streamer.records.label import DELETED_AT, DELETED_IN
from streamer.records.rank import Place, Rank, outranked, precedes
from streamer.services.table.copied import copied
from streamer.services.table.said import Gone, Word, said
from tests.services.table.histories import Raw, deletion, label

HERE, THERE = ("tickets", 0), ("tickets", 1)


def word(*args: object, **other: object) -> Word:
    found = said(Raw(label(*args, **other).to_json()))  # type: ignore[arg-type]
    assert isinstance(found, Word)
    return found


def test_a_label_of_workers_was_spoken_by_nobody() -> None:
    heard = word(7, name="bug")
    assert (heard.rank, heard.label) == (Rank(Place(HERE, 7), 0), "bug")
    assert (heard.spoke, heard.carried, heard.released) == (None, False, False)


def test_a_person_spoke_where_the_label_lies_unless_it_was_carried() -> None:
    given = word(7, 2)
    assert given.spoke == Place(HERE, 7)
    carried = copied(given, Rank(Place(HERE, 9), 2))
    assert (carried.spoke, carried.rank, carried.carried) == (
        Place(HERE, 7),
        Rank(Place(HERE, 9), 2),
        True,
    )
    again = copied(carried, Rank(Place(HERE, 12), 2))
    assert (again.id, again.spoke) == (given.id, given.spoke)


def test_a_copy_is_a_label_that_any_reader_of_version_1_takes() -> None:
    body = orjson.loads(copied(word(7, 2, "bug"), Rank(Place(HERE, 9), 2)).body)
    assert body["position"]["offset"] == 9
    assert body["decision_id"] == label(9).decision_id
    assert (body["revision"], body["final"], body["label"]) == (2, True, "bug")
    assert (body["carried"]["offset"], body["released"]) == (7, False)


def test_a_copy_of_the_workers_word_says_that_a_persons_was_given_up() -> None:
    body = orjson.loads(copied(word(7), Rank(Place(HERE, 9), 2)).body)
    assert (body["source"], body["released"], body["revision"]) == ("workers", True, 2)


def test_other_words_have_other_ids() -> None:
    ids = {word(7).id, word(8).id, word(7, name="bug").id, word(7, 2).id, word(7, at=1).id}
    assert len(ids) == 5
    assert word(7, 1).id != word(7).id


@pytest.mark.parametrize(
    ("one", "other", "before"),
    [
        (Place(HERE, 1), Place(HERE, 2), True),
        (Place(HERE, 2), Place(HERE, 2), False),
        (Place(HERE, 1), Place(THERE, 2), False),
        (Place(None, 1), Place(THERE, 2), True),
        (Place(HERE, 1), Place(("others", 0), 2), False),
    ],
)
def test_only_offsets_of_one_partition_are_compared(one: Place, other: Place, before: bool) -> None:
    assert precedes(one, other) is before
    assert outranked(Rank(one, 9), Rank(other, 0)) is before


def test_at_one_place_the_revision_counts() -> None:
    assert outranked(Rank(Place(HERE, 1), 0), Rank(Place(HERE, 1), 1))
    assert not outranked(Rank(Place(HERE, 1), 1), Rank(Place(HERE, 1), 1))


@pytest.mark.parametrize("place", [None, Place(None, 3), Place(HERE, 3), Place(("a/b", 4), 3)])
def test_a_deletion_says_where_it_lay(place: Place | None) -> None:
    assert deleted_at(deletion_headers(place)) == place


def test_a_deletion_of_before_says_its_offset_alone() -> None:
    headers = ((DELETED_AT, b"5"),)
    assert said(replace(deletion(5), headers=headers)) == Gone(Place(None, 5))
    assert said(Raw(None, ((DELETED_AT, b"odd"), (DELETED_IN, b"tickets/0")))) == Gone(None)
    assert said(Raw(None)) == Gone(None)


@pytest.mark.parametrize(
    "change",
    [
        {"position": None},
        {"position": {"topic": "tickets", "partition": "0", "offset": 1}},
        {"position": {"topic": "tickets", "partition": 0, "offset": -1}},
        {"position": {"topic": "tickets", "partition": 0, "offset": 2**63}},
        {"position": {"topic": 7, "partition": 0, "offset": 1}},
        {"revision": True},
        {"label": None},
        {"label_set": 3},
        {"carried": 7},
        {"votes": 3},
        {"rule": {"kind": "majority"}},
        {"final": "yes"},
        {"revision": -1},
    ],
)
def test_what_is_no_label_is_a_dead_letter(change: dict[str, object]) -> None:
    raw = orjson.loads(label(7).to_json()) | change
    with pytest.raises(TicketError, match="unreadable_label"):
        said(Raw(orjson.dumps(raw)))


@pytest.mark.parametrize("value", [b"", b"{", b"[]", b"7", b'"text"', b"{}", b"\xff"])
def test_what_is_no_object_is_one_too(value: bytes) -> None:
    with pytest.raises(TicketError):
        said(Raw(value))
