"""What the table knows of all partitions, and how far it has read its own topic."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from streamer.services.table.shelf import Shelf
from streamer.stream.handler import Record


@dataclass(slots=True)
class Written:
    """What was written of a key and not read back yet: how often, and what last."""

    count: int
    body: bytes | None


@dataclass(slots=True)
class Shelved:
    """One partition: its keys, what is on its way, and the next offset to read back.

    `strays` has, of the keys whose last record isn't what stands, that record. `heard` is the
    newest offset of the labels topic that was heard or is told of, -1 without any.
    """

    shelf: Shelf = field(default_factory=Shelf)
    fresh: dict[bytes, Written] = field(default_factory=dict)
    strays: dict[bytes, Record] = field(default_factory=dict)
    position: int = 0
    heard: int = -1


class Shelves:
    """The partitions by number, each made when it is first asked for."""

    def __init__(self) -> None:
        self._held: defaultdict[int, Shelved] = defaultdict(Shelved)

    def __getitem__(self, partition: int) -> Shelved:
        return self._held[partition]

    def drop(self, partitions: Iterable[int]) -> None:
        """Forget these: who still has one of them has a shelf that nobody looks at."""
        for number in partitions:
            self._held.pop(number, None)

    @property
    def keys(self) -> int:
        """How many keys have a label."""
        return sum(len(held.shelf) for held in self._held.values())
