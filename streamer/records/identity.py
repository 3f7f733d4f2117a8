"""Names that stay the same when a record is delivered again."""

from hashlib import blake2b
from typing import NamedTuple


class TicketIdentity(NamedTuple):
    """Identity of one input record, derived from where it lies and never from its content.

    Made once, in classify; the judge copies the ids from its request, because the judge topic's
    own offsets say nothing about the ticket.
    """

    source: str
    topic: str
    partition: int
    offset: int

    @property
    def trace_id(self) -> int:
        """128 bits, the same for every delivery of the record; never zero."""
        return int.from_bytes(self._digest(""), "big") | 1

    def decision_id(self, task: str) -> str:
        """32 hex digits, one per (input record, task)."""
        return self._digest(task).hex()

    def _digest(self, task: str) -> bytes:
        place = f"{self.source}\0{self.topic}\0{self.partition}\0{self.offset}\0{task}"
        return blake2b(place.encode(), digest_size=16).digest()
