"""Records as Kafka hands them out, those included that aiokafka's parsers refuse."""

from collections.abc import Iterable, Iterator
from typing import Any

from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatch, _DefaultRecordBatchPy
from aiokafka.record.memory_records import _MemoryRecordsPy

Header = tuple[str, bytes]


def read_any_header_name() -> None:
    """From now on this process's consumers read header names of any bytes.

    Kafka takes a name that is not UTF-8, and aiokafka raises `UnicodeDecodeError` out of
    `getmany`, for good: nothing of the batch can be read, and seeking can't pass it. Read so, such
    a name holds its odd bytes as lone surrogates ("surrogateescape"). aiokafka has no place where
    a parser could be given to one consumer, so the name that its fetcher looks up is replaced.
    """
    fetcher.MemoryRecords = FetchedRecords


def odd_name(headers: Iterable[Header]) -> str | None:
    """The first header name that is not UTF-8, its odd bytes written as `\\xff`; None without."""
    for name, _ in headers:
        if not name.isascii() and (shown := printable(name)) != name:
            return shown
    return None


def name_bytes(name: str) -> bytes:
    """A header's name as it stands in the record."""
    return name.encode("utf-8", "surrogateescape")


def printable(name: str) -> str:
    """A header's name as text that can be written, its odd bytes as `\\xff`."""
    return name_bytes(name).decode("utf-8", "backslashreplace")


class FetchedRecords(_MemoryRecordsPy):  # type: ignore[misc]  # aiokafka has no types
    """The batches of one answer of Kafka's."""

    def next_batch(self) -> Any:
        """The next batch; None after the last."""
        raw = self._next_slice
        batch = super().next_batch()
        # Messages of older formats have no headers.
        return _Batch(batch, raw) if isinstance(batch, DefaultRecordBatch) else batch


class _Batch:
    """A batch that is parsed once more, leniently, where the strict parser gives up."""

    def __init__(self, strict: Any, raw: memoryview) -> None:
        self._strict = strict
        self._raw = raw

    def __getattr__(self, name: str) -> Any:
        return getattr(self._strict, name)

    def __next__(self) -> Any:
        return next(self._strict)

    def __iter__(self) -> Iterator[Any]:
        try:
            yield from self._strict
        except (UnicodeDecodeError, CorruptRecordException):
            # From the start again: the fetcher passes over offsets that it has already had. The
            # pure parser calls an odd name corrupt; what truly is, is so for this one as well.
            yield from _LenientBatch(self._raw)


class _LenientBatch(_DefaultRecordBatchPy):  # type: ignore[misc]  # aiokafka has no types
    _buffer: bytearray

    def _maybe_uncompress(self) -> None:
        super()._maybe_uncompress()
        self._buffer = _LenientBytes(self._buffer)


class _LenientBytes(bytearray):
    """Bytes of which a slice is decoded without an error: of all fields, names alone are."""

    def __getitem__(self, key: Any) -> Any:
        value = super().__getitem__(key)
        return _LenientBytes(value) if isinstance(key, slice) else value

    def decode(self, encoding: str = "utf-8", errors: str = "surrogateescape") -> str:
        return super().decode(encoding, errors)
