import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.stream.isolation.note import KEPT, Note

offsets = st.integers(0, 2**63 - 1)


@given(st.builds(Note, offsets, st.dictionaries(offsets, st.integers(1, 9), max_size=KEPT)))
def test_a_note_is_read_as_it_was_written(note: Note) -> None:
    assert Note.parse(note.text()) == note


def test_nothing_to_say_is_no_text_at_all() -> None:
    assert Note().text() == ""
    assert Note(open=1).text() == '{"open":1,"tried":{}}'
    assert Note(tried={7: 1}).text() == '{"open":0,"tried":{"7":1}}'


def test_the_text_fits_kafkas_limit_and_keeps_the_oldest() -> None:
    top = 2**63 - 1
    note = Note(open=top, tried=dict.fromkeys(range(top, top - 300, -1), 9))
    assert len(note.text()) <= 4096
    assert Note.parse(note.text()).tried == dict.fromkeys(range(top - 299, top - 299 + KEPT), 9)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "[]",
        "3",
        "null",
        "{}",
        '{"open":1}',
        '{"open":null,"tried":{}}',
        '{"open":"x","tried":{}}',
        '{"open":1,"tried":[]}',
        '{"open":1,"tried":{"x":1}}',
        '{"open":1,"tried":{"1":null}}',
        '{"tried":{}}',
    ],
)
def test_what_others_wrote_says_nothing(text: str) -> None:
    assert Note.parse(text) == Note()
