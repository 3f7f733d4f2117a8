"""Sends headers whose names are not UTF-8, which aiokafka's builder refuses."""

from collections.abc import Iterable
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy

from streamer.records.fetched import Header, name_bytes


class Producer(AIOKafkaProducer):  # type: ignore[misc]  # aiokafka has no types
    """A producer that writes such names byte for byte, as `records/fetched.py` reads them.

    Dead letters are copies, so they carry whatever came in.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._message_accumulator.create_builder = self._builder

    def _builder(self, **serializers: Any) -> "OddBatch":
        accumulator = self._message_accumulator
        return OddBatch(accumulator._batch_size, accumulator._compression_type, **serializers)

    def _serialize(self, key: Any, value: Any, headers: Iterable[Header]) -> Any:
        # Of the headers it takes nothing but their size.
        sized = [("n" * len(name_bytes(name)), held) for name, held in headers]
        return super()._serialize(key, value, sized)


class OddBatch(BatchBuilder):  # type: ignore[misc]  # aiokafka has no types
    """A batch that is built in Python, ten times as slowly, once it has such a name."""

    def __init__(self, batch_size: int, compression_type: int, **serializers: Any) -> None:
        super().__init__(batch_size, compression_type, **serializers)
        self._arguments = (2, compression_type, 0, -1, -1, 0, batch_size)
        self._odd = False

    def append(self, *, headers: Iterable[Header] = (), **record: Any) -> Any:
        """See aiokafka; None where it is full, and where the record needs a batch of this kind."""
        names = [(_Name(name), value) for name, value in headers] if self._odd else list(headers)
        try:
            return super().append(headers=names, **record)
        except UnicodeEncodeError:
            if self.record_count():
                self.close()
                return None
        self._odd = True
        self._builder = _DefaultRecordBatchBuilderPy(*self._arguments)
        return self.append(headers=headers, **record)

    def _set_producer_state(self, *state: int) -> None:
        # Theirs holds by an assertion that the builder is of one class.
        self._builder.set_producer_state(*state)


class _Name(str):
    __slots__ = ()

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        return super().encode(encoding, "surrogateescape")
