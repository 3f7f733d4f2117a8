"""Answers that every open page asks for, and that are costly to make."""

import time
from collections.abc import Callable, Hashable

MOST = 64


class TtlCache:
    """Keeps up to `MOST` answers for as long as each is good."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._answers: dict[Hashable, tuple[float, bytes]] = {}

    def get(self, key: Hashable, good_s: float, make: Callable[[], bytes]) -> bytes:
        """The answer, made at most every `good_s` seconds."""
        now = self._clock()
        until, answer = self._answers.get(key, (0.0, b""))
        if now < until:
            return answer
        answer = make()
        self._answers.pop(key, None)
        if len(self._answers) >= MOST:
            del self._answers[next(iter(self._answers))]
        self._answers[key] = (now + good_s, answer)
        return answer
