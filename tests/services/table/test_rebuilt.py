"""The table's topic anew is what the table itself would have written."""

import random
from collections import defaultdict
from dataclasses import replace

import pytest

from streamer.services.table.rebuilt import Rebuilt
from streamer.services.table.record import caused, written
from streamer.services.table.said import said, word
from streamer.services.table.state import State, step
from streamer.stream.handler import Emission
from tests.services.table.histories import History, Raw, label
from tests.services.table.oracle import Person
from tests.services.table.scene import key_in
from tests.services.table.test_state import of_version_1

ENDS = [100, 100]


def rebuilt(records: list[Raw]) -> dict[str, list[Emission]]:
    made = Rebuilt("labels", "current", b"me", lambda word: True, ENDS)
    for record in records:
        made.learn(record)
    shuffled = sorted(records, key=lambda record: (record.key, -record.offset))
    found = [one for record in shuffled for one in made.find(record)] + list(made.rest())
    by_topic: dict[str, list[Emission]] = defaultdict(list)
    for one in found:
        by_topic[one.topic].append(one)
    return by_topic


def table_of(records: list[Raw]) -> State:
    found = State()
    for record in records:
        found = step(found, said(record), lambda word: True).state
    return found


def test_each_key_gets_what_stands_and_version_1_comes_to_the_same() -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    carried = 0
    for _ in range(400):
        records = [
            replace(record, offset=number, timestamp=number)
            for number, record in enumerate(History(chance).records(10))
        ]
        out = rebuilt(records)
        labels = [*records, *(Raw(one.value) for one in out["labels"])]
        state = of_version_1(labels)
        assert sum(one.value is not None for one in out["current"]) == (state is not None)
        carried += len(out["labels"])
        if state is None:
            gone = [written(Raw(None, tuple(one.headers))).gone for one in out["current"]]
            assert (gone[0] if gone else None) == table_of(records).gone
            continue
        (one,) = out["current"]
        assert one.value is not None
        assert (word(one.value).rank, word(one.value).id) == (
            word(state.to_json()).rank,
            word(state.to_json()).id,
        )
        person = Person().hear(records).newest
        assert person is None or (state.source, state.label) == ("person", person[1])
        known = written(Raw(one.value, tuple(one.headers)))
        assert known.machine is None or known.machine.body
    assert carried > 20


def test_what_was_left_of_a_key_that_is_no_more_ends() -> None:
    made = Rebuilt("labels", "current", b"me", lambda word: True, ENDS)
    stays, fell = Raw(label(1).to_json(), key=b"T-1/intent"), Raw(b"left", key=b"T-2/intent")
    made.learn(stays)
    (end,) = [one for left in (stays, fell) for one in made.sweep(left)]
    assert (end.topic, end.key, end.value) == ("current", fell.key, None)


def test_a_label_of_which_nothing_came_for_long_is_not_written_again() -> None:
    made = Rebuilt("labels", "current", b"me", lambda word: True, ENDS)
    records = [
        Raw(label(1, revision).to_json(), key=b"T-%d/intent" % at, timestamp=at * 1000)
        for at in (5, 9)
        for revision in (0, 2)
    ]
    for record in records:
        made.learn(record)
    made.end_silent(7)
    found = [one for record in records for one in made.find(record)] + [*made.rest()]
    assert ([one.key for one in found], made.missing) == ([b"T-9/intent"], 0)
    assert [one.value for one in made.sweep(records[0])] == [None]


def test_what_was_written_before_a_rebuild_is_older_than_what_the_rebuild_writes() -> None:
    keys = [key_in(0), key_in(1)]
    records = [Raw(label(1).to_json(), key=key, offset=70) for key in keys]
    made = Rebuilt("labels", "current", b"me", lambda word: True, [50, 80])
    for record in records:
        made.learn(record)
    found = [one for record in records for one in made.find(record)]
    assert [caused(one.headers) for one in found] == [49, 79]


@pytest.mark.parametrize("revisions", [[0], [2], [0, 2]])
def test_a_label_that_vanished_between_the_two_readings_is_missing(revisions: list[int]) -> None:
    made = Rebuilt("labels", "current", b"me", lambda word: True, ENDS)
    records = [
        Raw(label(1, revision).to_json(), key=b"T-%d/intent" % number)
        for number in range(2)
        for revision in revisions
    ]
    for record in records:
        made.learn(record)
    left = [record for record in records if record is not records[len(revisions)]]
    found = [one for record in left for one in made.find(record)] + [*made.rest()]
    assert ([one.key for one in found], made.missing) == ([records[0].key], 1)
