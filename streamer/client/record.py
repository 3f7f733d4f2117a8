"""One record of the labels topic."""

import re
from dataclasses import dataclass, field
from typing import Any

from streamer.client.unreadable import UnreadableLabel
from streamer.records.label import DELETED_AT, Label
from streamer.records.reading import FieldError

_OFFSET = re.compile(rb"[0-9]{1,19}")


@dataclass(frozen=True, slots=True)
class LabelRecord:
    """One record of the labels topic.

    `label` is None where the ticket was deleted, or where `value` is no label that this release
    reads (`value` is None only for a deletion). `timestamp` is in milliseconds since the epoch.
    `deleted_at` is the deletion's offset in the input, None where whoever wrote it didn't say.
    `problem` says why a value is no label.
    """

    key: str
    label: Label | None
    value: bytes | None
    partition: int
    offset: int
    timestamp: int
    deleted_at: int | None = None
    problem: UnreadableLabel | None = field(default=None, compare=False)

    @property
    def ticket_id(self) -> str:
        return self.key.rpartition("/")[0]

    @property
    def task(self) -> str:
        return self.key.rpartition("/")[2]

    @classmethod
    def of(cls, record: Any) -> "LabelRecord":
        """From a record of aiokafka's consumer."""
        label, problem = _label(record)
        return cls(
            key=(record.key or b"").decode("utf-8", "replace"),
            label=label,
            value=record.value,
            partition=record.partition,
            offset=record.offset,
            timestamp=record.timestamp,
            deleted_at=_deleted_at(record),
            problem=problem,
        )


def rank(label: Label) -> tuple[int, int]:
    """Of two labels with one key, the one with the higher rank is the state."""
    return label.position.offset, label.revision


def _deleted_at(record: Any) -> int | None:
    found = dict(record.headers).get(DELETED_AT) or b""
    return int(found) if record.value is None and _OFFSET.fullmatch(found) else None


def _label(record: Any) -> tuple[Label | None, UnreadableLabel | None]:
    if record.value is None:
        return None, None
    try:
        return Label.from_json(record.value), None
    except ValueError as error:
        path = ".".join(error.path) if isinstance(error, FieldError) else ""
        place = record.topic, record.partition, record.offset
        return None, UnreadableLabel(*place, path, str(error))
