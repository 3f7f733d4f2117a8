"""Asks a task's workers as few times as the rule allows, and says what they decided."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import replace

import numpy as np

from streamer.decide.thresholded_rule import ThresholdedRule
from streamer.decide.vote_result import Mask, OutagePolicy, Rows, VoteResult, WorkerVotes
from streamer.observe.batch_trace import BatchTrace
from streamer.services.classify.vote.asking import ask_worker, asked_about
from streamer.services.classify.vote.calibrated_rule import CalibratedRule
from streamer.workers.wire import TextTensor
from streamer.workers.worker import Voter

OUTAGE_PAUSE = 0.5


class Voting:
    """Workers under one rule, or under several that differ in their thresholds alone.

    The first two are asked together, the third only for tickets on which its vote can still make
    a quorum; a rule that needs all asks all at once. `nonvoting` have no say, and are asked for the
    uniform stratum alone.
    """

    def __init__(
        self,
        workers: Sequence[Voter],
        terms: Sequence[CalibratedRule],
        on_outage: OutagePolicy,
        nonvoting: Sequence[Voter] = (),
    ) -> None:
        self._workers = tuple(workers)
        self._places = {worker.model: place for place, worker in enumerate(workers)}
        self._terms = tuple(terms)
        self._provenances = tuple(each.provenance for each in terms)
        heat = [[each.temperatures.get(name, np.nan) for name in self._places] for each in terms]
        self._ruling = ThresholdedRule.of([each.rule for each in terms], np.array(heat))
        self._on_outage = on_outage
        self._others = tuple(nonvoting)

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
        worker_votes = await self._ask(self._workers[:asked], TextTensor(texts), batch_trace, which)
        count = self._count(np.arange(len(texts)), which, worker_votes, len(left))
        still_open = count.decision.open
        drawn = np.zeros_like(still_open) if audited is None else audited
        nonvoting = (*left, *self._others)
        if not nonvoting or not (drawn | still_open).any():
            yield count
            return
        if (settled := ~still_open & ~drawn).any():
            yield count[np.flatnonzero(settled)]
        if (beside := ~still_open & drawn).any():
            yield await self._ask_audited(
                nonvoting, texts, count[np.flatnonzero(beside)], batch_trace
            )
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
        worker_votes = await self._ask(
            self._workers, some, batch_trace, count.which, count.worker_votes
        )
        made = self._count(count.rows, count.which, worker_votes)
        if not self._others or not drawn[made.rows].any():
            return made
        return await self._ask_audited(self._others, texts, made, batch_trace)

    async def _ask_audited(
        self,
        workers: Sequence[Voter],
        texts: Sequence[bytes],
        count: VoteResult,
        batch_trace: BatchTrace,
    ) -> VoteResult:
        """The same with these workers' seats beside; one that is out is not waited for."""
        some = asked_about(texts, count)
        asked = (self._seat(worker, some, batch_trace, count.which) for worker in workers)
        return replace(count, audit_votes=tuple(await asyncio.gather(*asked)))

    def _count(
        self, rows: Rows, which: Rows, worker_votes: Sequence[WorkerVotes], left: int = 0
    ) -> VoteResult:
        return VoteResult(
            rows,
            tuple(worker_votes),
            self._ruling.decide([votes.predictions for votes in worker_votes], which, left),
            self._hopeless(worker_votes),
            self._provenances,
            which,
            stale=any(self._is_stale(at, worker_votes) for at in np.unique(which).tolist()),
        )

    def _is_stale(self, at: int, worker_votes: Sequence[WorkerVotes]) -> bool:
        return any(self._terms[at].is_stale(votes.worker, votes.version) for votes in worker_votes)

    def _hopeless(self, worker_votes: Iterable[WorkerVotes]) -> bool:
        out = {votes.worker for votes in worker_votes if votes.absent is not None}
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
        worker_votes = {votes.worker: votes for votes in known}
        while True:
            missing = [worker for worker in workers if worker.model not in worker_votes]
            asked = (self._seat(worker, tensor, batch_trace, which) for worker in missing)
            worker_votes |= {votes.worker: votes for votes in await asyncio.gather(*asked)}
            if self._on_outage != "wait" or not self._hopeless(worker_votes.values()):
                return [worker_votes[worker.model] for worker in workers]
            worker_votes = {
                name: votes for name, votes in worker_votes.items() if votes.absent is None
            }
            await asyncio.sleep(OUTAGE_PAUSE)

    async def _seat(
        self, worker: Voter, tensor: TextTensor, batch_trace: BatchTrace, which: Rows
    ) -> WorkerVotes:
        votes = await ask_worker(worker, tensor, batch_trace)
        place = self._places.get(worker.model)
        if place is None:
            return votes
        return replace(votes, predictions=self._ruling.tempered(place, votes.raw, which))
