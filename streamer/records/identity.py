"""Names that stay the same when a record is delivered again."""

from functools import lru_cache
from hashlib import blake2b


class TicketIdentity:
    """Identity of one input record, derived from where it lies and never from its content.

    Made once, in classify; the judge copies the ids from its request, because the judge topic's
    own offsets say nothing about the ticket. The place is hashed once, here, and a task's id is
    that hash and the task's own, joined by exclusive or: hashing both again for every task costs
    more than anything else that is done for a label.
    """

    __slots__ = ("_hash", "offset", "partition", "source", "topic")

    def __init__(self, source: str, topic: str, partition: int, offset: int) -> None:
        self.source = source
        self.topic = topic
        self.partition = partition
        self.offset = offset
        self._hash = _hashed(f"{source}\0{topic}\0{partition}\0{offset}")

    @property
    def trace_id(self) -> int:
        """128 bits, the same for every delivery of the record; never zero."""
        return self._hash | 1

    def decision_id(self, task: str) -> str:
        """32 hex digits, one per (input record, task)."""
        return f"{self._hash ^ _hashed_task(task):032x}"


@lru_cache(maxsize=256)
def _hashed_task(task: str) -> int:
    return _hashed(f"task\0{task}")


def _hashed(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=16).digest())
