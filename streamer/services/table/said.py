"""What one record of the labels topic says, as far as the table needs to know."""

import time
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, NamedTuple

import orjson

from streamer.errors import TicketError
from streamer.records.deletion import deleted_at
from streamer.records.rank import Place, Rank
from streamer.stream.record import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A label, and what it is in the state of its key.

    `id` is the same for a label and for its copy at a newer place. `spoke` is where a person spoke,
    None of a label by workers or judge. `carried` marks a copy that the table made.
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
    except (ValueError, TypeError, KeyError) as error:
        raise TicketError("unreadable_label", type(error).__name__) from None


def word(body: bytes) -> Word:
    """The word that a label's JSON is; raises `ValueError`, `TypeError` or `KeyError`."""
    raw = orjson.loads(body)
    orjson.dumps(raw)  # or it could be read, and never written again
    _text(raw["task"])
    _text(raw["position"]["source"])
    place = _place(raw["position"])
    person, carried = raw["source"] == "person", raw.get("carried")
    spoke = place if carried is None else _place(carried)
    return Word(
        id=_id(raw, spoke),
        rank=Rank(place, _number(raw["revision"])),
        spoke=spoke if person else None,
        carried=carried is not None,
        released=raw.get("released") is True,
        label=_text(raw["label"]),
        label_set=_text(raw["label_set"]),
        body=body,
    )


def heard_at(record: Record) -> int:
    """When a record was written, in seconds; now, where its time is none or lies ahead."""
    now, at = int(time.time()), record.timestamp // 1000
    return at if 0 <= at <= now else now


def _id(raw: dict[str, Any], place: Place) -> bytes:
    told = (raw["label"], raw["label_set"], raw["source"], raw["decided_at"], *place)
    return blake2b(orjson.dumps(told), digest_size=8).digest()


def _place(raw: Any) -> Place:
    return Place((_text(raw["topic"]), _number(raw["partition"])), _number(raw["offset"]))


def _number(found: Any) -> int:
    if type(found) is not int or not 0 <= found < 2**63:
        raise ValueError("no offset")
    return found


def _text(found: Any) -> str:
    if not isinstance(found, str):
        raise TypeError("no text")
    return found
