"""What is known of one partition's records after the committed offset."""

from streamer.stream.isolation.note import Note


class Page:
    """The window that an unclean end left, and what may be in flight now. Pure.

    `floor` is the committed offset, `found` what stood beside it when the partition came here.
    Of the records before `window`, each may be the one that ended the process.
    """

    __slots__ = ("_open", "_tried", "floor", "window")

    def __init__(self, floor: int, note: Note) -> None:
        self.floor = floor
        self.window = note.open
        self._open = 0
        self._tried = dict(note.tried)

    def suspects(self, offset: int) -> bool:
        """Whether the record was perhaps in flight at an unclean end."""
        return offset < self.window

    def tries(self, offset: int) -> int:
        """How often the record was begun alone and not finished."""
        return self._tried.get(offset, 0)

    def begin(self, offset: int) -> None:
        """The record is tried alone."""
        self._tried[offset] = self.tries(offset) + 1

    def finish(self, offset: int) -> None:
        """The record was tried alone and is no danger."""
        self._tried.pop(offset, None)

    def spare(self, offset: int) -> None:
        """The trial was given up for another reason than the record."""
        if (before := self.tries(offset) - 1) > 0:
            self._tried[offset] = before
        else:
            self.finish(offset)

    def open(self, offset: int, ahead: int) -> bool:
        """The record is about to be in flight among others; whether the note must say so first.

        Then it says it for the next `ahead` offsets too.
        """
        if offset < self._open:
            return False
        self._open = offset + 1 + ahead
        return True

    def close(self) -> None:
        """Nothing is in flight any more."""
        self._open = 0

    def note(self) -> Note:
        """What to write beside the offset `floor`."""
        window = self.window if self.window > self.floor else 0
        tried = {offset: count for offset, count in self._tried.items() if offset >= self.floor}
        return Note(max(window, self._open), tried)
