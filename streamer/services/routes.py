"""Has every ticket decided on by the way of its segment."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from streamer.observe.batch_trace import BatchTrace
from streamer.records.segments import GENERAL
from streamer.services.counts import Count, Marks, Rows
from streamer.services.merge import merge
from streamer.services.segment_router import SegmentRouter


class Served(Protocol):
    """Decides on tickets, all of them alike, by `workers`."""

    @property
    def workers(self) -> tuple[str, ...]: ...

    def run(
        self, texts: Sequence[bytes], calls: BatchTrace, everybody: Marks | None = None
    ) -> AsyncIterator[Count]:
        """As `Voting.run`."""
        ...


class Routes:
    """One task's ways: those of some segments by their place, and `general` for all other tickets.

    `router` says which segment a ticket is of. Each way is asked for its tickets together, and all
    ways at the same time.
    """

    def __init__(self, router: SegmentRouter, general: Served, ways: Mapping[int, Served]) -> None:
        self.router = router
        self._general = general
        self._ways = dict(ways)

    def taken(self, places: Rows) -> Rows:
        """[N]: the places themselves where a segment has a way of its own, else -1."""
        own = [place if place in self._ways else GENERAL for place in places.tolist()]
        return np.array(own, np.int64)

    def workers(self, place: int) -> tuple[str, ...]:
        """Those that serve a segment's tickets."""
        return self._ways.get(place, self._general).workers

    async def run(
        self,
        texts: Sequence[bytes],
        places: Rows,
        calls: BatchTrace,
        everybody: Marks | None = None,
    ) -> AsyncIterator[Count]:
        """Counts that together cover every text [N] once; `places` [N] name their segments."""
        taken = self.taken(places)
        async for count in merge(list(self._asked(texts, taken, calls, everybody))):
            yield count

    def _asked(
        self, texts: Sequence[bytes], taken: Rows, calls: BatchTrace, everybody: Marks | None
    ) -> Iterator[AsyncIterator[Count]]:
        for place in np.unique(taken).tolist():
            rows = np.flatnonzero(taken == place)
            some = [texts[row] for row in rows.tolist()]
            drawn = None if everybody is None else everybody[rows]
            served = self._ways.get(place, self._general)
            yield _in_batch(served.run(some, calls, drawn), rows)


async def _in_batch(counts: AsyncIterator[Count], rows: Rows) -> AsyncIterator[Count]:
    """The same counts with their rows among the whole batch."""
    async for count in counts:
        yield replace(count, rows=rows[count.rows])
