"""The way of tickets that no worker serves: the judge is asked at once."""

from collections.abc import AsyncIterator, Sequence

import numpy as np

from streamer.decide.decision import Decision
from streamer.decide.opinion import ABSTAINED
from streamer.observe.batch_trace import BatchTrace
from streamer.services.counts import Count, Marks
from streamer.services.provenance import Provenance
from streamer.services.seating import Seating
from streamer.workers.voter import Voter


class JudgeFirst:
    """Like a vote in which nobody has a say; the `others` are asked for the uniform stratum."""

    def __init__(self, seating: Seating, provenance: Provenance, others: Sequence[Voter]) -> None:
        self._seating = seating
        self._provenance = provenance
        self._others = tuple(others)

    @property
    def workers(self) -> tuple[str, ...]:
        """None has a say."""
        return ()

    async def run(
        self, texts: Sequence[bytes], calls: BatchTrace, everybody: Marks | None = None
    ) -> AsyncIterator[Count]:
        """Counts without a label, those of the marked texts [N] with the others' seats beside."""
        size = len(texts)
        nothing = Decision(
            np.full(size, ABSTAINED), np.full(size, np.nan), np.zeros(size, np.bool_)
        )
        count = Count(np.arange(size), (), nothing, False, self._provenance)
        drawn = np.zeros(size, np.bool_) if everybody is None else everybody
        if not drawn.all():
            yield count[np.flatnonzero(~drawn)]
        if drawn.any():
            yield await self._seating.beside(
                self._others, texts, count[np.flatnonzero(drawn)], calls
            )
