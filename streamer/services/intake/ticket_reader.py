"""From a raw record of the user's own shape to a ticket."""

import math
import time
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from streamer.config.settings import Input
from streamer.errors import TicketError
from streamer.records.fetched import odd_name
from streamer.records.pointers import finder
from streamer.records.ticket import Ticket
from streamer.records.ticket_text import TicketText
from streamer.records.times import milliseconds, rfc3339
from streamer.services.intake.decoding import Decoder, Decoding, load_decoder, said
from streamer.services.intake.plain_json import check_depth
from streamer.services.intake.ticket_id import TicketId
from streamer.stream.handler import Record

MILLISECONDS_FROM = 1e11


class TicketReader:
    """Reads tickets out of records by JSON pointers (RFC 6901).

    `text` pointers are joined as in `TicketText`; `max_bytes` bounds the record's value. A
    `decoder` turns other formats into a mapping and refuses what it can't read by raising
    `ValueError`.
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
        self._id = TicketId(id)
        self.text = TicketText(text)
        self._subject = finder(subject) if subject else None
        self._created_at = finder(created_at) if created_at else None
        self._max_bytes = max_bytes
        self._decoding = None if decoder is None else Decoding(decoder, max_bytes)

    @classmethod
    def of(cls, settings: Input) -> "TicketReader":
        """As configured; raises `ConfigError` for a decoder that can't be imported."""
        return cls(
            id=settings.id,
            text=settings.text,
            subject=settings.subject,
            created_at=settings.created_at,
            max_bytes=settings.max_bytes,
            decoder=load_decoder(settings.decoder) if settings.decoder else None,
        )

    def read(self, record: Record) -> tuple[Ticket, float]:
        """The ticket in a record and its own time in milliseconds since the epoch.

        NaN where no time is known: the ticket then has that of its arrival. Raises `TicketError`
        with the reason for the dead letter.
        """
        if record.headers and (name := odd_name(record.headers)) is not None:
            raise TicketError("header_name", f"a header's name is not UTF-8: {name[:200]}")
        fields = self.fields(record)
        subject = self._subject(fields) if self._subject else None
        timestamp = record.timestamp
        if self._created_at is None and timestamp >= 0:
            created_at, ms = rfc3339(timestamp), float(timestamp)
        else:
            created_at, ms = self._moment(fields, timestamp)
        ticket = Ticket(
            id=self._id.of(fields),
            text=self.text.of(fields),
            created_at=created_at,
            subject=subject if isinstance(subject, str) else None,
            fields=fields,
        )
        return ticket, ms

    def ticket(self, record: Record) -> Ticket:
        """The ticket alone; raises `TicketError`."""
        return self.read(record)[0]

    def ticket_id(self, record: Record) -> str:
        """The id alone, also of what is no whole ticket; raises `TicketError`."""
        return self._id.of(self.fields(record))

    def deleted(self, record: Record) -> str:
        """The ticket id that a record without a value deletes; raises `TicketError`."""
        try:
            return self._id.of_key(record.key or b"")
        except TicketError:
            if self._decoding is None:
                raise
        return self._id.of(self._decoding.fields(record))

    def is_keyed(self, record: Record, ticket_id: str) -> bool:
        """Whether a deletion under the record's key would be of this ticket."""
        try:
            return self._id.of_key(record.key or b"") == ticket_id
        except TicketError:
            # What the decoder would read in it shows once it is a deletion.
            return self._decoding is not None

    def fields(self, record: Record) -> Mapping[str, Any]:
        """All that is in a record, whether or not it is a ticket; raises `TicketError`."""
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

    def _moment(self, fields: Mapping[str, Any], timestamp: int) -> tuple[str, float]:
        given = self._created_at(fields) if self._created_at else None
        if isinstance(given, str) and (ms := milliseconds(given)) is not None:
            return rfc3339(int(ms)), ms
        if isinstance(given, int | float) and not isinstance(given, bool) and 0 < given < 1e14:
            timestamp = int(given if given > MILLISECONDS_FROM else given * 1000)
        # Kafka's -1 says that no time is known.
        if timestamp >= 0:
            return rfc3339(timestamp), float(timestamp)
        return rfc3339(time.time_ns() // 10**6), math.nan
