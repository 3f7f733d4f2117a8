"""What one record of the labels topic says, as far as the table needs to know."""

import time
from dataclasses import dataclass
from hashlib import blake2b
from typing import NamedTuple

import orjson

from streamer.errors import TicketError
from streamer.records.deletion import deleted_at
from streamer.records.label import Label, Position
from streamer.records.rank import Place, Rank
from streamer.records.reading import made
from streamer.stream.handler import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A label, and what it is in the state of its key.

    `id` is the same for a label and for its copy at a newer position. `spoke` is where a person
    spoke, None of a label by workers or judge. `carried` marks a copy that the table made.
    """

    id: bytes
    rank: Rank
    spoke: Place | None
    carried: bool
    released: bool
    label: str
    label_set: str
    body: bytes


class Gone(NamedTuple):
    """A deletion, of what lies before `place`; of everything, where that is None."""

    place: Place | None


def said(record: Record) -> Word | Gone:
    """Raises `TicketError` where the record is neither label nor deletion."""
    if record.value is None:
        return Gone(deleted_at(record.headers))
    try:
        return word(record.value)
    except (ValueError, TypeError) as error:
        raise TicketError("unreadable_label", str(error)) from None


def word(body: bytes) -> Word:
    """The word that a label's JSON is.

    Raises `ValueError` where the typed client would read no label, `TypeError` where it could not
    be written again.
    """
    raw = orjson.loads(body)
    orjson.dumps(raw)  # or it could be read, and never written again
    label = made(Label, raw)
    place = _place(label.position)
    spoke = place if label.carried is None else _place(label.carried)
    return Word(
        id=_id(label, spoke),
        rank=Rank(place, _number(label.revision)),
        spoke=spoke if label.source == "person" else None,
        carried=label.carried is not None,
        released=label.released,
        label=label.label,
        label_set=label.label_set,
        body=body,
    )


def heard_at(record: Record) -> int:
    """When a record was written, in seconds; now, where its time is none or lies ahead."""
    now, written = int(time.time()), record.timestamp // 1000
    return written if 0 <= written <= now else now


def _id(label: Label, place: Place) -> bytes:
    told = (label.label, label.label_set, label.source, label.decided_at, *place)
    return blake2b(orjson.dumps(told), digest_size=8).digest()


def _place(position: Position) -> Place:
    partition = position.topic, _number(position.partition)
    return Place(partition, _number(position.offset))


def _number(number: int) -> int:
    if not 0 <= number < 2**63:
        raise ValueError("no offset")
    return number
