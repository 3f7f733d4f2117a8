"""Asks a task's workers as few times as the rule allows, and says what they decided."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from streamer.decide.before_judge import BeforeJudge
from streamer.decide.decision import Decision
from streamer.decide.opinion import ABSTAINED, Opinion
from streamer.decide.temperature import tempered
from streamer.observe.batch_trace import BatchTrace
from streamer.observe.metrics import Metrics
from streamer.workers.faults import WorkerOut
from streamer.workers.wire import TextTensor
from streamer.workers.worker import Worker

Outage = Literal["wait", "judge", "fallback"]
Rows = NDArray[np.int64]
Marks = NDArray[np.bool_]

OUTAGE_PAUSE = 0.5


@dataclass(frozen=True, slots=True)
class Seat:
    """One worker's place at the vote: what it answered, or why it did not.

    `raw` is its answer before the temperature, rounded as it was decided on.
    """

    worker: str
    version: str | None
    opinion: Opinion
    raw: Opinion
    absent: str | None = None

    def __getitem__(self, rows: Rows) -> "Seat":
        return Seat(self.worker, self.version, self.opinion[rows], self.raw[rows], self.absent)


@dataclass(frozen=True, slots=True)
class Count:
    """The outcome for some of the tickets asked about.

    `rows` [n] are their places among those; `seats` and `decision` are about these rows, in this
    order. `outage` says that too many workers were out for any label to stand. `beside` are the
    seats of workers that were asked for the uniform stratum only, and had no say.
    """

    rows: Rows
    seats: tuple[Seat, ...]
    decision: Decision
    outage: bool
    beside: tuple[Seat, ...] = ()

    def __getitem__(self, places: Rows) -> "Count":
        """Some of these tickets, by their places in here."""
        seats = tuple(seat[places] for seat in self.seats)
        beside = tuple(seat[places] for seat in self.beside)
        return Count(self.rows[places], seats, self.decision[places], self.outage, beside)


class Voting:
    """One task's workers under one rule.

    The first two are asked together, the third only for tickets on which its vote can still make
    a quorum; a rule that needs all asks all at once. `described` is the rule as labels carry it;
    `temperatures` are the workers' by name, where they were calibrated.
    """

    def __init__(
        self,
        workers: Sequence[Worker],
        rule: BeforeJudge,
        on_outage: Outage,
        metrics: Metrics,
        temperatures: Mapping[str, float] | None = None,
    ) -> None:
        self._workers = tuple(workers)
        self._temperatures = temperatures or {}
        self._metrics = metrics
        self.rule = rule
        self.on_outage = on_outage
        self.described = rule.described([worker.model for worker in self._workers])

    async def run(
        self, texts: Sequence[bytes], calls: BatchTrace, everybody: Marks | None = None
    ) -> AsyncIterator[Count]:
        """Counts that together cover every text once; decided ones come before the third vote.

        `everybody` marks the texts [N] about which every worker is asked, whatever the first say;
        who is asked for that alone has no say, or these tickets would be labelled unlike the rest.
        """
        asked = len(self._workers) if self.rule.asks_all else 2
        left = self._workers[asked:]
        seats = await self._ask(self._workers[:asked], TextTensor(texts), calls)
        decision = self.rule.decide([seat.opinion for seat in seats], len(left))
        count = self._count(np.arange(len(texts)), seats, decision)
        if not left or (everybody is None and not np.count_nonzero(decision.open)):
            yield count
            return
        beside = np.zeros_like(decision.open) if everybody is None else everybody & ~decision.open
        if (settled := ~decision.open & ~beside).any():
            yield count[np.flatnonzero(settled)]
        if beside.any():
            yield await self._with(left, texts, count[np.flatnonzero(beside)], calls)
        if decision.open.any():
            yield await self._decided(texts, count[np.flatnonzero(decision.open)], calls)

    async def _with(
        self, left: Sequence[Worker], texts: Sequence[bytes], count: Count, calls: BatchTrace
    ) -> Count:
        """The same with seats beside; a worker that is out is not waited for."""
        some = TextTensor([texts[row] for row in count.rows.tolist()])
        seats = await asyncio.gather(*(self._seat(worker, some, calls) for worker in left))
        return replace(count, beside=tuple(seats))

    async def _decided(self, texts: Sequence[bytes], count: Count, calls: BatchTrace) -> Count:
        """Decided by all workers, those left included."""
        some = TextTensor([texts[row] for row in count.rows.tolist()])
        seats = await self._ask(self._workers, some, calls, count.seats)
        return self._count(count.rows, seats, self.rule.decide([seat.opinion for seat in seats]))

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
            nothing = Opinion.none(len(tensor))
            return Seat(name, None, nothing, nothing, "outage")
        self._metrics.called(name, len(tensor), time.monotonic() - began)
        raw = tempered(Opinion.of(answer.probs), 1)
        if unusable := int(np.count_nonzero(raw.codes == ABSTAINED)):
            self._metrics.abstained(name, "unusable", unusable)
        temperature = self._temperatures.get(name)
        opinion = raw if temperature is None else tempered(raw, temperature)
        return Seat(name, answer.version, opinion, raw)
