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


def step(state: State, said: Word | Gone, stays: Stays) -> Step:
    """What becomes of a state by one more record, in the order of the log."""
    before = state.top, state.stands, state.beside
    state = _deleted(state, said.place) if isinstance(said, Gone) else _heard(state, said)
    if state.person is not None and not _at_top(state) and not stays(state.person):
        state = replace(state, person=None, released=state.top.place if state.top else None)
    wanted = state.wanted
    if state.top is None or wanted is None or wanted.id == state.stands:
        return Step(state, (state.top, state.stands, state.beside) != before, None)
    top = Rank(state.top.place, PERSON)
    return Step(replace(state, top=top, stands=wanted.id), True, wanted)


def _heard(state: State, said: Word) -> State:
    if state.gone is not None and precedes(said.rank.place, state.gone):
        return state
    if state.top is None or not outranked(said.rank, state.top):
        state = replace(state, top=said.rank, stands=said.id)
    return _decided(state, said) if said.spoke is None else _spoken(state, said, said.spoke)


def _at_top(state: State) -> bool:
    """Whether the person spoke of the ticket's newest message."""
    return state.person is None or state.top is None or state.person.spoke == state.top.place


def _decided(state: State, said: Word) -> State:
    if state.machine is not None and outranked(said.rank, state.machine.rank):
        return state
    return replace(state, machine=said)


def _spoken(state: State, said: Word, spoke: Place) -> State:
    known = None if state.person is None else state.person.spoke
    if said.released:
        if known is not None and precedes(spoke, known):
            return state
        return replace(state, person=None, released=spoke)
    if state.gone is not None and precedes(spoke, state.gone):
        return state
    if said.carried and not _newer(spoke, known, state.released):
        return state
    if known is not None and precedes(spoke, known):
        return state
    return replace(state, person=said)


def _newer(spoke: Place, *known: Place | None) -> bool:
    """Of a copy: whether it tells of a word that is not known in its own right."""
    return all(place is None or precedes(place, spoke) for place in known)


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
