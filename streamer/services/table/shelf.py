"""What the table knows of the keys of one partition, packed."""

from collections.abc import Iterator
from struct import Struct

from streamer.records.rank import Place, Rank
from streamer.services.table.said import Word
from streamer.services.table.state import State

# Of most keys only what stands is known: a million of them as records of Python would take
# 1.2 GB, packed they take a sixth of that. Two bytes more would cost sixteen.
_PACKED = Struct("<IQQ8sQIHI")
_UNREAD = 2**64 - 1


class Shelf:
    """States by key; most without the words themselves, whose bodies lie in the table's topic.

    `offset` is where a key's last record lies in that topic, None where it was not read back yet.
    `cause` is the offset in the labels topic of what brought a key to its state; 0 where unknown.
    Times are in seconds since the epoch.
    """

    def __init__(self) -> None:
        self._packed: dict[bytes, bytes] = {}
        self._whole: dict[bytes, tuple[State, int, int]] = {}
        self._partitions: list[tuple[str, int]] = []
        self._numbers: dict[tuple[str, int], int] = {}

    def __len__(self) -> int:
        return len(self._packed)

    def state(self, key: bytes) -> State:
        """What is known of a key: an empty state where it was never heard of."""
        if (whole := self._whole.get(key)) is not None:
            return whole[0]
        if (packed := self._packed.get(key)) is None:
            return State()
        index, offset, revision, stands, *_ = _PACKED.unpack(packed)
        top = Rank(Place(self._partitions[index], offset), revision)
        return State(top=top, stands=stands, machine=_unread(top, stands))

    def put(self, key: bytes, state: State, seconds: int, cause: int = 0) -> None:
        """Note what a key has come to; where its last record lies is kept.

        A time before the known one is that of a record which is read again.
        """
        seconds = max(seconds, self._heard_at(key))
        if state.top is None:
            self._packed.pop(key, None)
        else:
            self._pack(key, state.top, state.stands, seconds, cause)
        self._whole.pop(key, None)
        if not _told_by_top(state) or (state.top is None and cause):
            self._whole[key] = state, seconds, cause

    def offset(self, key: bytes) -> int | None:
        """Where the key's last record lies."""
        packed = self._packed.get(key)
        offset = _UNREAD if packed is None else _PACKED.unpack(packed)[4]
        return None if offset == _UNREAD else offset

    def lies(self, key: bytes, offset: int) -> None:
        """Note where the key's last record lies."""
        if (packed := self._packed.get(key)) is not None:
            index, top_offset, revision, stands, _, *more = _PACKED.unpack(packed)
            self._packed[key] = _PACKED.pack(index, top_offset, revision, stands, offset, *more)

    def cause(self, key: bytes) -> int:
        """Which record of the labels topic brought a key to its state."""
        if (whole := self._whole.get(key)) is not None:
            return whole[2]
        if (packed := self._packed.get(key)) is None:
            return 0
        *_, high, low = _PACKED.unpack(packed)
        return int(high) << 32 | int(low)

    def idle(self, before: int) -> Iterator[bytes]:
        """The keys with a label of which nothing was heard since a time."""
        for key, packed in list(self._packed.items()):
            if _PACKED.unpack(packed)[5] < before:
                yield key

    def deleted(self) -> Iterator[tuple[bytes, State]]:
        """The keys without a label of which a deletion is known, and what is known of them."""
        for key, (state, *_) in self._whole.items():
            if state.top is None:
                yield key, state

    def forget(self, before: int) -> None:
        """Drop the ends of before a time: nothing of before them comes any more."""
        for key, (state, seconds, _) in list(self._whole.items()):
            if state.top is None and seconds < before:
                del self._whole[key]

    def _heard_at(self, key: bytes) -> int:
        if (whole := self._whole.get(key)) is not None:
            return whole[1]
        return 0 if (packed := self._packed.get(key)) is None else _PACKED.unpack(packed)[5]

    def _pack(self, key: bytes, top: Rank, stands: bytes, seconds: int, cause: int) -> None:
        offset = self.offset(key)
        lies = _UNREAD if offset is None else offset
        partition = top.place.partition
        assert partition is not None  # the rank of a label, which has a whole position
        index = self._numbers.setdefault(partition, len(self._partitions))
        if index == len(self._partitions):
            self._partitions.append(partition)
        self._packed[key] = _PACKED.pack(
            index,
            top.place.offset,
            top.revision,
            stands,
            lies,
            seconds,
            cause >> 32,
            cause & 0xFFFFFFFF,
        )


def _unread(top: Rank, stands: bytes) -> Word:
    """The word of workers or judge that stands, without what only its body says."""
    return Word(
        id=stands,
        rank=top,
        spoke=None,
        carried=False,
        released=False,
        label="",
        label_set="",
        body=b"",
    )


def _told_by_top(state: State) -> bool:
    """Whether rank and id of what stands are all that is known."""
    if state.person or state.released or state.gone:
        return False
    machine = state.machine
    return machine is None or (machine.rank, machine.id) == (state.top, state.stands)
