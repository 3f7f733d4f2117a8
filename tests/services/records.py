"""Input records as a broker would hand them out."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

import orjson


@dataclass(frozen=True)
class Rec:
    value: bytes | None
    key: bytes | None = None
    offset: int = 0
    partition: int = 0
    topic: str = "tickets"
    timestamp: int = 1_700_000_000_000
    headers: Sequence[tuple[str, bytes]] = ()


_offsets = count()


def ticket(text: str, **fields: object) -> Rec:
    """A record that holds a ticket with this text."""
    offset = next(_offsets)
    body = {"id": f"t{offset}", "text": text, **fields}
    return Rec(orjson.dumps(body), str(body["id"]).encode(), offset)


def broken(value: bytes | None, key: bytes | None = None) -> Rec:
    """A record that holds anything else."""
    return Rec(value, key, next(_offsets))
