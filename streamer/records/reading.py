"""How a record of a newer release is read: what this one doesn't know is left out."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import cache
from typing import Any, TypeVar

T = TypeVar("T")


def made(kind: Callable[..., T], raw: Mapping[str, Any]) -> T:
    """The dataclass `kind` from a decoded JSON object, without the fields it doesn't know.

    Raises `TypeError` where a field is missing or `raw` is no object.
    """
    try:
        return kind(**raw)
    except TypeError:
        # Only now, because to look at every field takes as long as to make the record.
        if not isinstance(raw, Mapping):
            raise
        return kind(**{name: raw[name] for name in raw.keys() & _known(kind)})


@cache
def _known(kind: Any) -> frozenset[str]:
    return frozenset(field.name for field in fields(kind) if field.init)
