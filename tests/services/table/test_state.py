"""The pure state of a key, over random histories with a table that dies and comes back."""

import random
from collections.abc import Sequence
from dataclasses import replace

import pytest

from streamer.client.record import LabelRecord
from streamer.records.label import Label
from streamer.records.rank import Rank
from streamer.services.table.copied import copied
from streamer.services.table.record import headers, written
from streamer.services.table.said import Word, said, word
from streamer.services.table.state import State, step
from tests.services.table.histories import History, Raw, deletion, label
from tests.services.table.oracle import Person
from tests.services.table.reader_of_version_1 import ReaderOfVersion1


def stays(word: Word) -> bool:
    return True


class Table:
    """A table of one key between its two topics; `current` has what it wrote."""

    def __init__(self, labels: list[Raw]) -> None:
        self.labels = labels
        self.current: list[bytes | None] = []
        self.written: list[Raw] = []
        self.state = State()
        self.read = 0
        self.dropped: list[Raw] = []

    def advance(self, count: int, late: bool = False) -> None:
        """Read so many records; with `late` corrections are written behind what comes next."""
        for record in self.labels[self.read : self.read + count]:
            self.read += 1
            self.state, changed, wanted = step(self.state, said(record), stays)
            if wanted is not None:
                assert self.state.top is not None
                made = copied(wanted, self.state.top)
                assert made.id == wanted.id
                (self.dropped if late else self.labels).append(Raw(made.body))
                self._write(made.body)
            elif changed:
                last = self.current[-1] if self.current else None
                self._write(standing(self.state, record.value, last))

    def _write(self, body: bytes | None) -> None:
        self.current.append(body)
        self.written.append(Raw(body, tuple(headers(self.state, b"me", 0))))

    def come_back(self, read: int, kept: int) -> None:
        """A new process: `read` is what was committed, `kept` how much of what was written."""
        del self.current[kept:], self.written[kept:]
        self.read = read
        self.state = written(self.written[-1]) if self.written else State()


def standing(state: State, heard: bytes | None, last: bytes | None) -> bytes | None:
    """What is written for a state: what was heard, where that stands, else what stood before."""
    if state.top is None:
        return None
    return heard if told(heard) == (state.top, state.stands) else last


def of_version_1(labels: Sequence[Raw]) -> Label | None:
    reader = ReaderOfVersion1()
    for record in labels:
        reader.apply(LabelRecord.of(record))
    return reader.labels.get("T-1/intent")


def told(body: bytes | None) -> tuple[Rank, bytes] | None:
    """What a label says: its copy at the same place says the same."""
    return None if body is None else (word(body).rank, word(body).id)


@pytest.mark.parametrize("crashes", [False, True])
def test_the_last_record_is_the_state_by_version_1_and_a_person_stands(crashes: bool) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    stood = 0
    for _ in range(2000):
        labels: list[Raw] = []
        table, committed, kept = Table(labels), 0, 0
        for record in History(chance).records(chance.randint(2, 14)):
            labels.append(record)
            if chance.random() < 0.5:
                table.advance(chance.randint(1, 4), late=chance.random() < 0.3)
            if table.dropped and chance.random() < 0.5:
                labels += [table.dropped.pop(0)]
            if chance.random() < 0.3:
                committed, kept = table.read, len(table.current)
            if crashes and chance.random() < 0.1:
                table.come_back(committed, chance.randint(kept, len(table.current)))
                kept = len(table.current)
        labels += table.dropped
        table.dropped = []
        while table.read < len(labels):
            table.advance(1)
        state = of_version_1(labels)
        assert told(table.current[-1] if table.current else None) == told(
            state.to_json() if state else None
        )
        if (person := Person().hear(labels).newest) is not None:
            stood += 1
            assert state is not None
            assert (state.source, state.label) == ("person", person[1])
    assert stood > 300


def test_a_label_carried_late_behind_a_newer_answer_is_answered_by_the_newer_one() -> None:
    table = Table([Raw(label(10).to_json()), Raw(label(10, 2, "bug").to_json())])
    table.advance(2)
    table.labels.append(Raw(label(20).to_json()))
    table.advance(1, late=True)
    table.labels.append(Raw(label(20, 2, "question", at=1).to_json()))
    table.labels += table.dropped
    while table.read < len(table.labels):
        table.advance(1)
    state = of_version_1(table.labels)
    assert state is not None
    assert (state.label, state.source, state.position.offset) == ("question", "person", 20)
    assert table.current[-1] == state.to_json()


def test_offsets_of_another_partition_say_nothing_and_the_log_decides() -> None:
    first = label(900, name="bug")
    second = label(3, name="billing", position=replace(first.position, partition=1, offset=3))
    table = Table([Raw(first.to_json()), Raw(second.to_json())])
    table.advance(2)
    assert table.current[-1] == second.to_json()


def test_a_deleted_person_is_not_carried_to_the_message_after_the_deletion() -> None:
    table = Table([Raw(label(10).to_json()), Raw(label(10, 2, "bug").to_json())])
    newer = label(20, name="question")
    table.labels += [Raw(newer.to_json()), deletion(15)]
    while table.read < len(table.labels):
        table.advance(1)
    state = of_version_1(table.labels)
    assert state is not None
    assert (state.label, state.source) == ("question", "workers")


def test_a_label_that_its_label_set_no_longer_has_is_given_up() -> None:
    given = said(Raw(label(10, 2, "bug").to_json()))
    state = step(State(), given, stays).state
    newer = said(Raw(label(20, name="question").to_json()))
    state, _, correction = step(state, newer, lambda word: False)
    assert (correction, state.person) == (None, None)
