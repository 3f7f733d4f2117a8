"""The records of the table's own topic, and what it knows beside the label."""

from collections.abc import Sequence
from typing import Any

import orjson

from streamer.records.deletion import Header, deleted_at, deletion_headers
from streamer.records.label import STANDS
from streamer.records.rank import Place
from streamer.services.table.said import Word, word
from streamer.services.table.state import State
from streamer.stream.record import Record

_KNOWN = "table.known"


def headers(state: State, writer: bytes) -> list[Header]:
    """What goes beside the record of a state; its own label says the rest."""
    found = [(STANDS, writer), *deletion_headers(state.gone)]
    held = state.machine if state.person is not None else None
    known = {
        "released": state.released and (*state.released,),
        "machine": held and held.body.decode(),
    }
    if any(known.values()):
        found.append((_KNOWN, orjson.dumps(known)))
    return found


def written(record: Record) -> State:
    """The state that a record was written for.

    Raises `ValueError`, `TypeError` or `LookupError` where it is no record of the table's.
    """
    gone = deleted_at(record.headers)
    if record.value is None:
        return State(gone=gone)
    known = orjson.loads(dict(record.headers).get(_KNOWN) or b"{}")
    stands, machine = word(record.value), known["machine"] if known else None
    holds = stands.spoke is not None and not stands.released
    return State(
        top=stands.rank,
        stands=stands.id,
        person=stands if holds else None,
        machine=stands if stands.spoke is None else _word(machine),
        released=_place(known["released"] if known else None),
        gone=gone,
    )


def _word(body: Any) -> Word | None:
    if body is None:
        return None
    if not isinstance(body, str):
        raise TypeError("no label")
    return word(body.encode())


def writer(found: Sequence[Header]) -> bytes | None:
    """Which process wrote a record with these headers."""
    return dict(found).get(STANDS)


def _place(raw: Any) -> Place | None:
    if raw is None:
        return None
    partition, offset = raw
    return Place(None if partition is None else (partition[0], partition[1]), offset)
