"""What a ticket says, gathered from where it stands."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from unicodedata import category

from streamer.errors import TicketError
from streamer.records.pointers import OBJECTS, finder, kind

_TEXTS = {str}
# Nobody sees these, whatever they do to the characters around them: controls, formats such as
# zero-width joiners, blanks, and marks that need a letter below them.
_UNSEEN = frozenset(("Cc", "Cf", "Mn", "Me", "Zs", "Zl", "Zp"))
# Letters and signs to Unicode, and blank.
_BLANKS = frozenset("\u115f\u1160\u2800\u3164\uffa0")


class TicketText:
    """Joins the texts behind some JSON pointers by a newline, and so those of a list."""

    def __init__(self, pointers: Sequence[str]) -> None:
        self._finders = {pointer: finder(pointer) for pointer in pointers}
        self._alone = next(iter(self._finders.values())) if len(pointers) == 1 else None
        self._missed: Counter[str] = Counter()

    @property
    def pointers(self) -> tuple[str, ...]:
        """Where it looks."""
        return tuple(self._finders)

    def taken(self) -> Counter[str]:
        """By pointer, how many tickets had no text there since this was last asked."""
        missed = self._missed
        if missed:
            self._missed = Counter()
        return missed

    def of(self, fields: Mapping[str, Any]) -> str:
        """The text; raises `TicketError` where there is none, or something else in its place."""
        if self._alone is not None:
            text = self._alone(fields)
            if isinstance(text, str) and says_something(text):
                return text
        values = [find(fields) for find in self._finders.values()]
        if all(values) and set(map(type, values)) == _TEXTS:
            text = "\n".join(values)
        else:
            text = self._picked(values)
        if not says_something(text):
            raise TicketError("no_text", self._why(values))
        return text

    def _picked(self, values: Sequence[Any]) -> str:
        parts = {
            pointer: text_at(pointer, met)
            for pointer, met in zip(self._finders, values, strict=True)
        }
        self._missed.update([pointer for pointer, part in parts.items() if not part])
        return "\n".join([part for part in parts.values() if part is not None])

    def _why(self, values: Sequence[Any]) -> str:
        if any(value and isinstance(value, str) for value in values):
            return "no character of the text can be seen"
        met = zip(values, self._finders, strict=True)
        return "a text is needed, found " + ", ".join(
            f"{kind(value)} at {pointer}" for value, pointer in met
        )


def says_something(text: str) -> bool:
    """Whether any of its characters can be seen."""
    # Nearly every text begins with a letter.
    if text[:1].isalnum() and text[0] not in _BLANKS:
        return True
    return any(char not in _BLANKS and category(char) not in _UNSEEN for char in text)


def text_at(pointer: str, value: Any) -> str | None:
    """The text in what was found behind a pointer; None where there is none.

    Raises `TicketError` where no text can be taken out of it, whatever else the ticket says.
    """
    if isinstance(value, list):
        parts = [part for part in value if part is not None]
        odd = [part for part in parts if not isinstance(part, str)]
        if odd:
            raise _unnamed(f"a list with {kind(odd[0])} in it", pointer)
        return "\n".join(parts)
    if isinstance(value, OBJECTS):
        raise _unnamed("an object", pointer)
    return value if isinstance(value, str) else None


def _unnamed(met: str, pointer: str) -> TicketError:
    return TicketError("no_text", f"{met} at {pointer}: let the pointer name the field to take")
