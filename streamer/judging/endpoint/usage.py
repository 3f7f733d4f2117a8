"""The tokens that an endpoint charges."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any


class Usage:
    """Counts the tokens of all that is asked within `counted`, by whatever tasks it starts."""

    def __init__(self) -> None:
        self.tokens = 0


_current: ContextVar[Usage | None] = ContextVar("usage", default=None)


@contextmanager
def counted() -> Iterator[Usage]:
    """What is asked meanwhile counts in the usage that is yielded."""
    usage = Usage()
    before = _current.set(usage)
    try:
        yield usage
    finally:
        _current.reset(before)


def charge(said: Any) -> int:
    """Count what an answer says that it cost; returns it, 0 where it doesn't say."""
    told = said.get("usage") if isinstance(said, dict) else None
    total = told.get("total_tokens") if isinstance(told, dict) else None
    tokens = total if isinstance(total, int) and total > 0 else 0
    if (usage := _current.get()) is not None:
        usage.tokens += tokens
    return tokens
