"""The headers by which a deletion on the labels topic says how far it reaches."""

import re
from collections.abc import Sequence

from streamer.records.label import DELETED_AT, DELETED_IN
from streamer.records.rank import Place

Header = tuple[str, bytes]

_OFFSET = re.compile(rb"[0-9]{1,19}")


def deleted_at(headers: Sequence[Header]) -> Place | None:
    """Where a deletion lay in the input; None where its headers don't say."""
    by_name = dict(headers)
    offset = by_name.get(DELETED_AT) or b""
    if not _OFFSET.fullmatch(offset):
        return None
    topic, _, number = (by_name.get(DELETED_IN) or b"").decode("utf-8", "replace").rpartition("/")
    return Place((topic, int(number)) if topic and number.isdecimal() else None, int(offset))


def deletion_headers(place: Place | None) -> list[Header]:
    """The headers by which `deleted_at` finds the place."""
    if place is None:
        return []
    offset = [(DELETED_AT, str(place.offset).encode())]
    if place.partition is None:
        return offset
    topic, number = place.partition
    return [*offset, (DELETED_IN, f"{topic}/{number}".encode())]
