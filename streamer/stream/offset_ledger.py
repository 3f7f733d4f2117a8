"""What is read, done and committed in one partition."""

from collections import deque
from collections.abc import Iterable


class OffsetLedger:
    """The watermark of one partition: everything below it is done.

    Offsets may have gaps (compaction, transaction markers) and may be finished in any order; the
    watermark passes an offset only when that and every earlier one that was read is finished.
    Pure, and not safe for concurrent threads.
    """

    __slots__ = ("_done", "_next", "_read", "committed", "watermark")

    def __init__(self) -> None:
        self._read: deque[int] = deque()
        self._done: set[int] = set()
        self._next = 0
        self.watermark: int | None = None
        self.committed: int | None = None

    def read(self, offsets: Iterable[int]) -> None:
        """Note offsets handed out, in the order of the log."""
        self._read.extend(offsets)
        self._next = self._read[-1] + 1 if self._read else self._next

    def finish(self, offsets: Iterable[int]) -> None:
        """Note offsets whose outputs are acknowledged, in any order."""
        self._done.update(offsets)
        while self._read and self._read[0] in self._done:
            offset = self._read.popleft()
            self._done.remove(offset)
            self.watermark = offset + 1

    @property
    def to_commit(self) -> int | None:
        """The offset to commit next, or None where the last commit already says it."""
        return self.watermark if self.watermark != self.committed else None

    @property
    def position(self) -> int:
        """The lowest unfinished offset, or the one after the last that was read."""
        return self._read[0] if self._read else self._next

    @property
    def unfinished(self) -> int:
        """How many read offsets are not yet below the watermark."""
        return len(self._read)
