"""The state of one key: what its labels, answers and deletions come to. Pure."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

from streamer.records.rank import Place, Rank, outranked, precedes
from streamer.services.table.said import Gone, Word

PERSON = 2
"""The revision of a person's label, and of what is written in its place."""

Stays = Callable[[Word], bool]
"""Whether a person's label may still be carried to newer messages of its ticket."""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What is known of one key.

    `top` is the rank of what stands by version 1 of the contract, `stands` the id of that word.
    `machine` is the newest word of workers or judge, `person` that of a person who holds the key;
    `released` is where a person gave it up, `gone` where the newest deletion lay.
    """

    top: Rank | None = None
    stands: bytes = b""
    machine: Word | None = None
    person: Word | None = None
    released: Place | None = None
    gone: Place | None = None

    @property
    def wanted(self) -> Word | None:
        """What shall stand: a person's word before all others."""
        return self.person or self.machine

    @property
    def beside(self) -> tuple[Place | None, Place | None, bytes | None]:
        """What a table that comes back must know beside the label that stands."""
        under = self.machine if self.person is not None else None
        return self.gone, self.released, None if under is None else under.id


class Step(NamedTuple):
    """A state, and whether by its record another label stands now, or none, or what is known
    beside it is another: then it is written.

    `correction` is the word that must be written at the state's top, where another one stands.
    """

    state: State
    changed: bool
    correction: Word | None


def step(state: State, heard: Word | Gone, stays: Stays) -> Step:
    """What becomes of a state by one more record, in the order of the log."""
    before = state.top, state.stands, state.beside
    state = _deleted(state, heard.place) if isinstance(heard, Gone) else _heard(state, heard)
    if state.person is not None and not _at_top(state) and not stays(state.person):
        state = replace(state, person=None, released=state.top.place if state.top else None)
    wanted = state.wanted
    if state.top is None or wanted is None or wanted.id == state.stands:
        return Step(state, (state.top, state.stands, state.beside) != before, None)
    top = Rank(state.top.place, PERSON)
    return Step(replace(state, top=top, stands=wanted.id), True, wanted)


def _heard(state: State, heard: Word) -> State:
    if state.gone is not None and precedes(heard.rank.place, state.gone):
        return state
    if state.top is None or not outranked(heard.rank, state.top):
        state = replace(state, top=heard.rank, stands=heard.id)
    return _decided(state, heard) if heard.spoke is None else _spoken(state, heard, heard.spoke)


def _at_top(state: State) -> bool:
    """Whether the person spoke of the ticket's newest message."""
    return state.person is None or state.top is None or state.person.spoke == state.top.place


def _decided(state: State, heard: Word) -> State:
    if state.machine is not None and outranked(heard.rank, state.machine.rank):
        return state
    return replace(state, machine=heard)


def _spoken(state: State, heard: Word, spoke: Place) -> State:
    last_spoke = None if state.person is None else state.person.spoke
    if heard.released:
        if last_spoke is not None and precedes(spoke, last_spoke):
            return state
        return replace(state, person=None, released=spoke)
    if state.gone is not None and precedes(spoke, state.gone):
        return state
    if heard.carried and not _newer(spoke, last_spoke, state.released):
        return state
    if last_spoke is not None and precedes(spoke, last_spoke):
        return state
    return replace(state, person=heard)


def _newer(spoke: Place, *words: Place | None) -> bool:
    """Of a copy: whether it tells of a word that is not known in its own right."""
    return all(word is None or precedes(word, spoke) for word in words)


def _deleted(state: State, place: Place | None) -> State:
    if place is None:
        return State()
    if state.gone is not None and precedes(place, state.gone):
        place = state.gone
    top = state.top if state.top and precedes(place, state.top.place) else None
    machine = state.machine
    person = state.person
    return State(
        top=top,
        stands=state.stands if top else b"",
        machine=machine if machine and precedes(place, machine.rank.place) else None,
        person=person if person and person.spoke and precedes(place, person.spoke) else None,
        released=state.released,
        gone=place,
    )
