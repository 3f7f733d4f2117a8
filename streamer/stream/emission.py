"""What a handler yields: records to publish, and inputs that need none."""

from collections.abc import Sequence
from typing import NamedTuple

from streamer.stream.record import Record

# Tuples and not dataclasses: one is made per ticket, and a frozen dataclass costs four times as
# much to make, a fifth of what the engine spends on a ticket in all.


class Emission(NamedTuple):
    """A record to publish on behalf of one input record."""

    record: Record
    topic: str
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]] = ()


class Barrier:
    """Yielded between groups: what comes after it in the batch is sent only once Kafka has
    acknowledged all that came before.
    """


class Settled(NamedTuple):
    """An input record that is done without a record of its own, and why."""

    record: Record
    why: str
