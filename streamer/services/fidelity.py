"""How often the judge would have agreed with what was published without it, as audits tell."""

from collections import defaultdict
from collections.abc import Sequence

from streamer.decide.confidence_sequence import always_valid_interval
from streamer.observe.metrics import Metrics


class LiveFidelity:
    """Counts the audits of each task, and shows the share of agreement with its interval.

    The interval holds at every look together with 95 %, since a gauge is looked at all the time.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._seen: dict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))

    def audited(self, task: str, agreed: Sequence[bool]) -> None:
        """The judge was asked about labels that stood without it, and agreed or did not."""
        if not agreed:
            return
        hits, of = self._seen[task]
        hits, of = hits + sum(agreed), of + len(agreed)
        self._seen[task] = hits, of
        low, high = always_valid_interval(hits, of)
        self._metrics.fidelity(task, float(low), hits / of, float(high))
