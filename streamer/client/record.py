"""One record of the labels topic."""

from dataclasses import dataclass, field
from typing import Any

from streamer.client.unreadable import UnreadableLabel
from streamer.records.deletion import deleted_at
from streamer.records.label import STANDS, Label
from streamer.records.rank import Place, Rank
from streamer.records.reading import FieldError

_DELETED = -1


@dataclass(frozen=True, slots=True)
class LabelRecord:
    """One record of the labels topic.

    `label` is None where the ticket was deleted, or where `value` is no label that this release
    reads (`value` is None only for a deletion). `timestamp` is in milliseconds since the epoch.
    `deleted_at` is the deletion's offset in the input, and `deleted_in` topic and partition there;
    each None where whoever wrote it didn't say. Where it `stands`, the table says that it is the
    state of its key, and nothing is compared. `problem` says why a value is no label.
    """

    key: str
    label: Label | None
    value: bytes | None
    partition: int
    offset: int
    timestamp: int
    deleted_at: int | None = None
    deleted_in: tuple[str, int] | None = None
    stands: bool = False
    problem: UnreadableLabel | None = field(default=None, compare=False)

    @property
    def ticket_id(self) -> str:
        return self.key.rpartition("/")[0]

    @property
    def task(self) -> str:
        return self.key.rpartition("/")[2]

    @property
    def rank(self) -> Rank | None:
        """What version 1 of the contract compares; None where there is nothing to compare."""
        if self.label is not None:
            position = self.label.position
            return Rank(
                Place((position.topic, position.partition), position.offset), self.label.revision
            )
        if self.deleted_at is None:
            return None
        return Rank(Place(self.deleted_in, self.deleted_at), _DELETED)

    @classmethod
    def of(cls, record: Any) -> "LabelRecord":
        """From a record of aiokafka's consumer."""
        label, problem = _label(record)
        gone = deleted_at(record.headers) if record.value is None else None
        return cls(
            key=(record.key or b"").decode("utf-8", "replace"),
            label=label,
            value=record.value,
            partition=record.partition,
            offset=record.offset,
            timestamp=record.timestamp,
            deleted_at=None if gone is None else gone.offset,
            deleted_in=None if gone is None else gone.partition,
            stands=STANDS in dict(record.headers),
            problem=problem,
        )


def _label(record: Any) -> tuple[Label | None, UnreadableLabel | None]:
    if record.value is None:
        return None, None
    try:
        return Label.from_json(record.value), None
    except ValueError as error:
        path = ".".join(error.path) if isinstance(error, FieldError) else ""
        where = record.topic, record.partition, record.offset
        return None, UnreadableLabel(*where, path, str(error))
