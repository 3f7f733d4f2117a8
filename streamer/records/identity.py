"""Names that stay the same when a record is delivered again."""

from functools import lru_cache
from hashlib import blake2b
from typing import Protocol

GAMMA = 0x9E3779B97F4A7C15
FIRST = 0xBF58476D1CE4E5B9
SECOND = 0x94D049BB133111EB
WORD = 2**64 - 1


class Location(Protocol):
    """Where a record lies: a Kafka record, or a ticket's identity."""

    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...


class TicketIdentity:
    """Identity of one input record, derived from where it lies and never from its content.

    Made once, in classify; the judge copies the ids from its request, because the judge topic's
    own offsets say nothing about the ticket. The partition is hashed once; an offset walks two
    SplitMix64 sequences from there (Steele, Lea and Flood 2014), each of them one to one, so that
    two offsets never meet. A task's id is that and the task's own hash, joined by exclusive or.
    """

    __slots__ = ("_hash", "offset", "partition", "source", "topic")

    def __init__(self, source: str, topic: str, partition: int, offset: int) -> None:
        self.source = source
        self.topic = topic
        self.partition = partition
        self.offset = offset
        high, low = seeds(source, topic, partition)
        self._hash = mixed(high + offset * GAMMA) << 64 | mixed(low + offset * GAMMA)

    @property
    def digest(self) -> bytes:
        """The hash of the place, 16 bytes."""
        return self._hash.to_bytes(16)

    @property
    def trace_id(self) -> str:
        """32 hex digits, the same for every delivery of the record; never all zero."""
        return f"{self._hash | 1:032x}"

    def decision_id(self, task: str) -> str:
        """32 hex digits, one per (input record, task)."""
        return f"{self._hash ^ task_hash(task):032x}"


@lru_cache(maxsize=4096)
def seeds(source: str, topic: str, partition: int) -> tuple[int, int]:
    """Where the two sequences of a partition begin, 64 bits each."""
    both = _hashed(f"{source}\0{topic}\0{partition}")
    return both >> 64, both & WORD


@lru_cache(maxsize=256)
def task_hash(task: str) -> int:
    """The part of a task in its decision ids, 128 bits."""
    return _hashed(f"task\0{task}")


def mixed(word: int) -> int:
    """SplitMix64's output function, of the lower 64 bits."""
    word &= WORD
    word = (word ^ word >> 30) * FIRST & WORD
    word = (word ^ word >> 27) * SECOND & WORD
    return word ^ word >> 31


def _hashed(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=16).digest())
