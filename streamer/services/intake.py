"""From a raw record of the user's own shape to a ticket."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache, partial
from operator import methodcaller
from typing import Any

import orjson

from streamer.config.settings import Input
from streamer.errors import TicketError
from streamer.records.fetched import odd_name
from streamer.records.ticket import Ticket
from streamer.services.decoding import Decoder, Decoding, load_decoder, said
from streamer.services.plain_json import check_depth
from streamer.stream.record import Record

# A dict first: the check against an abstract class costs more than the look-up.
OBJECTS = (dict, Mapping)

ID_LIMIT = 512
MILLISECONDS_FROM = 1e11
LAST_SECOND = 253_402_300_799


class Intake:
    """Reads tickets out of records by JSON pointers (RFC 6901).

    `text` pointers are joined by a newline; `max_bytes` bounds the record's value. A `decoder`
    turns other formats into a mapping and refuses what it can't read by raising `ValueError`.
    """

    def __init__(
        self,
        *,
        id: str = "/id",
        text: Sequence[str] = ("/text",),
        subject: str | None = None,
        created_at: str | None = None,
        max_bytes: int = 2**20,
        decoder: Decoder | None = None,
    ) -> None:
        self._id = _finder(id)
        self._text = [_finder(pointer) for pointer in text]
        self._alone = self._text[0] if len(self._text) == 1 else None
        self._subject = _finder(subject) if subject else None
        self._created_at = _finder(created_at) if created_at else None
        self._max_bytes = max_bytes
        self._decoding = None if decoder is None else Decoding(decoder, max_bytes)
        self.own_time = created_at is not None

    @classmethod
    def of(cls, settings: Input) -> "Intake":
        """As configured; raises `ConfigError` for a decoder that can't be imported."""
        return cls(
            id=settings.id,
            text=settings.text,
            subject=settings.subject,
            created_at=settings.created_at,
            max_bytes=settings.max_bytes,
            decoder=load_decoder(settings.decoder) if settings.decoder else None,
        )

    def ticket(self, record: Record) -> Ticket:
        """The ticket in a record; raises `TicketError` with the reason for the dead letter."""
        if record.headers and (name := odd_name(record.headers)) is not None:
            raise TicketError("header_name", f"a header's name is not UTF-8: {name[:200]}")
        fields = self._fields(record)
        subject = self._subject(fields) if self._subject else None
        return Ticket(
            id=_id(self._id(fields)),
            text=self._joined(fields),
            created_at=self._time(fields, record) if self.own_time else rfc3339(record.timestamp),
            subject=subject if isinstance(subject, str) else None,
            fields=fields,
        )

    def ticket_id(self, record: Record) -> str:
        """The id alone, also of what is no whole ticket; raises `TicketError`."""
        return _id(self._id(self._fields(record)))

    def deleted(self, record: Record) -> str:
        """The ticket id that a record without a value deletes; raises `TicketError`."""
        try:
            return _id((record.key or b"").decode())
        except UnicodeDecodeError:
            raise TicketError("no_id", "a deletion whose key is not UTF-8") from None

    def _fields(self, record: Record) -> Mapping[str, Any]:
        value = record.value or b""
        if len(value) > self._max_bytes:
            raise TicketError("too_large", f"{len(value)} bytes, the limit is {self._max_bytes}")
        if self._decoding is not None:
            return self._decoding.fields(record)
        try:
            fields = orjson.loads(value)
        except ValueError as error:
            raise TicketError("unreadable", said(error)) from None
        if not isinstance(fields, dict):
            raise TicketError("unreadable", f"an object is needed, found {type(fields).__name__}")
        check_depth(value, fields)
        return fields

    def _joined(self, fields: Mapping[str, Any]) -> str:
        if self._alone is not None:
            text = self._alone(fields)
        else:
            parts = [find(fields) for find in self._text]
            text = "\n".join([part for part in parts if isinstance(part, str)])
        if not isinstance(text, str) or not text.strip():
            raise TicketError("no_text", "no text at the configured pointers")
        return text

    def _time(self, fields: Mapping[str, Any], record: Record) -> str:
        given = self._created_at(fields) if self._created_at else None
        if isinstance(given, str) and milliseconds(given) is not None:
            return given
        if isinstance(given, int | float) and not isinstance(given, bool) and 0 < given < 1e14:
            return rfc3339(int(given if given > MILLISECONDS_FROM else given * 1000))
        return rfc3339(record.timestamp)


@lru_cache(maxsize=1024)
def _second(second: int) -> str:
    # A producer may stamp its record with any number, and none of them may stop the stream.
    second = min(max(second, 0), LAST_SECOND)
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")


@lru_cache(maxsize=1024)
def rfc3339(ms: int) -> str:
    """Milliseconds since the epoch as RFC 3339 in UTC, from 1970 to the year 9999."""
    return f"{_second(ms // 1000)}.{ms % 1000:03d}Z"


def milliseconds(moment: str) -> float | None:
    """An RFC 3339 time as milliseconds since the epoch; None where it is none."""
    try:
        parsed = datetime.fromisoformat(moment)
    except ValueError:
        return None
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp() * 1000


def find(fields: Any, pointer: str) -> Any:
    """The value behind a JSON pointer, or None."""
    return _find(fields, _steps(pointer))


def _steps(pointer: str) -> list[str]:
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]


def _finder(pointer: str) -> Callable[[Mapping[str, Any]], Any]:
    steps = _steps(pointer)
    # Nearly every pointer names a field of the record itself.
    return methodcaller("get", *steps) if len(steps) == 1 else partial(_find, steps=steps)


def _find(fields: Any, steps: Sequence[str]) -> Any:
    for step in steps:
        if isinstance(fields, OBJECTS):
            fields = fields.get(step)
        elif isinstance(fields, list) and step.isdecimal() and int(step) < len(fields):
            fields = fields[int(step)]
        else:
            return None
    return fields


def _id(found: Any) -> str:
    if not isinstance(found, str) and isinstance(found, int) and not isinstance(found, bool):
        found = str(found)
    if not isinstance(found, str) or not found.strip():
        raise TicketError("no_id", "no id at the configured pointer")
    if not found.isascii() and not _encodable(found):
        raise TicketError("no_id", "an id that is no Unicode text")
    if len(found) > ID_LIMIT:
        raise TicketError("no_id", f"an id of {len(found)} characters, the limit is {ID_LIMIT}")
    return found


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
