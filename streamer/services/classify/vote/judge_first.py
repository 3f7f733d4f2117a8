"""The way of tickets that no worker serves: the judge is asked at once."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import numpy as np

from streamer.decide.decision import Decision
from streamer.decide.vote_result import Mask, Provenance, Rows, VoteResult
from streamer.observe.batch_trace import BatchTrace
from streamer.services.classify.vote.asking import ask_worker, asked_about
from streamer.workers.worker import WorkerPort


class JudgeFirst:
    """Like a vote in which nobody has a say; the `others` are asked about the uniform sample."""

    def __init__(self, provenances: Sequence[Provenance], others: Sequence[WorkerPort]) -> None:
        self._provenances = tuple(provenances)
        self._others = tuple(others)

    @property
    def workers(self) -> tuple[str, ...]:
        """None has a say."""
        return ()

    async def run(
        self,
        texts: Sequence[bytes],
        batch_trace: BatchTrace,
        audited: Mask | None = None,
        rule_index: Rows | None = None,
    ) -> AsyncIterator[VoteResult]:
        """Vote results without a label, those of the marked texts [N] with the others' audit votes.

        `rule_index` [N] says which of the provenances each has, by default the first.
        """
        size = len(texts)
        audited = np.zeros(size, np.bool_) if audited is None else audited
        vote_result = self._nothing(np.zeros(size, np.int64) if rule_index is None else rule_index)
        if not audited.all():
            yield vote_result[np.flatnonzero(~audited)]
        if audited.any():
            part = vote_result[np.flatnonzero(audited)]
            tensor = asked_about(texts, part)
            asked = (ask_worker(worker, tensor, batch_trace) for worker in self._others)
            yield replace(part, audit_votes=tuple(await asyncio.gather(*asked)))

    def _nothing(self, rule_index: Rows) -> VoteResult:
        rows = np.arange(len(rule_index))
        nothing = Decision.none(len(rows))
        return VoteResult(rows, (), nothing, False, self._provenances, rule_index)
