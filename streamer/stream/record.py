"""The shape of an input record; aiokafka's own record has it, so nothing is copied."""

from collections.abc import Sequence
from typing import Protocol

from streamer.records.identity import Place


class Record(Place, Protocol):
    """One record of the input topic, raw. `timestamp` is in milliseconds since the epoch."""

    @property
    def timestamp(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes]]: ...
