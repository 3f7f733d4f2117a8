"""Has every ticket decided on by the route of its segment."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from streamer.decide.vote_result import Mask, Rows, VoteResult
from streamer.observe.batch_trace import BatchTrace
from streamer.records.segments import GENERAL
from streamer.services.classify.route.segment_router import SegmentRouter
from streamer.services.runtime.concurrency import merge


class Decider(Protocol):
    """Decides on tickets, all of them by the same `workers`."""

    @property
    def workers(self) -> tuple[str, ...]: ...

    def run(
        self,
        texts: Sequence[bytes],
        batch_trace: BatchTrace,
        audited: Mask | None = None,
        rule_index: Rows | None = None,
    ) -> AsyncIterator[VoteResult]:
        """As `Voting.run`."""
        ...


@dataclass(frozen=True, slots=True)
class Route:
    """Who serves a segment, and by which of its rules."""

    served: Decider
    rule_index: int


class Routes:
    """One task's routes: those of some segments by segment id, and `general` for all other tickets.

    `router` says which segment a ticket is of. Whoever serves several segments is asked for their
    tickets together, and all at the same time.
    """

    def __init__(self, router: SegmentRouter, general: Route, routes: Mapping[int, Route]) -> None:
        self.router = router
        self._general = general
        self._by_segment = dict(routes)
        self._served = list(
            {id(route.served): route.served for route in (general, *routes.values())}.values()
        )
        by_segment = [
            self._route(segment_id)
            for segment_id in range(GENERAL, max(routes, default=GENERAL) + 1)
        ]
        self._decider_index = np.array([self._served.index(route.served) for route in by_segment])
        self._rule_index = np.array([route.rule_index for route in by_segment])

    def workers(self, segment_id: int) -> tuple[str, ...]:
        """Those that serve a segment's tickets."""
        return self._route(segment_id).served.workers

    async def run(
        self,
        texts: Sequence[bytes],
        segment_ids: Rows,
        batch_trace: BatchTrace,
        audited: Mask | None = None,
    ) -> AsyncIterator[VoteResult]:
        """Vote results that together cover every text [N] once, by their `segment_ids` [N]."""
        # The general route is the first of both, and serves segments that have none.
        index = np.where(segment_ids < len(self._decider_index) - 1, segment_ids, GENERAL) - GENERAL
        async for vote_result in merge(list(self._asked(texts, index, batch_trace, audited))):
            yield vote_result

    def _route(self, segment_id: int) -> Route:
        return self._by_segment.get(segment_id, self._general)

    def _asked(
        self, texts: Sequence[bytes], index: Rows, batch_trace: BatchTrace, audited: Mask | None
    ) -> Iterator[AsyncIterator[VoteResult]]:
        taken, rule_index = self._decider_index[index], self._rule_index[index]
        for number in np.unique(taken).tolist():
            rows = np.flatnonzero(taken == number)
            own = [texts[row] for row in rows.tolist()]
            marks = None if audited is None else audited[rows]
            vote_results = self._served[number].run(own, batch_trace, marks, rule_index[rows])
            yield _in_batch(vote_results, rows)


async def _in_batch(
    vote_results: AsyncIterator[VoteResult], rows: Rows
) -> AsyncIterator[VoteResult]:
    """The same with their rows among the whole batch."""
    async for vote_result in vote_results:
        yield replace(vote_result, rows=rows[vote_result.rows])
