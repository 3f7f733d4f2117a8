"""Where id and text probably are, by a look at some tickets."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

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


@dataclass(frozen=True, slots=True)
class Proposal:
    """JSON pointers to a ticket's id and its text, the subject first; None or empty: not found."""

    id: str | None = None
    text: tuple[str, ...] = ()


def propose(tickets: Sequence[Mapping[str, Any]]) -> Proposal:
    """By the names of the fields first, then by what is in them."""
    values: dict[str, list[Any]] = {}
    for ticket in tickets:
        for pointer, value in leaves(ticket):
            values.setdefault(pointer, []).append(value)
    ids = [p for p, found in values.items() if _identifies(found, len(tickets))]
    best = min(ids, key=lambda p: (_rank(p, _ID_NAMES), p.count("/"), p), default=None)
    return Proposal(best, tuple(_texts({p: v for p, v in values.items() if p != best})))


def leaves(fields: Mapping[str, Any], at: str = "", depth: int = 1) -> Iterator[tuple[str, Any]]:
    """Every value that is no object, with the pointer to it; of a list what its first has."""
    for name, value in fields.items():
        pointer = f"{at}/{str(name).replace('~', '~0').replace('/', '~1')}"
        if isinstance(value, list) and value and isinstance(value[0], Mapping | str):
            pointer, value = f"{pointer}/0", value[0]
        if isinstance(value, Mapping) and depth < _DEEPEST:
            yield from leaves(value, pointer, depth + 1)
        elif name and not isinstance(value, Mapping):
            yield pointer, value


def _identifies(values: Sequence[Any], tickets: int) -> bool:
    """Each ticket has one, no two the same, and all are short words or numbers."""
    words = [value for value in values if isinstance(value, str | int) and value is not True]
    short = all(0 < len(str(word)) <= _LONGEST_ID and " " not in str(word) for word in words)
    return short and len(words) == tickets == len({str(word) for word in words})


def _texts(values: Mapping[str, Sequence[Any]]) -> Iterator[str]:
    lengths = {pointer: _length(found) for pointer, found in values.items()}
    subjects = [p for p in lengths if lengths[p] and _rank(p, _SUBJECT_NAMES) < len(_SUBJECT_NAMES)]
    subject = min(subjects, key=lambda p: (_rank(p, _SUBJECT_NAMES), p.count("/")), default=None)
    bodies = [
        p
        for p, length in lengths.items()
        if p != subject
        and length
        and (length >= _SHORTEST_TEXT or _rank(p, _TEXT_NAMES) < len(_TEXT_NAMES))
    ]
    # A ticket's own text before what others have answered to it.
    best = min(bodies, key=lambda p: (_rank(p, _TEXT_NAMES), "/0" in p, -lengths[p]), default=None)
    yield from (pointer for pointer in (subject, best) if pointer is not None)


def _length(values: Sequence[Any]) -> float:
    """The mean length of the texts; 0 where they are no prose."""
    texts = [value for value in values if isinstance(value, str)]
    if not any(" " in text for text in texts):
        return 0.0
    return sum(map(len, texts)) / len(texts)


def _rank(pointer: str, names: Sequence[str]) -> int:
    name = pointer.rpartition("/")[2].lower()
    return names.index(name) if name in names else len(names)
