"""The records of the table's own topic, and what it knows beside the label."""

import re
from collections.abc import Sequence
from typing import Any

import orjson

from streamer.records.deletion import Header, deleted_at, deletion_headers
from streamer.records.label import STANDS
from streamer.records.rank import Place
from streamer.services.table.said import Word, word
from streamer.services.table.state import State
from streamer.stream.handler import Record

_KNOWN = "table.known"
_CAUSE = "table.cause"
# As much as is kept of one; no partition ever has more records.
_OFFSET = re.compile(rb"[0-9]{1,14}")


def headers(state: State, writer: bytes, cause: int) -> list[Header]:
    """What goes beside the record of a state; its own label says the rest.

    `cause` is the offset in the key's partition of the labels topic that the state follows from.
    """
    record_headers = [(STANDS, writer), (_CAUSE, b"%d" % cause), *deletion_headers(state.gone)]
    held = state.machine if state.person is not None else None
    more = {
        "released": state.released and (*state.released,),
        "machine": held and held.body.decode(),
    }
    if any(more.values()):
        record_headers.append((_KNOWN, orjson.dumps(more)))
    return record_headers


def written(record: Record) -> State:
    """The state that a record was written for.

    Raises `ValueError`, `TypeError` or `LookupError` where it is no record of the table's.
    """
    if writer(record.headers) is None:
        raise ValueError("written by another than the table")
    gone = deleted_at(record.headers)
    if record.value is None:
        return State(gone=gone)
    more = orjson.loads(dict(record.headers).get(_KNOWN) or b"{}")
    stands, machine = word(record.value), more["machine"] if more else None
    holds = stands.spoke is not None and not stands.released
    return State(
        top=stands.rank,
        stands=stands.id,
        person=stands if holds else None,
        machine=stands if stands.spoke is None else _word(machine),
        released=_place(more["released"] if more else None),
        gone=gone,
    )


def _word(body: Any) -> Word | None:
    if body is None:
        return None
    if not isinstance(body, str):
        raise TypeError("no label")
    return word(body.encode())


def writer(given: Sequence[Header]) -> bytes | None:
    """Which process wrote a record with these headers."""
    return dict(given).get(STANDS)


def caused(given: Sequence[Header]) -> int | None:
    """Which offset of the labels topic a record with these headers follows from.

    None where they don't say: tables of before this header left it out.
    """
    told = dict(given).get(_CAUSE) or b""
    return int(told) if _OFFSET.fullmatch(told) else None


def _place(raw: Any) -> Place | None:
    if raw is None:
        return None
    partition, offset = raw
    return Place(None if partition is None else (partition[0], partition[1]), offset)
