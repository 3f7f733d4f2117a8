"""The tickets of a file, as `streamer send` puts them on the tickets topic."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from streamer.config.settings import Settings
from streamer.errors import ConfigError, TicketError
from streamer.records.pointers import find
from streamer.records.rows import rows
from streamer.services.intake.ticket_id import TicketId
from streamer.services.intake.ticket_reader import TicketReader


class FileTicket(NamedTuple):
    """A ticket with the number of its row, from 1 on."""

    row: int
    id: str
    value: bytes


@dataclass(frozen=True, slots=True)
class FileRecord:
    """A row of a file as the record that it becomes on the topic."""

    value: bytes
    key: bytes | None = None
    topic: str = ""
    partition: int = 0
    offset: int = 0
    timestamp: int = 0
    headers: Sequence[tuple[str, bytes]] = ()


class FileTickets:
    """The rows of `file` as JSON, with the ids that classify will find in them.

    Raises `ConfigError`, as do its iterations, where the file, a row or the decoder can't be used.
    """

    def __init__(self, settings: Settings, file: Path) -> None:
        self._file = file
        self._input = settings.input
        self._ticket_reader = TicketReader.of(settings.input)
        self._limit = settings.kafka.max_record_bytes

    def __iter__(self) -> Iterator[FileTicket]:
        filled = ((row, fields) for row, fields in self._rows() if not _blank(fields))
        return (
            numbered(filled, self._input.id) if self._input.decoder is None else self._own(filled)
        )

    def check(self) -> None:
        """Raises `ConfigError` where classify would refuse any of them."""
        refusals = [(ticket.row, self._refused(ticket)) for ticket in self]
        refused = [(row, why) for row, why in refusals if why is not None]
        if refused:
            row, why = refused[0]
            raise ConfigError(
                f"{self._file}: nothing was sent: classify would refuse {len(refused)} of "
                f"{len(refusals)} rows, the first is row {row} ({why}); {self._advice(row)}"
            )

    def _refused(self, ticket: FileTicket) -> str | None:
        key = ticket.id.encode()
        try:
            self._ticket_reader.ticket(FileRecord(ticket.value, key))
        except TicketError as error:
            return error.detail
        size = len(key) + len(ticket.value)
        return f"{size} bytes, more than kafka.max_record_bytes" if size > self._limit else None

    def _advice(self, row: int) -> str:
        if self._input.decoder is not None:
            return (
                f"send writes rows as JSON, and input.decoder ({self._input.decoder}) has to read "
                "that: correct the rows, or produce them in your own format by other means"
            )
        names = next(
            (", ".join(map(repr, fields)) for number, fields in self._rows() if number == row), ""
        )
        return (
            f"it has {names}, and id and text are looked for at {self._input.id} and "
            f"{', '.join(self._input.text)}: correct `input`, or the rows"
        )

    def _rows(self) -> Iterator[tuple[int, Mapping[str, Any]]]:
        return enumerate(rows(self._file), 1)

    def _own(self, numbered_rows: Iterable[tuple[int, Mapping[str, Any]]]) -> Iterator[FileTicket]:
        """Where a decoder of the user's says what is in a record, it also says what its id is."""
        for number, row in numbered_rows:
            value = _json(row, number)
            try:
                yield FileTicket(number, self._ticket_reader.ticket_id(FileRecord(value)), value)
            except TicketError as error:
                raise ConfigError(
                    f"{self._file}: row {number} ({error.detail}); {self._advice(number)}"
                ) from None


def numbered(
    numbered_rows: Iterable[tuple[int, Mapping[str, Any]]], pointer: str
) -> Iterator[FileTicket]:
    """Each row, given with its number, as it is; one without an id gets the number as one.

    Raises `ConfigError` for a row that can't be written.
    """
    ids = TicketId(pointer)
    for number, row in numbered_rows:
        ticket_id = find(row, pointer)
        if ticket_id in (None, ""):
            row, ticket_id = _with_id(row, pointer, number), number
        yield FileTicket(number, _id(ids, row) or str(ticket_id), _json(row, number))


def _id(ids: TicketId, row: Mapping[str, Any]) -> str | None:
    """As classify reads it, which takes 4711.0 for 4711; None where it would refuse it."""
    try:
        return ids.of(row)
    except TicketError:
        return None


def _blank(row: Mapping[str, Any]) -> bool:
    return not any(value not in (None, "") for value in row.values())


def _json(row: Mapping[str, Any], number: int) -> bytes:
    try:
        return orjson.dumps(row)
    except orjson.JSONEncodeError as error:
        raise ConfigError(
            f"row {number} can't be written as JSON ({error}): take it out, or correct it"
        ) from None


def _with_id(row: Mapping[str, Any], pointer: str, number: int) -> Mapping[str, Any]:
    step, *deeper = pointer.removeprefix("/").split("/")
    if not deeper:
        return {**row, step: str(number)}
    inner = row.get(step)
    inner = inner if isinstance(inner, Mapping) else {}
    return {**row, step: _with_id(inner, "/" + "/".join(deeper), number)}
