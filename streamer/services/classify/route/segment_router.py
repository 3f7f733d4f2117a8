"""Names the segments of a batch's tickets, once for all tasks that are routed by them."""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from streamer.backends.gate import Gate, Named
from streamer.decide.vote_result import Rows
from streamer.errors import DEFECTS
from streamer.records.label import Segmented
from streamer.records.segments import GENERAL
from streamer.services.classify.arrival import Arrival

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Names:
    """What a router made of a batch that it began with at `began_ns`, in `seconds`; `failed` says
    that it could not.
    """

    named: Named
    began_ns: int
    seconds: float
    failed: bool
    rows: dict[int, int]

    def of(self, arrivals: Sequence[Arrival]) -> Named:
        """Those of some tickets of the batch."""
        rows = np.array([self.rows[id(arrival)] for arrival in arrivals], np.int64)
        return Named(
            self.named.segment_ids[rows], self.named.confidence[rows], self.named.far[rows]
        )


class SegmentRouter:
    """Segments by number and the `gate` that tells them apart; `version` is that of the routing.

    Without a gate every ticket is served as without segments.
    """

    def __init__(self, gate: Gate | None, numbers: Sequence[int], version: str) -> None:
        self.version = version
        self._gate = gate
        self._numbers = tuple(numbers)

    @property
    def segment_ids(self) -> range:
        """Those of all segments, and that of none."""
        return range(GENERAL, len(self._numbers))

    def names(self, arrivals: Sequence[Arrival]) -> Names:
        """The segments of a batch. Whatever goes wrong, its tickets are served as without segments:
        the stream goes on.
        """
        began_ns, began = time.time_ns(), time.monotonic()
        named, failed = _nowhere(len(arrivals)), False
        try:
            if self._gate is not None:
                named = self._gate.names([arrival.ticket.text for arrival in arrivals])
        except DEFECTS as error:
            # The name alone: a message may quote a ticket.
            _log.error("tickets are not routed by segment: %s", type(error).__name__)
            failed = True
        rows = {id(arrival): row for row, arrival in enumerate(arrivals)}
        return Names(named, began_ns, time.monotonic() - began, failed, rows)

    def segmented(self, segment_id: int) -> Segmented:
        """What records carry of a ticket of this segment id, -1 being none."""
        return Segmented(None if segment_id == GENERAL else self._numbers[segment_id], self.version)


def _nowhere(count: int) -> Named:
    segment_ids: Rows = np.full(count, GENERAL)
    return Named(segment_ids, np.zeros(count, np.float32), np.zeros(count, np.bool_))
