"""Why and where from: the headers that a dead letter carries beside the original record."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Literal, get_args

import orjson

from streamer.records.reading import made

Header = tuple[str, bytes]
What = Literal["replayed", "dropped"]

PREFIX = "dead."
HANDLED = PREFIX + "handled"

_ATTEMPT = re.compile(rb"[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """The reason for which an input could not be processed, and its place.

    The dead letter's key, value and own headers are the input's, byte for byte. `truncated` says
    that the value was too large to copy: then it holds the first 64 KiB and `sha256` is that of
    the whole value. `at` is RFC 3339 in UTC. `attempt` counts how often the record had been
    replayed before it died: the one header that a replayed record carries on.
    """

    reason: str
    error: str
    topic: str
    partition: int
    offset: int
    at: str
    truncated: bool = False
    sha256: str | None = None
    attempt: int = 0

    def headers(self) -> list[Header]:
        """This record as Kafka headers, all under `dead.`."""
        return [
            (
                PREFIX + name,
                str(value).lower().encode()
                if value is True or value is False
                # A message may quote what is no text.
                else str(value).encode(errors="backslashreplace"),
            )
            for name, value in asdict(self).items()
            if value is not None
        ]

    @classmethod
    def from_headers(cls, headers: Sequence[Header]) -> "DeadLetter":
        """The newest reason on a record.

        Raises `KeyError` where there is none, `ValueError` where it is none that we wrote.
        """
        by_name: dict[str, str] = {}
        for name, value in headers:
            if name == PREFIX + "reason":
                # Of an older letter nothing may be left, such as the hash of a value cut then.
                by_name.clear()
            # An input may have others of that beginning, with any bytes or none.
            if name in _OURS:
                by_name[name.removeprefix(PREFIX)] = (value or b"").decode()
        return cls(
            reason=by_name["reason"],
            error=by_name["error"],
            topic=by_name["topic"],
            partition=int(by_name["partition"]),
            offset=int(by_name["offset"]),
            at=by_name["at"],
            truncated=by_name.get("truncated") == "true",
            sha256=by_name.get("sha256"),
            attempt=int(by_name.get("attempt", 0)),
        )


_OURS = {PREFIX + field.name for field in fields(DeadLetter)}


def original(headers: Iterable[Header]) -> list[Header]:
    """The headers that a record had before it died, or was replayed: without ours."""
    return [header for header in headers if header[0] not in _OURS]


def attempts(headers: Iterable[Header]) -> int:
    """How often a record was replayed, as its headers say; 0 where they say nothing readable."""
    # Anybody may have written the header: it can have no value, or a number without an end.
    attempt = dict(headers).get(PREFIX + "attempt") or b""
    return int(attempt) if _ATTEMPT.fullmatch(attempt) else 0


def is_mark(headers: Iterable[Header]) -> bool:
    """Whether a record of the dead letter topic says what was done with a letter.

    A letter may have the header of a mark too, where the input that died had it.
    """
    names = {name for name, _ in headers}
    return HANDLED in names and PREFIX + "reason" not in names


@dataclass(frozen=True, slots=True)
class Handled:
    """What was done with a dead letter: a record of its own, in the same partition after it.

    A topic can't lose single records, so a letter that was replayed or dropped is marked so.
    `partition` and `offset` are those of the letter, `reason` is why it had died. `at` is RFC 3339
    in UTC. It has the header `dead.handled` and, unlike a letter, no `dead.reason`.
    """

    what: What
    partition: int
    offset: int
    reason: str
    at: str

    def headers(self) -> list[Header]:
        """What tells it from a letter without reading its value."""
        return [(HANDLED, self.what.encode())]

    def to_json(self) -> bytes:
        return orjson.dumps(self)

    @classmethod
    def from_json(cls, value: bytes) -> "Handled":
        """Raises `ValueError` or `TypeError` when the value is no such record."""
        handled = made(cls, orjson.loads(value))
        if handled.what not in get_args(What):
            raise ValueError("a mark of another release")
        return handled
