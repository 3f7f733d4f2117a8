"""How much an engine holds."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much work is held at once: batches, records that wait, and the bytes of both together.

    A record counts `copies` times its own bytes: what is made of it while it is in flight. `drain`
    is in seconds.
    """

    max_batch: int = 512
    in_flight: int = 4
    max_buffered: int = 8192
    max_bytes: int = 512 * 2**20
    copies: int = 1
    drain: float = 20.0
