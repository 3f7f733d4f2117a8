"""What is compared where several records tell of one key: version 1 of the contract's order."""

from typing import NamedTuple


class Place(NamedTuple):
    """Where a ticket lay in the input; `partition` is None where only the offset was told."""

    partition: tuple[str, int] | None
    offset: int


class Rank(NamedTuple):
    """Of a label; a deletion has the revision -1."""

    place: Place
    revision: int


def precedes(place: Place, other: Place) -> bool:
    """Whether both lie in one partition, and `place` before `other`.

    Offsets of different partitions say nothing about each other: there the log's order counts.
    """
    same = None in (place.partition, other.partition) or place.partition == other.partition
    return same and place.offset < other.offset


def outranked(rank: Rank, other: Rank) -> bool:
    """Whether `rank` can't be the state beside `other`, whichever comes last in the log."""
    if precedes(rank.place, other.place):
        return True
    return rank.place == other.place and rank.revision < other.revision
