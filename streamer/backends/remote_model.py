"""The worker of kind llm: a language model behind an endpoint, asked by the judge's own code."""

import asyncio
import os
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import numpy as np

from streamer.backends.features import Floats
from streamer.backends.remote import Remote
from streamer.errors import DEFECTS, ConfigError, ModelError, StreamerError, TicketError
from streamer.judging.endpoint.endpoint import Elsewhere
from streamer.judging.endpoint.endpoint_judge import EndpointJudge
from streamer.judging.judge import EngineDead
from streamer.judging.surroundings import Surroundings

# Seconds before an endpoint that was another is met again, doubled each time.
PAUSE_S = 1.0
_LONGEST_S = 60.0
_LOOK_S = 0.05
# What is asked again within this time was failed by a neighbour, or only asks whether we live.
_FRESH_S = 300.0
_MOST = 4096


class Away(ModelError):
    """No text gets an answer just now."""


@dataclass(frozen=True, slots=True)
class _Asked:
    answer: "asyncio.Task[Floats]"
    at: float


class RemoteModel:
    """Asks about all texts at once, and for each by itself. Belongs to one event loop.

    `keep_met` must run for it to answer. What was asked in the last minutes is not asked again,
    and goes on where nobody waits any more: who repeats a request finds what it has come to.
    """

    def __init__(self, remote: Remote, folder: Path) -> None:
        """`folder` is the version's, as `Remote.read` read it."""
        self._remote = remote
        self._folder = folder
        self._judge: EndpointJudge | None = None
        self._why = f"waits for its endpoint at {remote.url}"
        self._asked: OrderedDict[bytes, _Asked] = OrderedDict()

    async def keep_met(self) -> None:
        """Meet the endpoint, and again whenever it is another; until cancelled."""
        pause = PAUSE_S
        while True:
            try:
                self._judge = await self._met()
                pause = PAUSE_S
                while True:
                    await self._judge.healthy()
                    await asyncio.sleep(_LOOK_S)
            except (StreamerError, *DEFECTS) as error:
                self._why = str(error)
            finally:
                await self._part()
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_S)

    async def probabilities(self, texts: Sequence[str]) -> Floats:
        """[N, K], rows sum to 1; NaN where a text alone gets no answer. Raises `Away`."""
        judge = self._present()
        answers = [self._answer(judge, text) for text in texts]
        pending = {answer for answer in answers if not answer.done()}
        while pending:
            _, pending = await asyncio.wait(pending, timeout=_LOOK_S)
            self._present()
        try:
            rows = [answer.result() for answer in answers]
        except (StreamerError, asyncio.CancelledError) as error:
            raise Away(str(error) or self._why) from None
        return np.array(rows, np.float32).reshape(len(texts), len(self._remote.labels))

    def _present(self) -> EndpointJudge:
        if self._judge is None:
            raise Away(self._why)
        if self._judge.out:
            raise Away(f"its endpoint at {self._remote.url} is out of service")
        return self._judge

    async def _met(self) -> EndpointJudge:
        remote = self._remote
        key = None
        if remote.key_from is not None and not (key := os.environ.get(remote.key_from)):
            raise ConfigError(f"set {remote.key_from}, the endpoint's key, where Triton runs")
        address = remote.address(self._folder, key)
        judge = await EndpointJudge.met(address, remote.wanted(self._folder), Surroundings())
        found = remote.identity_of(address, judge)
        if found != remote.identity:
            await judge.stop()
            raise ConfigError(
                f"its endpoint is {found}, and version {remote.number} is {remote.identity}: run "
                "`streamer worker` to make a version of the new one"
            )
        return judge

    async def _part(self) -> None:
        judge, self._judge = self._judge, None
        asked, self._asked = self._asked, OrderedDict()
        for one in asked.values():
            one.answer.cancel()
        if judge is not None:
            await judge.stop()

    @property
    def _label_set(self) -> str:
        return self._remote.label_set.version

    def _answer(self, judge: EndpointJudge, text: str) -> "asyncio.Task[Floats]":
        key, now = blake2b(text.encode("utf-8", "replace")).digest(), time.monotonic()
        known = self._asked.get(key)
        if known is not None and not (known.answer.done() and now - known.at > _FRESH_S):
            return known.answer
        self._make_room()
        answer = asyncio.create_task(self._ask(judge, text))
        self._asked[key] = _Asked(answer, now)
        self._asked.move_to_end(key)
        return answer

    def _make_room(self) -> None:
        while len(self._asked) >= _MOST:
            oldest = next(iter(self._asked))
            if not self._asked[oldest].answer.done():
                raise Away(f"{_MOST} texts wait for its endpoint at {self._remote.url}")
            del self._asked[oldest]

    async def _ask(self, judge: EndpointJudge, text: str) -> Floats:
        try:
            scores = await judge.score(self._remote.task, self._label_set, [text])
        except Elsewhere:
            raise
        except (TicketError, EngineDead, *DEFECTS):
            # It alone gets no answer, or each time takes the endpoint with it.
            return np.full(len(self._remote.labels), np.nan, np.float32)
        row: Floats = scores.probabilities[0]
        return row
