"""What a ticket's fields may be made of: what JSON can hold, and our records can nest."""

import marshal
from collections.abc import Mapping
from typing import Any

import orjson

from streamer.errors import TicketError

DEEPEST = 240
"""Levels that a ticket may nest: orjson writes 254, and our records put some around them."""

_AROUND = 254 - DEEPEST
_NESTS = frozenset((dict, list, tuple))
# What a value may grow to that stands in many places, until it is counted one by one.
_ROOM = 2**24
_SMALLEST, _LARGEST = -(2**63), 2**64 - 1
_PATH = 200


def check_depth(written: bytes, fields: Any) -> None:
    """Raises `TicketError` where `fields`, of which `written` is the JSON, nest too deep."""
    # Few tickets have the brackets that it takes, and fewer have them around one another.
    if len(written) <= 2 * DEEPEST or written.count(b"{") + written.count(b"[") <= DEEPEST:
        return
    for _ in range(_AROUND):
        fields = [fields]
    try:
        orjson.dumps(fields)
    except TypeError:
        raise _too_deep() from None


def plain(fields: Mapping[str, Any], most: int) -> Mapping[str, Any]:
    """What a decoder found as plain JSON values; subclasses and other mappings become plain ones.

    NaN stays: it is written as null. Raises `TicketError` that says what JSON can't hold and where,
    and for what is more than `most` bytes of JSON.
    """
    written = _written(fields, most)
    if written is None:
        copied: Mapping[str, Any] = _Copy(most).of(fields)
        return copied
    if len(written) > most:
        raise _too_large(most)
    check_depth(written, fields)
    return fields


def _written(value: Any, most: int) -> bytes | None:
    """The JSON of Python's own types; None where it takes a closer look."""
    try:
        # It takes no subclass and no type of a library, where orjson would take some.
        compact = len(marshal.dumps(value))
        return orjson.dumps(value) if _value_count(value, most) * compact < _ROOM else None
    except (TypeError, ValueError):
        return None


def _value_count(root: Any, most: int) -> int:
    """How many values there are, one that stands in several places counted at each; or too many."""
    nests, count = [root], 0
    for part in nests:
        values = part.values() if type(part) is dict else part
        count += len(values)
        if count > most:
            return _ROOM
        # The loop goes on to these.
        nests += [value for value in values if type(value) in _NESTS]
    return count


class _Copy:
    """Copies value by value, and names the first that JSON can't hold by its path."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._size = 0
        self._path: list[object] = []

    def of(self, part: Any) -> Any:
        self._count(1)
        if part is None or type(part) is bool:
            return part
        if isinstance(part, str):
            return self._text(part)
        if isinstance(part, int):
            return self._number(part)
        if isinstance(part, float):
            return float.__float__(part)
        if isinstance(part, Mapping):
            return {self._key(name): self._below(name, value) for name, value in part.items()}
        if isinstance(part, list | tuple):
            return [self._below(index, value) for index, value in enumerate(part)]
        raise self._refusal(f"is of type {type(part).__name__}, which JSON can't hold")

    def _below(self, step: object, part: Any) -> Any:
        if len(self._path) + 1 >= DEEPEST and isinstance(part, Mapping | list | tuple):
            raise _too_deep()
        self._path.append(step)
        copied = self.of(part)
        self._path.pop()
        return copied

    def _key(self, name: object) -> str:
        if not isinstance(name, str):
            kind = type(name).__name__
            raise self._refusal(f"has a key of type {kind}, and JSON's keys are texts")
        return self._text(name)

    def _text(self, text: str) -> str:
        text = str.__str__(text)
        try:
            self._count(len(text.encode()))
        except UnicodeEncodeError:
            raise self._refusal("has a half of a surrogate pair, which is no text") from None
        return text

    def _number(self, number: int) -> int:
        if not _SMALLEST <= number <= _LARGEST:
            raise self._refusal("is a whole number of more than 64 bits")
        return int.__int__(number)

    def _count(self, size: int) -> None:
        self._size += size
        if self._size > self._most:
            raise _too_large(self._most)

    def _refusal(self, why: str) -> TicketError:
        # Cut, because names come with the ticket, and escaped, because they may be no text.
        path = "".join(f"/{step}" for step in self._path)[:_PATH]
        where = path.encode("ascii", "backslashreplace").decode() or "what the decoder returned"
        return TicketError("not_json", f"{where} {why}")


def _too_deep() -> TicketError:
    return TicketError("too_deep", f"nested more than {DEEPEST} levels deep")


def _too_large(most: int) -> TicketError:
    return TicketError("too_large", f"decoded more than {most} bytes, which is the limit")
