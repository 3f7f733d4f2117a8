"""Puts questions to an endpoint of which nobody knows yet what it takes."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from streamer.errors import DEFECTS, ConfigError
from streamer.judging.endpoint.endpoint import Endpoint
from streamer.judging.endpoint.faults import Busy, Failed, Refused
from streamer.judging.endpoint.question import Question

T = TypeVar("T")

log = logging.getLogger(__name__)

_AGAIN_AFTER = 1.0
_TELL_EVERY = 30.0
# Some servers fall over what they don't know instead of refusing it.
_FELL = 5


class Trying:
    """Waits for an endpoint that does not answer, `patience` seconds at most where it is given.

    `refused` collects why ways can't be gone.
    """

    def __init__(self, endpoint: Endpoint, patience: float | None = None) -> None:
        self.endpoint = endpoint
        self.refused: list[str] = []
        self._patience = patience

    async def answered(self, ask: Callable[[], Awaitable[T]]) -> T:
        """What comes back once the endpoint is in service.

        Raises `Refused`, also where it falls over it, and `ConfigError` at the end of patience.
        """
        began, told, fell = time.monotonic(), 0.0, 0
        where = self.endpoint.address.host
        while True:
            try:
                return await ask()
            except (Busy, Failed) as trouble:
                now, error = time.monotonic(), trouble
            if isinstance(error, Failed) and error.kind in ("error", "late", "unusable"):
                fell += 1
                if fell >= _FELL:
                    raise Refused(500, str(error))
            if self._patience is not None and now - began > self._patience:
                raise ConfigError(
                    f"the endpoint {where} gives no answer ({error}): start it, or correct "
                    "judge.endpoint.url"
                )
            if now - told > _TELL_EVERY:
                log.info("waiting for the endpoint %s: %s", where, error)
                told = now
            pause = error.seconds if isinstance(error, Busy) else None
            await asyncio.sleep(_AGAIN_AFTER if pause is None else pause)

    async def tried(self, way: str, question: Question[Any]) -> Any:
        """The JSON of an answer that `question` can read; None where there is none."""
        raw: Question[Any] = Question(
            question.url, question.body, lambda said: said, question.headers
        )
        try:
            said = await self.answered(lambda: self.endpoint.once(raw))
            question.read(said)
        except Refused as refused:
            self.no(way, f"{refused} {' '.join(refused.said.split())[:200]}")
        except DEFECTS:
            self.no(way, "the answer lacks what was asked for")
        else:
            return said
        return None

    def no(self, way: str, why: str) -> None:
        """Note why a way can't be gone."""
        if (told := f"{way}: {why}") not in self.refused:
            self.refused.append(told)
