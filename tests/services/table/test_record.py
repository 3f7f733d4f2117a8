"""The table comes back from what it wrote."""

import random
from dataclasses import replace

import pytest

from streamer.records.label import STANDS
from streamer.services.table.copied import copied
from streamer.services.table.record import caused, headers, writer, written
from streamer.services.table.said import said
from streamer.services.table.state import State, step
from tests.services.table.histories import History, Raw, label
from tests.services.table.test_state import standing


def test_a_state_is_found_again_in_its_record() -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    held = 0
    for _ in range(500):
        state, value = State(), None
        for record in History(chance).records(8):
            state, changed, correction = step(state, said(record), lambda word: True)
            if correction is not None and state.top is not None:
                value = copied(correction, state.top).body
            elif changed:
                value = standing(state, record.value, value)
        made = Raw(value, tuple(headers(state, b"me", 0)))
        found = written(made)
        assert (found.top, found.stands, found.gone) == (state.top, state.stands, state.gone)
        if state.top is None:
            continue
        assert found.beside == state.beside
        assert (found.person is None) == (state.person is None)
        if state.person is not None and found.person is not None:
            held += 1
            assert (found.person.id, found.person.spoke) == (state.person.id, state.person.spoke)
            assert found.machine == state.machine
    assert held > 20


def test_it_says_who_wrote_it_and_which_record_it_follows_from() -> None:
    made = headers(State(), b"me", 2**46)
    assert (writer(made), writer([])) == (b"me", None)
    assert dict(made)[STANDS] == b"me"
    assert caused(made) == 2**46


@pytest.mark.parametrize("told", [b"", b"-1", b"x", b"9" * 15, b"\xff"])
def test_what_is_no_offset_says_nothing_of_where_it_follows_from(told: bytes) -> None:
    assert caused([("table.cause", told)]) is None
    assert caused([]) is None


def test_what_others_wrote_is_no_record_of_the_tables() -> None:
    with pytest.raises(ValueError, match="another"):
        written(Raw(label(7).to_json()))


@pytest.mark.parametrize("value", [b"", b"{}", b"[]", b"no label"])
def test_what_is_no_record_of_the_tables_is_refused(value: bytes) -> None:
    with pytest.raises((ValueError, TypeError, KeyError)):
        written(Raw(value, ((STANDS, b"me"),)))
    odd = replace(Raw(label(7).to_json()), headers=((STANDS, b"me"), ("table.known", b"{")))
    with pytest.raises(ValueError, match="unexpected"):
        written(odd)


@pytest.mark.parametrize(
    "known",
    [b'{"released": [[], 5], "machine": null}', b'{"released": 7, "machine": null}', b"[1]", b"{"],
)
def test_what_others_put_beside_a_label_is_refused(known: bytes) -> None:
    odd = replace(Raw(label(7).to_json()), headers=((STANDS, b"me"), ("table.known", known)))
    with pytest.raises((ValueError, TypeError, LookupError)):
        written(odd)


@pytest.mark.parametrize("machine", [b"7", b"{}", b'"text"', b'["text"]'])
def test_a_machines_label_that_is_none_is_refused(machine: bytes) -> None:
    known = b'{"released": null, "machine": %s}' % machine
    odd = replace(Raw(label(7, 2).to_json()), headers=((STANDS, b"me"), ("table.known", known)))
    with pytest.raises((ValueError, TypeError, LookupError)):
        written(odd)
