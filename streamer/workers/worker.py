"""A worker as the service sees it: it answers a batch, or it is out."""

import asyncio
import logging
import math
import random
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from streamer.errors import ModelError
from streamer.workers.breaker import Breaker, BreakerState
from streamer.workers.faults import Crash, Misfit, Nonsense, Outage, Refused, WorkerOut
from streamer.workers.handshake import handshake, meet
from streamer.workers.triton import TritonClient
from streamer.workers.wire import TextTensor

_log = logging.getLogger(__name__)

_RETRY_S = 0.05
_SUSPICIOUS = 5


@dataclass(frozen=True, slots=True)
class WorkerAnswer:
    """What a worker says of a batch: its version and raw probabilities [N, K], labels in order.

    A row that it can't answer is NaN. The version is "" where it refused every row.
    """

    version: str
    probs: npt.NDArray[np.float32]


class WorkerPort(Protocol):
    """Answers for the model of this name."""

    @property
    def model(self) -> str: ...

    async def answer(self, tensor: TextTensor, traceparent: str | None = None) -> WorkerAnswer:
        """As `Worker.answer`."""
        ...


class Worker:
    """One model on Triton, its breaker and its retries. Belongs to one event loop.

    `answer` waits through outages until the breaker has been open for `abstain_after_s`; each call
    has as many rows as Triton lets the model take at once, may take `deadline_s`, and at most
    `max_in_flight` are under way. `version` is the only one that is asked; with "" it is whichever
    is the model's current one. `on_event` is told of every "retry", "refused" row, "opened" and
    "closed" breaker, and "version" met.
    """

    def __init__(
        self,
        client: TritonClient,
        model: str,
        labels: Sequence[str],
        *,
        deadline_s: float = 5.0,
        abstain_after_s: float = 30.0,
        max_in_flight: int = 8,
        version: str = "",
        breaker: Breaker | None = None,
        on_event: Callable[[str], None] = lambda event: None,
    ) -> None:
        self.model = model
        self.labels = tuple(labels)
        self.breaker = breaker or Breaker()
        self._client = client
        self._version = version
        self._deadline_s = deadline_s
        self._abstain_after_s = abstain_after_s
        self._slots = asyncio.Semaphore(max_in_flight)
        self._on_event = on_event
        self._met: set[str] = set()
        self._most_rows = sys.maxsize
        self._meeting = asyncio.Lock()
        self._cause: ModelError | None = None
        self._recovery: asyncio.Task[None] | None = None

    @property
    def versions(self) -> frozenset[str]:
        """The versions that were met since the last outage."""
        return frozenset(self._met)

    async def start(self, *, patience_s: float = math.inf) -> str:
        """Shake hands and return the version; waits up to `patience_s` for Triton.

        Raises ConfigError for a model that can't be this worker, Outage when the patience is over.
        """
        met = await handshake(
            self._client, self.model, self.labels, patience_s=patience_s, version=self._version
        )
        self._met.add(met.version)
        self._most_rows = met.most_rows
        return met.version

    async def answer(self, tensor: TextTensor, traceparent: str | None = None) -> WorkerAnswer:
        """The worker's answer for every row, of one version. Raises WorkerOut."""
        if len(tensor) > self._most_rows:
            return await self._in_parts(tensor, traceparent)
        try:
            return await self._insist(tensor, traceparent)
        except Refused as refusal:
            if len(tensor) <= 1:
                return self._unusable(tensor, refusal)
        if len(tensor) > self._most_rows:
            return await self._in_parts(tensor, traceparent)
        half = len(tensor) // 2
        first = await self.answer(tensor[:half], traceparent)
        second = await self.answer(tensor[half:], traceparent)
        if first.version and second.version and first.version != second.version:
            return await self.answer(tensor, traceparent)
        return _joined([first, second])

    async def _in_parts(self, tensor: TextTensor, traceparent: str | None) -> WorkerAnswer:
        parts = tensor.parts(self._most_rows)
        answers = await asyncio.gather(*(self.answer(part, traceparent) for part in parts))
        while len(met := Counter(answer.version for answer in answers if answer.version)) > 1:
            # Two versions change places: those of the rarer are asked again, and all of them if
            # the other one doesn't answer any more.
            ((common, _),) = met.most_common(1)
            rare = [
                index for index, answer in enumerate(answers) if answer.version not in ("", common)
            ]
            again = await asyncio.gather(
                *(self.answer(parts[index], traceparent) for index in rare)
            )
            if common not in {answer.version for answer in again}:
                return await self._in_parts(tensor, traceparent)
            for index, answer in zip(rare, again, strict=True):
                answers[index] = answer
        return _joined(answers)

    async def back(self) -> None:
        """Return when the breaker is closed: for those who wait rather than do without."""
        if self._recovery is not None:
            await asyncio.shield(self._recovery)

    async def close(self) -> None:
        """Stop probing. The client stays open; it belongs to the caller."""
        if self._recovery is not None:
            self._recovery.cancel()
            with suppress(asyncio.CancelledError):
                await self._recovery

    async def _insist(self, tensor: TextTensor, traceparent: str | None) -> WorkerAnswer:
        crashes = 0
        while True:
            await self._wait_until_closed()
            try:
                return await self._ask(tensor, traceparent)
            except Outage as outage:
                self._cause = outage
                crashes += isinstance(outage, Crash)
            self._on_event("retry")
            self.breaker.failed()
            self._watch()
            if crashes >= _SUSPICIOUS and await self._is_well():
                raise Refused(self.model, str(self._cause))
            if self._recovery is None:
                await asyncio.sleep(_RETRY_S * (0.5 + random.random()))

    async def _is_well(self) -> bool:
        # A worker that answers the canary and fails on a batch again and again would hold up the
        # stream for ever: some ticket in there is more than it can bear.
        try:
            await self._meet_anew(self._version)
        except ModelError:
            return False
        return True

    async def _ask(self, tensor: TextTensor, traceparent: str | None) -> WorkerAnswer:
        try:
            async with self._slots:
                version, probs = await self._client.infer(
                    self.model, tensor, self._deadline_s, traceparent, self._version
                )
        except Refused as refusal:
            await self._check_refusal(refusal)
            raise
        if version not in self._met:
            await self._meet(version)
        if probs.shape != (len(tensor), len(self.labels)):
            raise Nonsense(self.model, f"answers {probs.shape} for {len(tensor)} rows")
        self.breaker.succeeded()
        return WorkerAnswer(version, probs)

    async def _check_refusal(self, refusal: Refused) -> None:
        # Who refuses the canary too refuses everything: that is no fault of a ticket, and looking
        # for the guilty row would make all of them unusable. Or it takes fewer rows than it did.
        try:
            self._most_rows = await self._client.most_rows(
                self.model, self._deadline_s, self._version
            )
            await self._client.labels(self.model, self._deadline_s, self._version)
        except Refused:
            raise self._tripped(refusal) from refusal

    async def _meet(self, version: str) -> None:
        async with self._meeting:
            if version in self._met:
                return
            try:
                await self._meet_anew(version)
            except Refused as refusal:
                raise self._tripped(refusal) from refusal
            except (Misfit, Nonsense):
                self.breaker.trip()
                raise
            self._met.add(version)
            self._on_event("version")

    def _tripped(self, refusal: Refused) -> Outage:
        self.breaker.trip()
        return Outage(self.model, f"refuses a request: {refusal.why}")

    async def _meet_anew(self, version: str) -> str:
        met = await meet(self._client, self.model, self.labels, self._deadline_s, version)
        self._most_rows = met.most_rows
        return met.version

    def _unusable(self, tensor: TextTensor, refusal: Refused) -> WorkerAnswer:
        _log.warning("%s", refusal)
        self._on_event("refused")
        return WorkerAnswer("", np.full((len(tensor), len(self.labels)), np.nan, np.float32))

    async def _wait_until_closed(self) -> None:
        if self._recovery is None:
            return
        left_s = max(0.0, self._abstain_after_s - self.breaker.open_s)
        timeout_s = None if math.isinf(left_s) else left_s
        done, _ = await asyncio.wait({self._recovery}, timeout=timeout_s)
        if not done:
            raise WorkerOut(self.model, self.breaker.open_s, self._cause)
        for recovery in done:
            recovery.result()

    def _watch(self) -> None:
        """See to it that an open breaker is probed, by one task for all who wait."""
        if self.breaker.state is not BreakerState.CLOSED and self._recovery is None:
            self._on_event("opened")
            _log.warning("%s", self._cause)
            self._recovery = asyncio.create_task(self._recover())

    async def _recover(self) -> None:
        while self.breaker.state is not BreakerState.CLOSED:
            await asyncio.sleep(self.breaker.pause_s)
            if self.breaker.begin_probe():
                await self._probe()
        self._recovery = None

    async def _probe(self) -> None:
        try:
            version = await self._meet_anew(self._version)
        except ModelError as error:
            self._cause = error
            self.breaker.probe_failed()
            return
        # Nobody knows what came back: every other version is met anew.
        self._met = {version}
        self.breaker.probe_succeeded()
        self._on_event("closed")
        _log.warning("worker %s is back, version %s", self.model, version)


def _joined(answers: Sequence[WorkerAnswer]) -> WorkerAnswer:
    version = next((answer.version for answer in answers if answer.version), "")
    return WorkerAnswer(version, np.concatenate([answer.probs for answer in answers]))
