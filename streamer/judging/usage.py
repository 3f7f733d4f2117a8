"""The tokens that a judge's answers take."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from streamer.judging.model_call import ModelCall


@dataclass(slots=True)
class Usage:
    """Counts the tokens of all that is asked within `counted`, by whatever tasks it starts.

    `prompts` are those of prompts, `cached` the ones among them that a prefix cache held, as far
    as that is told, and `answers` those of answers. A server may charge others: `charged`.
    `call` is the last of a language model, `began_ns` when the first was, since the epoch.
    """

    prompts: int = 0
    cached: int = 0
    answers: int = 0
    charged: int = 0
    call: ModelCall | None = None
    began_ns: int = field(default_factory=time.time_ns, compare=False)

    @property
    def computed(self) -> int:
        """Tokens of prompts that no cache held."""
        return self.prompts - self.cached

    def add(self, other: "Usage") -> None:
        """Count what another counted, too."""
        self.prompts += other.prompts
        self.cached += other.cached
        self.answers += other.answers
        self.charged += other.charged
        self.call = other.call or self.call


_current: ContextVar[tuple[Usage, ...]] = ContextVar("usage", default=())


@contextmanager
def counted() -> Iterator[Usage]:
    """What is asked meanwhile counts in the usage that is yielded, and in those around it."""
    usage, around = Usage(), _current.get()
    _current.set((*around, usage))
    try:
        yield usage
    finally:
        _current.set(around)


def took(prompts: int, cached: int, answers: int = 0, call: ModelCall | None = None) -> None:
    """Count an answer of an engine in this process."""
    _count(Usage(prompts, cached, answers, call=call))


def charge(said: Any, call: ModelCall | None = None) -> int:
    """Count what a server says that its answer took; returns what it charges, 0 where it doesn't
    say.
    """
    told = _part(said, "usage")
    prompts = _tokens(told, "prompt_tokens")
    cached = _tokens(_part(told, "prompt_tokens_details"), "cached_tokens")
    usage = Usage(
        prompts,
        min(cached, prompts),
        _tokens(told, "completion_tokens"),
        _tokens(told, "total_tokens"),
        call,
    )
    _count(usage)
    return usage.charged


def _count(usage: Usage) -> None:
    for around in _current.get():
        around.add(usage)


def _part(told: Any, name: str) -> Any:
    return told.get(name) if isinstance(told, dict) else None


def _tokens(told: Any, name: str) -> int:
    found = _part(told, name)
    return found if isinstance(found, int) and found > 0 else 0
