"""Asks a task's workers as few times as the rule allows, and says what they decided."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from streamer.decide.before_judge import BeforeJudge
from streamer.decide.decision import Decision
from streamer.decide.opinion import ABSTAINED, Opinion
from streamer.observe.batch_trace import BatchTrace
from streamer.observe.metrics import Metrics
from streamer.workers.faults import WorkerOut
from streamer.workers.wire import TextTensor
from streamer.workers.worker import Worker

Outage = Literal["wait", "judge", "fallback"]
Rows = NDArray[np.int64]

OUTAGE_PAUSE = 0.5


@dataclass(frozen=True, slots=True)
class Seat:
    """One worker's place at the vote: what it answered, or why it did not."""

    worker: str
    version: str | None
    opinion: Opinion
    absent: str | None = None

    def __getitem__(self, rows: Rows) -> "Seat":
        return Seat(self.worker, self.version, self.opinion[rows], self.absent)


@dataclass(frozen=True, slots=True)
class Count:
    """The outcome for some of the tickets asked about.

    `rows` [n] are their places among those; `seats` and `decision` are about these rows, in this
    order. `outage` says that too many workers were out for any label to stand.
    """

    rows: Rows
    seats: tuple[Seat, ...]
    decision: Decision
    outage: bool

    def __getitem__(self, places: Rows) -> "Count":
        """Some of these tickets, by their places in here."""
        seats = tuple(seat[places] for seat in self.seats)
        return Count(self.rows[places], seats, _only(self.decision, places), self.outage)


class Voting:
    """One task's workers under one rule.

    The first two are asked together, the third only for tickets on which its vote can still make
    a quorum; a rule that needs all asks all at once. `described` is the rule as labels carry it.
    """

    def __init__(
        self, workers: Sequence[Worker], rule: BeforeJudge, on_outage: Outage, metrics: Metrics
    ) -> None:
        self._workers = tuple(workers)
        self._metrics = metrics
        self.rule = rule
        self.on_outage = on_outage
        self.described = rule.described([worker.model for worker in self._workers])

    async def run(self, texts: Sequence[bytes], calls: BatchTrace) -> AsyncIterator[Count]:
        """Counts that together cover every text once; decided ones come before the third vote."""
        asked = len(self._workers) if self.rule.asks_all else 2
        rows = np.arange(len(texts))
        seats = await self._ask(self._workers[:asked], TextTensor(texts), calls)
        left = self._workers[asked:]
        decision = self.rule.decide([seat.opinion for seat in seats], len(left))
        if not decision.open.any():
            yield self._count(rows, seats, decision)
            return
        closed = np.flatnonzero(~decision.open)
        if len(closed):
            yield self._count(closed, [seat[closed] for seat in seats], _only(decision, closed))
        still = np.flatnonzero(decision.open)
        some = TextTensor([texts[row] for row in still.tolist()])
        known = [seat[still] for seat in seats]
        more = await self._ask(self._workers, some, calls, known)
        yield self._count(still, more, self.rule.decide([seat.opinion for seat in more]))

    def _count(self, rows: Rows, seats: Sequence[Seat], decision: Decision) -> Count:
        return Count(rows, tuple(seats), decision, self._hopeless(seats))

    def _hopeless(self, seats: Iterable[Seat]) -> bool:
        out = {seat.worker for seat in seats if seat.absent is not None}
        return not self.rule.decidable([worker.model not in out for worker in self._workers])

    async def _ask(
        self,
        workers: Sequence[Worker],
        tensor: TextTensor,
        calls: BatchTrace,
        known: Sequence[Seat] = (),
    ) -> list[Seat]:
        """Seats of these workers, those in `known` being taken already.

        Where so many are out that no label can stand, the default is to wait for any of them:
        a batch of abstentions would drown the judge.
        """
        seats = {seat.worker: seat for seat in known}
        while True:
            missing = [worker for worker in workers if worker.model not in seats]
            asked = (self._seat(worker, tensor, calls) for worker in missing)
            seats |= {seat.worker: seat for seat in await asyncio.gather(*asked)}
            if self.on_outage != "wait" or not self._hopeless(seats.values()):
                return [seats[worker.model] for worker in workers]
            seats = {name: seat for name, seat in seats.items() if seat.absent is None}
            await asyncio.sleep(OUTAGE_PAUSE)

    async def _seat(self, worker: Worker, tensor: TextTensor, calls: BatchTrace) -> Seat:
        name, began = worker.model, time.monotonic()
        try:
            with calls.worker_call(name, len(tensor)) as call:
                answer = await worker.answer(tensor, call.traceparent)
                call.answered(answer.version)
        except WorkerOut:
            self._metrics.abstained(name, "outage", len(tensor))
            return Seat(name, None, Opinion.none(len(tensor)), "outage")
        self._metrics.called(name, len(tensor), time.monotonic() - began)
        opinion = Opinion.of(answer.probs)
        if unusable := int((opinion.codes == ABSTAINED).sum()):
            self._metrics.abstained(name, "unusable", unusable)
        return Seat(name, answer.version, opinion)


def _only(decision: Decision, rows: Rows) -> Decision:
    return Decision(decision.codes[rows], decision.confidence[rows], decision.open[rows])
