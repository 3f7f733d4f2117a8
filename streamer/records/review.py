"""What goes to a person and what comes back."""

from dataclasses import dataclass

import orjson

from streamer.records.label import Position, Vote, label_key
from streamer.records.reading import made
from streamer.records.ticket import Ticket


@dataclass(frozen=True, slots=True)
class Review:
    """A ticket and task for a person: because nobody is sure, or for the gold sample.

    `label` is what would be published, or was; `confidence` the judge's own. An `Answer` copies
    decision_id, task, label_set and position from here.
    """

    ticket: Ticket
    task: str
    labels: tuple[str, ...]
    label_set: str
    reason: str
    label: str | None
    confidence: float | None
    votes: tuple[Vote, ...]
    judge: str | None
    decision_id: str
    position: Position
    at: str

    @property
    def key(self) -> bytes:
        return label_key(self.ticket.id, self.task)

    def to_json(self) -> bytes:
        return orjson.dumps(self)

    @classmethod
    def from_json(cls, value: bytes) -> "Review":
        """Raises `ValueError` when the value is no review: `FieldError` names the field."""
        return made(cls, orjson.loads(value))
