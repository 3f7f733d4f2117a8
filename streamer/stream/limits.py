"""How much an engine holds."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much work is held at once: batches, records that wait, and the bytes of both together.

    A record counts `copies` times its own bytes: what is made of it while it is in flight. `drain`
    is in seconds.
    """

    max_batch: int
    in_flight: int
    max_buffered: int
    max_bytes: int
    copies: int
    drain: float
