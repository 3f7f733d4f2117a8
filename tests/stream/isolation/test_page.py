import pytest

from streamer.stream.isolation.note import Note
from streamer.stream.isolation.page import Page


def test_what_was_found_says_whom_to_suspect_and_how_often_each_was_tried() -> None:
    page = Page(3, Note(open=6, tried={4: 1}))
    assert [offset for offset in range(3, 9) if page.suspects(offset)] == [3, 4, 5]
    assert [page.tries(offset) for offset in (3, 4, 5)] == [0, 1, 0]
    assert page.note() == Note(open=6, tried={4: 1})


def test_a_page_of_nothing_suspects_nobody_and_has_nothing_to_say() -> None:
    page = Page(0, Note())
    assert not page.suspects(0)
    assert page.note().text() == ""


def test_the_note_speaks_of_the_records_ahead_too_and_is_written_again_only_behind_them() -> None:
    page = Page(10, Note())
    assert [page.open(offset, ahead=3) for offset in (10, 11, 13)] == [True, False, False]
    assert page.note() == Note(open=14)
    assert page.open(14, ahead=3) is True
    assert page.note() == Note(open=18)


def test_the_very_first_offset_is_noted_too() -> None:
    page = Page(0, Note())
    assert page.open(0, ahead=0) is True
    assert page.note() == Note(open=1)


def test_trials_add_up_until_one_ends_well() -> None:
    page = Page(0, Note(open=4, tried={2: 1}))
    page.begin(2)
    page.begin(3)
    assert (page.tries(2), page.tries(3)) == (2, 1)
    page.finish(2)
    assert page.note().tried == {3: 1}
    page.finish(2)
    assert page.tries(2) == 0


@pytest.mark.parametrize("before", [0, 1, 2])
def test_a_trial_that_was_given_up_leaves_what_was_there_before(before: int) -> None:
    page = Page(0, Note(open=4, tried={2: before} if before else {}))
    noted = page.note()
    page.begin(2)
    page.spare(2)
    assert page.tries(2) == before
    assert page.note() == noted


def test_what_the_floor_has_passed_is_said_no_more() -> None:
    page = Page(0, Note(open=5, tried={1: 1, 2: 1, 3: 2}))
    page.floor = 2
    assert page.note() == Note(open=5, tried={2: 1, 3: 2})
    page.floor = 5
    assert page.note() == Note()
    # It stays so for what was in flight at the end before: a record is not taken for another.
    assert page.suspects(4)


def test_the_wider_of_the_window_found_and_of_what_is_in_flight_counts() -> None:
    page = Page(0, Note(open=9))
    page.open(2, ahead=1)
    assert page.note().open == 9
    page.open(9, ahead=1)
    assert page.note().open == 11
    page.close()
    assert page.note().open == 9
