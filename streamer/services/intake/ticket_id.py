"""Which ticket a record is about."""

from collections.abc import Mapping
from typing import Any

import orjson

from streamer.errors import TicketError
from streamer.records.pointers import find, finder, kind
from streamer.records.ticket_text import says_something

LONGEST = 512

_EXACT = 2.0**53
_OPENINGS = ("{", "[", '"')
_ENVELOPE = {"schema", "payload"}


class TicketId:
    """The id behind a JSON pointer: a text, kept character by character, or a whole number."""

    def __init__(self, pointer: str) -> None:
        self._pointer = pointer
        self._at = f"at {pointer}"
        self._find = finder(pointer)

    def of(self, fields: Mapping[str, Any]) -> str:
        """Raises `TicketError` that says what was found in its place."""
        return _checked(self._find(fields), self._at)

    def of_key(self, key: bytes) -> str:
        """The id in the key of a deletion: the key itself, or in the JSON that it is.

        Change data capture writes such keys: an object with the id behind the same pointer or as
        its only field, a text in quotes, or one of these as the payload beside its schema. Raises
        `TicketError`.
        """
        try:
            text = key.decode()
        except UnicodeDecodeError:
            text = "\0"
        # Binary formats begin so, and many of their keys happen to be UTF-8.
        if text.startswith("\0"):
            raise TicketError("no_id", "a deletion whose key is no text")
        return _checked(self._in_json(text) if text.startswith(_OPENINGS) else text, "in a key")

    def _in_json(self, text: str) -> Any:
        try:
            value = orjson.loads(text)
        except ValueError:
            return text
        if isinstance(value, dict) and set(value) == _ENVELOPE:
            value = value["payload"]
        if not isinstance(value, dict):
            return value
        only = next(iter(value.values())) if len(value) == 1 else None
        inner = find(value, self._pointer)
        return only if inner is None else inner


def _checked(value: Any, where: str) -> str:
    text = value if isinstance(value, str) else _number(value)
    if text is None or not says_something(text):
        raise TicketError("no_id", f"an id is needed, found {_met(value)} {where}")
    if len(text) > LONGEST:
        raise TicketError("no_id", f"an id of {len(text)} characters, the limit is {LONGEST}")
    return text


def _number(value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, int):
        return str(value)
    # Beyond that a float stands for several whole numbers.
    return str(int(value)) if value.is_integer() and abs(value) < _EXACT else None


def _met(value: Any) -> str:
    if isinstance(value, float):
        return "a number that is no whole one" if abs(value) < _EXACT else "a number too large"
    return (
        "a text in which nothing can be seen" if isinstance(value, str) and value else kind(value)
    )
