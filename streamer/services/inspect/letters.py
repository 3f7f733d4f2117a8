"""Finds dead letters, and what was done with them."""

from dataclasses import asdict, dataclass, field
from typing import Any

import orjson

from streamer.records.dead_letter import DeadLetter, Handled, What, is_mark
from streamer.stream.handler import Record
from streamer.stream.offset_reset import Start
from streamer.stream.reading import Reader

LetterPosition = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter where it lies, without its value, which may be large.

    `timestamp` is when it was written, in milliseconds since the epoch; `size` is its value's in
    bytes. `task` is known where a request or an answer died, None of an input.
    """

    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    size: int
    task: str | None
    letter: DeadLetter
    handled: What | None = None

    @property
    def place(self) -> str:
        """Its name on the command line."""
        return f"{self.partition}:{self.offset}"

    @property
    def origin(self) -> str:
        """Where the record lay that died."""
        return f"{self.letter.topic}[{self.letter.partition}]@{self.letter.offset}"

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        return {
            "place": self.place,
            "key": None if self.key is None else self.key.decode("utf-8", "replace"),
            "bytes": self.size,
            "task": self.task,
            "handled": self.handled,
            **asdict(self.letter),
        }


@dataclass(slots=True)
class Letters:
    """What is on the dead letter topic: letters in its order, and how many records are neither a
    letter nor a mark of ours.
    """

    found: list[Letter] = field(default_factory=list)
    strange: int = 0


async def collect(reader: Reader, topic: str, since: Start = "earliest") -> Letters:
    """All letters written since then, with what was done with them until now."""
    letters, handled = Letters(), dict[LetterPosition, Handled]()
    parts = await reader.parts(reader.partitions(topic), since)
    async for batch in reader.batches(parts):
        for record in batch:
            try:
                if is_mark(record.headers):
                    mark = Handled.from_json(record.value or b"")
                    handled[mark.partition, mark.offset] = mark
                else:
                    letters.found.append(letter_of(record))
            except (KeyError, ValueError, TypeError):
                letters.strange += 1
    letters.found = [_marked(letter, handled) for letter in letters.found]
    return letters


def letter_of(record: Record) -> Letter:
    """The letter in a record; raises `KeyError` or `ValueError` where it holds none."""
    return Letter(
        partition=record.partition,
        offset=record.offset,
        timestamp=record.timestamp,
        key=record.key,
        size=len(record.value or b""),
        task=_task(record.value),
        letter=DeadLetter.from_headers(record.headers),
    )


def _marked(letter: Letter, handled: dict[LetterPosition, Handled]) -> Letter:
    mark = handled.get((letter.partition, letter.offset))
    if mark is None:
        return letter
    given = {name: getattr(letter, name) for name in Letter.__slots__}
    return Letter(**(given | {"handled": mark.what}))


def _task(value: bytes | None) -> str | None:
    """The task of a request or an answer.

    By what these alone have, because a ticket may have any fields, and one named `task` too.
    """
    try:
        raw = orjson.loads(value or b"")
    except orjson.JSONDecodeError:
        return None
    ours = isinstance(raw, dict) and {"task", "decision_id", "label_set", "position"} <= raw.keys()
    return raw["task"] if ours and isinstance(raw["task"], str) else None
