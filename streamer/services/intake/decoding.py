"""Has a function of the user's read what is no JSON, whatever that function may do."""

import importlib
import logging
from collections.abc import Callable, Mapping, Sequence
from traceback import extract_tb
from typing import Any

from streamer.errors import ConfigError, TicketError
from streamer.services.intake.plain_json import plain
from streamer.services.runtime.blame import by_the_record
from streamer.stream.handler import Record

Decoder = Callable[[bytes | None, bytes, Sequence[tuple[str, bytes]]], Mapping[str, Any]]

FAILED = "decoder_failed"

log = logging.getLogger(__name__)


class Decoding:
    """Reads records by a `decoder`; what it makes is plain JSON of at most `max_bytes`."""

    def __init__(self, decoder: Decoder, max_bytes: int) -> None:
        self._decode = decoder
        self._max_bytes = max_bytes
        self._told: set[str] = set()

    def fields(self, record: Record) -> Mapping[str, Any]:
        """What is in a record.

        Raises `TicketError` for what the decoder refuses, fails at, or makes no JSON of;
        `Unavailable` where it says "not now"; and what is no fault of the record, as it is.
        """
        try:
            fields = self._decoded(record)
            if not isinstance(fields, Mapping):
                kind = type(fields).__name__
                raise TicketError("unreadable", f"a mapping is needed, the decoder gave {kind}")
            return plain(fields, self._max_bytes)
        # Not `Exception` alone: libraries in other languages raise what they can't bear beside it.
        except BaseException as error:
            if not by_the_record(error):
                raise
            raise self._failed(error) from None

    def _decoded(self, record: Record) -> Any:
        try:
            return self._decode(record.key, record.value or b"", record.headers)
        except ValueError as error:
            raise TicketError("unreadable", said(error)) from None

    def _failed(self, error: BaseException) -> TicketError:
        name = type(error).__name__
        if name not in self._told:
            self._told.add(name)
            # Where and never what: the message may quote the ticket.
            frame = extract_tb(error.__traceback__)[-1]
            log.error("input.decoder failed with %s at %s:%s", name, frame.filename, frame.lineno)
        return TicketError(FAILED, name)


def load_decoder(name: str) -> Decoder:
    """The function behind a dotted name (`package.module.function`); raises `ConfigError`."""
    module, _, function = name.replace(":", ".").rpartition(".")
    try:
        decoder: Decoder = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError) as error:
        raise ConfigError(
            f"input.decoder: {name!r} can't be imported ({error}); give the dotted name of a "
            "function (key, value, headers) -> dict that is importable here"
        ) from None
    return decoder


def said(error: ValueError) -> str:
    """The first line of what a refusal says, or its class."""
    # Not more, because it may quote the ticket.
    lines = str(error).splitlines()
    return lines[0][:200] if lines and lines[0] else type(error).__name__
