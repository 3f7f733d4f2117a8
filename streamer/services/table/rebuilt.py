"""The state of every key, folded from all labels at once, and the records that tell it."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from streamer.errors import TicketError
from streamer.records.deletion import Header
from streamer.services.table.copied import copied
from streamer.services.table.record import headers
from streamer.services.table.said import Gone, Word, heard_at, said
from streamer.services.table.shelf import Shelf
from streamer.services.table.state import State, Stays, step
from streamer.stream.handler import Emission, Record
from streamer.stream.partitioner import partitions


class Rebuilt:
    """Takes all records of the labels topic twice: in the order of time, then in any order.

    The first time it learns what stands, the second it finds the bytes of it, so that those of no
    other label are held. `ends` has, for each partition of the labels topic, the end of what is
    read.
    """

    def __init__(
        self, labels: str, current: str, me: bytes, stays: Stays, ends: Sequence[int]
    ) -> None:
        self._labels = labels
        self._current = current
        self._me = me
        self._stays = stays
        self._ends = ends
        self._shelf = Shelf()
        self._unwritten: set[bytes] = set()
        self._people: dict[bytes, tuple[State, Record, bytes]] = {}
        self._done: set[bytes] = set()
        self._last: Record | None = None

    def __len__(self) -> int:
        return len(self._shelf)

    @property
    def missing(self) -> int:
        """How many labels stand whose bytes were not found: compaction left them out meanwhile."""
        return len(self._shelf) - len(self._done)

    def learn(self, record: Record) -> None:
        """The next record in the order of time."""
        self._last = record
        try:
            heard = said(record)
        except TicketError:
            return
        key = record.key or b""
        before = self._shelf.state(key)
        state, _, correction = step(before, heard, self._stays)
        if correction is not None:
            self._unwritten.add(key)
        elif (before.top, before.stands) != (state.top, state.stands) or (
            isinstance(heard, Word) and _tells(heard, state)
        ):
            self._unwritten.discard(key)
        if state.person is None and state.machine is not None:
            state = replace(state, machine=replace(state.machine, body=b""))
        self._shelf.put(key, state, heard_at(record))

    def end_silent(self, before: int) -> None:
        """Once all is learnt, drop the labels of which nothing was heard since a time."""
        for key in self._shelf.idle(before):
            self._shelf.put(key, State(), before)

    def find(self, record: Record) -> Iterator[Emission]:
        """What to write now that this record's bytes are here."""
        key = record.key or b""
        try:
            heard = said(record)
        except TicketError:
            return
        state = self._shelf.state(key)
        if isinstance(heard, Gone) or state.top is None or key in self._done:
            return
        if state.person is not None:
            self._find_of_person(key, state, record, heard)
        elif heard.id == state.stands and (_tells(heard, state) or key in self._unwritten):
            self._done.add(key)
            yield from self._written(key, state, record, heard)

    def rest(self) -> Iterator[Emission]:
        """What is left to write once all was found: the keys that people hold, and those that were
        deleted, since labels of before the deletion may still come.
        """
        for key, (state, record, body) in self._people.items():
            whole = body and (state.machine is None or state.machine.body)
            if state.person is not None and whole:
                self._done.add(key)
                yield from self._written(key, state, record, replace(state.person, body=body))
        for key, state in self._shelf.deleted():
            if self._last is not None:
                yield self._null(self._last, key, state)

    def sweep(self, left: Record) -> Iterator[Emission]:
        """Once all is written, the end of a record that a rebuild of before left, where nothing is
        known of its key any more.
        """
        key = left.key or b""
        if self._shelf.state(key) == State():
            yield self._null(left, key, State())

    def _null(self, record: Record, key: bytes, state: State) -> Emission:
        return Emission(record, self._current, key, None, self._headers(key, state))

    def _headers(self, key: bytes, state: State) -> list[Header]:
        """With the newest offset of the key's partition: nothing written before counts any more."""
        number = int(partitions([key], len(self._ends))[0])
        return headers(state, self._me, max(self._ends[number] - 1, 0))

    def _find_of_person(self, key: bytes, state: State, record: Record, heard: Word) -> None:
        person_state, _, body = self._people.get(key, (state, record, b""))
        if person_state.machine is not None and heard.id == person_state.machine.id:
            person_state = replace(
                person_state, machine=replace(person_state.machine, body=heard.body)
            )
        if state.person is not None and heard.id == state.person.id and not body:
            body = heard.body
        if _tells(heard, state):
            body = heard.body
        self._people[key] = person_state, record, body

    def _written(
        self, key: bytes, state: State, record: Record, stands: Word
    ) -> Iterator[Emission]:
        body = stands.body
        if key in self._unwritten and state.top is not None:
            body = copied(stands, state.top).body
            yield Emission(record, self._labels, key, body)
        yield Emission(record, self._current, key, body, self._headers(key, state))


def _tells(heard: Word, state: State) -> bool:
    return (heard.rank, heard.id) == (state.top, state.stands)
