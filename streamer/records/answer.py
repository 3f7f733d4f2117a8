"""A person's answer."""

from dataclasses import dataclass

import orjson

from streamer.records.label import Position
from streamer.records.reading import made


@dataclass(frozen=True, slots=True)
class Answer:
    """A person's label for one ticket and task; the last answer to a decision wins.

    `decision_id` and `position` are those of the review or label that is answered: the id must
    follow from the position, or the answer is refused. With `release` a person gives up the label
    that is named, and what workers or judge said last stands again.
    """

    decision_id: str
    ticket_id: str
    task: str
    label: str
    label_set: str
    reviewer: str
    at: str
    position: Position
    release: bool = False

    def to_json(self) -> bytes:
        return orjson.dumps(self)

    @classmethod
    def from_json(cls, value: bytes) -> "Answer":
        """Raises `ValueError` when the value is no answer: `FieldError` names the field."""
        return made(cls, orjson.loads(value))
