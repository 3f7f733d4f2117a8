"""What is put on a shelf comes back, in a sixth of the room."""

from dataclasses import replace

from streamer.records.rank import Place, Rank
from streamer.services.table.said import Gone, Word, said
from streamer.services.table.shelf import Shelf
from streamer.services.table.state import State, step
from tests.services.table.histories import Raw, deletion, label

KEY = b"T-1/intent"


def state(*records: Raw) -> State:
    found = State()
    for record in records:
        found = step(found, said(record), lambda word: True).state
    return found


def kept(given: State) -> State:
    shelf = Shelf()
    shelf.put(KEY, given, 5)
    return shelf.state(KEY)


def test_of_a_label_by_workers_rank_and_id_are_kept() -> None:
    given = state(Raw(label(7).to_json()))
    found = kept(given)
    assert (found.top, found.stands) == (given.top, given.stands)
    assert found.machine is not None
    assert given.machine is not None
    assert (found.machine.rank, found.machine.id) == (given.machine.rank, given.machine.id)
    assert (found.machine.body, found.person, found.gone) == (b"", None, None)


def test_what_a_person_holds_and_what_was_deleted_is_kept_whole() -> None:
    for records in ([label(7), label(7, 2, "bug")], [label(7, 2), label(7, 2, released=True)]):
        given = state(*[Raw(one.to_json()) for one in records])
        assert kept(given) == given
    given = state(Raw(label(7).to_json()), deletion(9))
    assert kept(given) == given
    assert given.gone == Place(("tickets", 0), 9)


def test_places_of_several_partitions_are_told_apart() -> None:
    shelf = Shelf()
    words = {}
    for number in range(3):
        place = Place(("tickets", number), 7)
        words[number] = State(top=Rank(place, 0), stands=bytes([number] * 8))
        shelf.put(b"%d" % number, words[number], 5)
    for number, given in words.items():
        assert shelf.state(b"%d" % number).top == given.top


def test_where_the_record_lies_is_known_once_it_was_read_back() -> None:
    shelf = Shelf()
    shelf.lies(KEY, 3)
    assert shelf.offset(KEY) is None
    shelf.put(KEY, state(Raw(label(7).to_json())), 5)
    assert shelf.offset(KEY) is None
    shelf.lies(KEY, 12)
    shelf.put(KEY, state(Raw(label(8).to_json())), 6)
    assert shelf.offset(KEY) == 12


def test_what_was_not_heard_of_for_long_is_idle_and_deletions_are_forgotten() -> None:
    shelf = Shelf()
    shelf.put(b"old", state(Raw(label(7).to_json())), 5)
    shelf.put(b"new", state(Raw(label(7).to_json())), 9)
    shelf.put(b"gone", state(deletion(9)), 5)
    shelf.put(b"held", state(Raw(label(7, 2).to_json())), 5)
    assert set(shelf.idle(6)) == {b"old", b"held"}
    assert len(shelf) == 3
    shelf.forget(6)
    assert shelf.state(b"gone") == State()
    assert shelf.state(b"held").person is not None


def test_a_key_that_was_deleted_is_no_longer_counted() -> None:
    shelf = Shelf()
    shelf.put(KEY, state(Raw(label(7).to_json())), 5)
    shelf.put(KEY, state(Raw(label(7).to_json()), deletion(9)), 6)
    assert len(shelf) == 0
    heard = said(Raw(label(8).to_json()))
    assert isinstance(heard, Word)
    assert step(shelf.state(KEY), heard, lambda word: True).state.top is None
    assert step(shelf.state(KEY), Gone(None), lambda word: True).state == State()
    late = replace(heard, rank=Rank(Place(("tickets", 0), 10), 0))
    assert step(shelf.state(KEY), late, lambda word: True).state.top == late.rank


def test_what_is_heard_again_makes_nothing_that_is_known_older() -> None:
    shelf, given = Shelf(), state(Raw(label(7).to_json()))
    shelf.put(KEY, given, 9)
    shelf.put(KEY, given, 5)
    assert (list(shelf.idle(9)), list(shelf.idle(10))) == ([], [KEY])
