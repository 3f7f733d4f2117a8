"""Asks a task's workers as few times as the rule allows, and says what they decided."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import replace

import numpy as np

from streamer.decide.thresholded_rule import ThresholdedRule
from streamer.decide.vote_result import Mask, OutagePolicy, Rows, VoteResult, WorkerVotes
from streamer.observe.batch_trace import BatchTrace
from streamer.services.classify.vote.asking import Seating, asked_about
from streamer.services.classify.vote.calibrated_rule import CalibratedRule
from streamer.workers.wire import TextTensor
from streamer.workers.worker import Voter

OUTAGE_PAUSE = 0.5


class Voting:
    """Workers under one rule, or under several that differ in their thresholds alone.

    The first two are asked together, the third only for tickets on which its vote can still make
    a quorum; a rule that needs all asks all at once. `others` have no say, and are asked for the
    uniform stratum alone.
    """

    def __init__(
        self,
        workers: Sequence[Voter],
        terms: Sequence[CalibratedRule],
        on_outage: OutagePolicy,
        seating: Seating,
        others: Sequence[Voter] = (),
    ) -> None:
        self._workers = tuple(workers)
        self._places = {worker.model: place for place, worker in enumerate(workers)}
        self._terms = tuple(terms)
        self._provenances = tuple(each.provenance for each in terms)
        heat = [[each.temperatures.get(name, np.nan) for name in self._places] for each in terms]
        self._ruling = ThresholdedRule.of([each.rule for each in terms], np.array(heat))
        self._on_outage = on_outage
        self._seating = seating
        self._others = tuple(others)

    @property
    def workers(self) -> tuple[str, ...]:
        """Their names, in the order of the rule."""
        return tuple(self._places)

    async def run(
        self,
        texts: Sequence[bytes],
        batch_trace: BatchTrace,
        audited: Mask | None = None,
        which: Rows | None = None,
    ) -> AsyncIterator[VoteResult]:
        """Counts that together cover every text once; decided ones come before the third vote.

        `audited` marks the texts [N] about which every worker is asked, whatever the first say;
        who is asked for that alone has no say, or these tickets would be labelled unlike the rest.
        `which` [N] says by which of the terms each is decided, by default the first.
        """
        if which is None:
            which = np.zeros(len(texts), np.int64)
        asked = len(self._workers) if self._ruling.rule.asks_all else 2
        left = self._workers[asked:]
        seats = await self._ask(self._workers[:asked], TextTensor(texts), batch_trace, which)
        count = self._count(np.arange(len(texts)), which, seats, len(left))
        still_open = count.decision.open
        drawn = np.zeros_like(still_open) if audited is None else audited
        silent = (*left, *self._others)
        if not silent or not (drawn | still_open).any():
            yield count
            return
        if (settled := ~still_open & ~drawn).any():
            yield count[np.flatnonzero(settled)]
        if (beside := ~still_open & drawn).any():
            yield await self._beside(silent, texts, count[np.flatnonzero(beside)], batch_trace)
        # Only where others must be asked about some: two calls are no better than one.
        apart = (still_open & ~drawn, still_open & drawn) if self._others else (still_open,)
        for some in apart:
            if some.any():
                yield await self._decided(texts, count[np.flatnonzero(some)], batch_trace, drawn)

    async def _decided(
        self, texts: Sequence[bytes], count: VoteResult, batch_trace: BatchTrace, drawn: Mask
    ) -> VoteResult:
        """Decided by all workers, those left included."""
        some = asked_about(texts, count)
        seats = await self._ask(self._workers, some, batch_trace, count.which, count.seats)
        made = self._count(count.rows, count.which, seats)
        if not self._others or not drawn[made.rows].any():
            return made
        return await self._beside(self._others, texts, made, batch_trace)

    async def _beside(
        self,
        workers: Sequence[Voter],
        texts: Sequence[bytes],
        count: VoteResult,
        batch_trace: BatchTrace,
    ) -> VoteResult:
        """The same with these workers' seats beside; one that is out is not waited for."""
        some = asked_about(texts, count)
        asked = (self._seat(worker, some, batch_trace, count.which) for worker in workers)
        return replace(count, beside=tuple(await asyncio.gather(*asked)))

    def _count(
        self, rows: Rows, which: Rows, seats: Sequence[WorkerVotes], left: int = 0
    ) -> VoteResult:
        return VoteResult(
            rows,
            tuple(seats),
            self._ruling.decide([seat.predictions for seat in seats], which, left),
            self._hopeless(seats),
            self._provenances,
            which,
            stale=any(self._is_stale(at, seats) for at in np.unique(which).tolist()),
        )

    def _is_stale(self, at: int, seats: Sequence[WorkerVotes]) -> bool:
        return any(self._terms[at].is_stale(seat.worker, seat.version) for seat in seats)

    def _hopeless(self, seats: Iterable[WorkerVotes]) -> bool:
        out = {seat.worker for seat in seats if seat.absent is not None}
        return not self._ruling.rule.decidable([name not in out for name in self._places])

    async def _ask(
        self,
        workers: Sequence[Voter],
        tensor: TextTensor,
        batch_trace: BatchTrace,
        which: Rows,
        known: Sequence[WorkerVotes] = (),
    ) -> list[WorkerVotes]:
        """Seats of these workers, those in `known` being taken already.

        Where so many are out that no label can stand, the default is to wait for any of them:
        a batch of abstentions would drown the judge.
        """
        seats = {seat.worker: seat for seat in known}
        while True:
            missing = [worker for worker in workers if worker.model not in seats]
            asked = (self._seat(worker, tensor, batch_trace, which) for worker in missing)
            seats |= {seat.worker: seat for seat in await asyncio.gather(*asked)}
            if self._on_outage != "wait" or not self._hopeless(seats.values()):
                return [seats[worker.model] for worker in workers]
            seats = {name: seat for name, seat in seats.items() if seat.absent is None}
            await asyncio.sleep(OUTAGE_PAUSE)

    async def _seat(
        self, worker: Voter, tensor: TextTensor, batch_trace: BatchTrace, which: Rows
    ) -> WorkerVotes:
        seat = await self._seating.seat(worker, tensor, batch_trace)
        place = self._places.get(worker.model)
        if place is None:
            return seat
        return replace(seat, predictions=self._ruling.tempered(place, seat.raw, which))
