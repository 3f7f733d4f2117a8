"""What stands in some tickets where, and which pointer was probably meant."""

import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from streamer.commands.check.propose import by_pointer, leaves, propose, prose
from streamer.errors import TicketError
from streamer.records.pointers import find
from streamer.records.ticket_text import TicketText, text_at
from streamer.records.times import milliseconds
from streamer.services.intake.ticket_id import TicketId

_TIME_WORDS = ("creat", "open", "made", "time", "date")
# In seconds; a smaller number is likelier a count or an id.
_TIMES_FROM = 1e8

Fields = Mapping[str, Any]
Fits = Callable[[Any], bool]


@dataclass(frozen=True, slots=True)
class TicketLook:
    """Some tickets, one at least."""

    tickets: Sequence[Fields]

    def count(self, pointer: str, fits: Fits) -> int:
        """How many have at the pointer what fits."""
        return sum(fits(find(ticket, pointer)) for ticket in self.tickets)

    def said(self, count: int, what: str, pointer: str) -> str:
        """A count in words."""
        return f"{count} of {len(self.tickets)} tickets have {what} at {pointer}"

    def missed(self, what: str, pointer: str, fits: Fits, meant: Sequence[str]) -> str:
        """That too few have at the pointer what fits, and which of those meant has more."""
        count = self.count(pointer, fits)
        return f"{self.said(count, what, pointer)}{self.proposed(meant, fits)}"

    def proposed(self, meant: Sequence[str], fits: Fits) -> str:
        """The end of a sentence: the first of those meant, and how many tickets have it."""
        if not meant:
            return "; correct the pointer"
        count = self.count(meant[0], fits)
        return f"; {meant[0]} is in {'all' if count == len(self.tickets) else count}"

    def refused(self, pointer: str) -> list[str]:
        """Why tickets are refused for what is at a text's pointer, whatever else they say."""
        return list(filter(None, (_odd(pointer, ticket) for ticket in self.tickets)))

    def ids(self) -> list[str]:
        """Where each ticket has an id of its own: what is named alike need not tell them apart."""
        pointer = propose(self.tickets).id
        return [] if pointer is None else [pointer]

    def texts(self, pointer: str, taken: Sequence[str]) -> list[str]:
        """Where words are that are not taken yet: within what is at the pointer before others."""
        inside = prose(by_pointer(self._inside(pointer)))
        spelt = difflib.get_close_matches(pointer, prose(self._values()), n=1)
        if "/0" not in pointer:
            spelt = [self._of_all(candidate) for candidate in spelt]
        pointers = [*inside, *spelt, *reversed(propose(self.tickets).text)]
        return [candidate for candidate in pointers if candidate not in taken]

    def times(self, pointer: str) -> list[str]:
        """Where times are: a name that is spelt alike first, then one that says so."""
        pointers = [p for p, times in self._values().items() if _mostly(_looks_like_a_time, times)]
        near = difflib.get_close_matches(pointer, pointers, n=1)
        return [*near, *sorted(pointers, key=_by_its_name)]

    def spelt_like(self, pointer: str) -> list[str]:
        """Where a text is at a name that is spelt alike."""
        pointers = [p for p, values in self._values().items() if any(map(is_text, values))]
        return difflib.get_close_matches(pointer, pointers, n=1)

    def _values(self) -> dict[str, list[Any]]:
        return by_pointer(leaf for ticket in self.tickets for leaf in leaves(ticket))

    def _of_all(self, pointer: str) -> str:
        """The pointer to what each element has, for one into the first."""
        wide = pointer.replace("/0/", "/")
        return wide if self.count(wide, is_text) else pointer

    def _inside(self, pointer: str) -> Iterator[tuple[str, Any]]:
        """What the object at the pointer holds, or each of the list there."""
        for ticket in self.tickets:
            met = find(ticket, pointer)
            for element in met if isinstance(met, list) else [met]:
                if isinstance(element, Mapping):
                    yield from leaves(element, pointer)


def is_id(value: Any) -> bool:
    """Whether classify takes it as an id."""
    return _is_taken(TicketId("/it").of, value)


def is_text(value: Any) -> bool:
    """Whether classify takes it as a text."""
    return _is_taken(TicketText(("/it",)).of, value)


def is_time(value: Any) -> bool:
    """Whether classify takes it as a time."""
    if isinstance(value, str):
        return milliseconds(value) is not None
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e14


def _looks_like_a_time(value: Any) -> bool:
    return is_time(value) and (isinstance(value, str) or value > _TIMES_FROM)


def _mostly(fits: Fits, values: Sequence[Any]) -> bool:
    return sum(map(fits, values)) * 2 > len(values)


def _by_its_name(pointer: str) -> int:
    name = pointer.rpartition("/")[2].lower()
    return next((n for n, word in enumerate(_TIME_WORDS) if word in name), len(_TIME_WORDS))


def _odd(pointer: str, ticket: Fields) -> str | None:
    try:
        text_at(pointer, find(ticket, pointer))
    except TicketError as error:
        return str(error)
    return None


def _is_taken(read: Callable[[Fields], str], value: Any) -> bool:
    try:
        read({"it": value})
    except TicketError:
        return False
    return True
