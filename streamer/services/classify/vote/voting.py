"""Asks a task's workers as few times as the rule allows, and says what they decided."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import replace

import numpy as np

from streamer.decide.third_worker import asked_first, third_asked
from streamer.decide.thresholded_rule import ThresholdedRule
from streamer.decide.vote_result import Mask, OutagePolicy, Rows, VoteResult, WorkerVotes
from streamer.observe.batch_trace import BatchTrace
from streamer.services.classify.vote.asking import ask_worker, asked_about
from streamer.services.classify.vote.calibrated_rule import CalibratedRule
from streamer.workers.wire import TextTensor
from streamer.workers.worker import WorkerPort

OUTAGE_PAUSE = 0.5


class Voting:
    """Workers under one rule, or under several that differ in their thresholds alone.

    Some are asked together, the last only where `third_worker` says so. `nonvoting` have no say,
    and are asked about the uniform sample alone.
    """

    def __init__(
        self,
        workers: Sequence[WorkerPort],
        rules: Sequence[CalibratedRule],
        on_outage: OutagePolicy,
        nonvoting: Sequence[WorkerPort] = (),
    ) -> None:
        self._workers = tuple(workers)
        self._index = {worker.model: index for index, worker in enumerate(workers)}
        self._rules = tuple(rules)
        self._provenances = tuple(rule.provenance for rule in rules)
        heat = [[rule.temperatures.get(name, np.nan) for name in self._index] for rule in rules]
        self._thresholded = ThresholdedRule.of([rule.rule for rule in rules], np.array(heat))
        self._at_once = asked_first(self._thresholded.rule)
        self._on_outage = on_outage
        self._nonvoting = tuple(nonvoting)

    @property
    def workers(self) -> tuple[str, ...]:
        """Their names, in the order of the rule."""
        return tuple(self._index)

    async def run(
        self,
        texts: Sequence[bytes],
        batch_trace: BatchTrace,
        audited: Mask | None = None,
        rule_index: Rows | None = None,
    ) -> AsyncIterator[VoteResult]:
        """Vote results that together cover every text once; what the first decide comes first.

        `audited` marks the texts [N] about which every worker is asked, whatever the first say;
        who is asked for that alone has no say, or these tickets would be labelled unlike the rest.
        `rule_index` [N] says by which of the rules each is decided, by default the first.
        """
        if rule_index is None:
            rule_index = np.zeros(len(texts), np.int64)
        first, last = self._workers[: self._at_once], self._workers[self._at_once :]
        worker_votes = await self._ask(first, TextTensor(texts), batch_trace, rule_index)
        vote_result = self._vote_result(np.arange(len(texts)), rule_index, worker_votes)
        third = third_asked(self._thresholded.rule, [votes.predictions for votes in worker_votes])
        audited = np.zeros_like(third) if audited is None else audited
        unasked = (*last, *self._nonvoting)
        if not unasked or not (audited | third).any():
            yield vote_result
            return
        if (decided := ~third & ~audited).any():
            yield vote_result[np.flatnonzero(decided)]
        if (audit_alone := ~third & audited).any():
            part = vote_result[np.flatnonzero(audit_alone)]
            yield await self._ask_audited(unasked, texts, part, batch_trace)
        # Only where others must be asked about some: two calls are no better than one.
        for marks in (third & ~audited, third & audited) if self._nonvoting else (third,):
            if marks.any():
                part = vote_result[np.flatnonzero(marks)]
                yield await self._ask_third(texts, part, batch_trace, audited)

    async def _ask_third(
        self,
        texts: Sequence[bytes],
        first: VoteResult,
        batch_trace: BatchTrace,
        audited: Mask,
    ) -> VoteResult:
        """Decided by all workers."""
        tensor = asked_about(texts, first)
        worker_votes = await self._ask(
            self._workers, tensor, batch_trace, first.rule_index, first.worker_votes
        )
        vote_result = self._vote_result(first.rows, first.rule_index, worker_votes)
        if not self._nonvoting or not audited[first.rows].any():
            return vote_result
        return await self._ask_audited(self._nonvoting, texts, vote_result, batch_trace)

    async def _ask_audited(
        self,
        workers: Sequence[WorkerPort],
        texts: Sequence[bytes],
        vote_result: VoteResult,
        batch_trace: BatchTrace,
    ) -> VoteResult:
        """The same with these workers' audit votes; one that is out is not waited for."""
        tensor, rule_index = asked_about(texts, vote_result), vote_result.rule_index
        asked = (self._votes_of(worker, tensor, batch_trace, rule_index) for worker in workers)
        return replace(vote_result, audit_votes=tuple(await asyncio.gather(*asked)))

    def _vote_result(
        self, rows: Rows, rule_index: Rows, worker_votes: Sequence[WorkerVotes]
    ) -> VoteResult:
        return VoteResult(
            rows,
            tuple(worker_votes),
            self._thresholded.decide([votes.predictions for votes in worker_votes], rule_index),
            self._hopeless(worker_votes),
            self._provenances,
            rule_index,
            stale=any(
                self._rules[number].is_stale(worker_votes)
                for number in np.unique(rule_index).tolist()
            ),
        )

    def _hopeless(self, worker_votes: Iterable[WorkerVotes]) -> bool:
        out = {votes.worker for votes in worker_votes if votes.absent is not None}
        return not self._thresholded.rule.decidable([name not in out for name in self._index])

    async def _ask(
        self,
        workers: Sequence[WorkerPort],
        tensor: TextTensor,
        batch_trace: BatchTrace,
        rule_index: Rows,
        before: Sequence[WorkerVotes] = (),
    ) -> list[WorkerVotes]:
        """The votes of these workers; those in `before` were asked already.

        Where so many are out that no label can stand, the default is to wait for any of them:
        a batch of abstentions would drown the judge.
        """
        worker_votes = {votes.worker: votes for votes in before}
        while True:
            missing = [worker for worker in workers if worker.model not in worker_votes]
            asked = (self._votes_of(worker, tensor, batch_trace, rule_index) for worker in missing)
            worker_votes |= {votes.worker: votes for votes in await asyncio.gather(*asked)}
            if self._on_outage != "wait" or not self._hopeless(worker_votes.values()):
                return [worker_votes[worker.model] for worker in workers]
            worker_votes = {
                name: votes for name, votes in worker_votes.items() if votes.absent is None
            }
            await asyncio.sleep(OUTAGE_PAUSE)

    async def _votes_of(
        self, worker: WorkerPort, tensor: TextTensor, batch_trace: BatchTrace, rule_index: Rows
    ) -> WorkerVotes:
        votes = await ask_worker(worker, tensor, batch_trace)
        index = self._index.get(worker.model)
        if index is None:
            return votes
        return replace(votes, predictions=self._thresholded.tempered(index, votes.raw, rule_index))
