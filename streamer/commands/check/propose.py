"""Where id and text probably are, by a look at some tickets."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from streamer.records.times import milliseconds

_DEEPEST = 3
_ID_NAMES = (
    "id",
    "ticket_id",
    "ticketid",
    "number",
    "ticket_number",
    "key",
    "uuid",
    "ticket",
    "ref",
)
_SUBJECT_NAMES = ("subject", "title", "summary", "headline")
_TEXT_NAMES = (
    "text",
    "body",
    "description",
    "message",
    "content",
    "comment",
    "question",
    "html_body",
)
_LONGEST_ID = 64
_SHORTEST_TEXT = 20
_ADDRESS = re.compile(r"[^@]*\S@\S+")


@dataclass(frozen=True, slots=True)
class Proposal:
    """JSON pointers to a ticket's id and its text, the subject first; None or empty: not found."""

    id: str | None = None
    text: tuple[str, ...] = ()


def propose(tickets: Sequence[Mapping[str, Any]]) -> Proposal:
    """By the names of the fields first, then by what is in them."""
    values = by_pointer(leaf for ticket in tickets for leaf in leaves(ticket))
    ids = [p for p, leaf_values in values.items() if _identifies(leaf_values, len(tickets))]
    best = min(ids, key=lambda p: (_rank(p, _ID_NAMES), p.count("/"), p), default=None)
    return Proposal(best, tuple(_texts({p: v for p, v in values.items() if p != best})))


def leaves(
    fields: Mapping[str, Any], prefix: str = "", depth: int = 1
) -> Iterator[tuple[str, Any]]:
    """Every value that is no object, with the pointer to it; of a list what its first has."""
    for name, value in fields.items():
        pointer = f"{prefix}/{str(name).replace('~', '~0').replace('/', '~1')}"
        if isinstance(value, list) and value and isinstance(value[0], Mapping | str):
            pointer, value = f"{pointer}/0", value[0]
        if isinstance(value, Mapping) and depth < _DEEPEST:
            yield from leaves(value, pointer, depth + 1)
        elif name and not isinstance(value, Mapping):
            yield pointer, value


def by_pointer(pairs: Iterable[tuple[str, Any]]) -> dict[str, list[Any]]:
    """What `leaves` gave of several tickets, together."""
    values: dict[str, list[Any]] = {}
    for pointer, value in pairs:
        values.setdefault(pointer, []).append(value)
    return values


def prose(values: Mapping[str, Sequence[Any]]) -> list[str]:
    """The pointers behind which there are words, the likeliest to be a ticket's text first."""
    lengths = {pointer: _length(texts) for pointer, texts in values.items()}
    # A ticket's own text before what others have answered to it.
    return sorted(
        filter(lengths.get, lengths),
        key=lambda p: (_rank(p, _TEXT_NAMES), "/0" in p, -lengths[p]),
    )


def _identifies(values: Sequence[Any], tickets: int) -> bool:
    """Each ticket has one, no two the same, and all are short words or numbers."""
    words = [value for value in values if isinstance(value, str | int) and value is not True]
    short = all(0 < len(str(word)) <= _LONGEST_ID and " " not in str(word) for word in words)
    return short and len(words) == tickets == len({str(word) for word in words})


def _texts(values: Mapping[str, Sequence[Any]]) -> Iterator[str]:
    likely = prose(values)
    subjects = [p for p in likely if _rank(p, _SUBJECT_NAMES) < len(_SUBJECT_NAMES)]
    subject = min(subjects, key=lambda p: (_rank(p, _SUBJECT_NAMES), p.count("/")), default=None)
    bodies = (
        p
        for p in likely
        if p != subject
        and (_length(values[p]) >= _SHORTEST_TEXT or _rank(p, _TEXT_NAMES) < len(_TEXT_NAMES))
    )
    yield from (pointer for pointer in (subject, next(bodies, None)) if pointer is not None)


def _length(values: Sequence[Any]) -> float:
    """The mean length of the texts; 0 where they are no prose."""
    texts = [value for value in values if isinstance(value, str)]
    if not any(map(_is_prose, texts)):
        return 0.0
    return sum(map(len, texts)) / len(texts)


def _is_prose(text: str) -> bool:
    """A time, or a name with its e-mail address, holds a space and says nothing."""
    return " " in text and milliseconds(text) is None and not _ADDRESS.fullmatch(text)


def _rank(pointer: str, names: Sequence[str]) -> int:
    name = pointer.rpartition("/")[2].lower()
    return names.index(name) if name in names else len(names)
