"""Has every ticket decided on by the way of its segment."""

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
    """Who serves a segment, and by which of his terms."""

    served: Decider
    rule_index: int


class Routes:
    """One task's ways: those of some segments by their place, and `general` for all other tickets.

    `router` says which segment a ticket is of. Whoever serves several segments is asked for their
    tickets together, and all at the same time.
    """

    def __init__(self, router: SegmentRouter, general: Route, ways: Mapping[int, Route]) -> None:
        self.router = router
        self._general = general
        self._ways = dict(ways)
        self._served = list({id(w.served): w.served for w in (general, *ways.values())}.values())
        by_place = [self._way(place) for place in range(GENERAL, max(ways, default=GENERAL) + 1)]
        self._by_place = np.array([self._served.index(way.served) for way in by_place])
        self._rule_index = np.array([way.rule_index for way in by_place])

    def workers(self, place: int) -> tuple[str, ...]:
        """Those that serve a segment's tickets."""
        return self._way(place).served.workers

    async def run(
        self,
        texts: Sequence[bytes],
        places: Rows,
        batch_trace: BatchTrace,
        audited: Mask | None = None,
    ) -> AsyncIterator[VoteResult]:
        """Vote results that together cover every text [N] once; `places` [N] are their segments."""
        # The general way is the first of both, and serves places that have none.
        at = np.where(places < len(self._by_place) - 1, places, GENERAL) - GENERAL
        async for vote_result in merge(list(self._asked(texts, at, batch_trace, audited))):
            yield vote_result

    def _way(self, place: int) -> Route:
        return self._ways.get(place, self._general)

    def _asked(
        self, texts: Sequence[bytes], at: Rows, batch_trace: BatchTrace, audited: Mask | None
    ) -> Iterator[AsyncIterator[VoteResult]]:
        taken, rule_index = self._by_place[at], self._rule_index[at]
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
