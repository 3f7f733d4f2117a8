"""What the judge has published lately, so that a repeat is answered alike and for nothing."""

from collections import OrderedDict
from collections.abc import Sequence

from streamer.records.label import Label


class Memory:
    """The last `limit` verdicts by (decision id, revision); forgets the oldest first."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._known: OrderedDict[tuple[str, int], tuple[Label, ...]] = OrderedDict()

    def recall(self, decision_id: str, revision: int) -> Sequence[Label] | None:
        """The labels published for this request, or None."""
        return self._known.get((decision_id, revision))

    def keep(self, decision_id: str, revision: int, labels: Sequence[Label]) -> None:
        """Remember what was published for this request."""
        self._known[decision_id, revision] = tuple(labels)
        while len(self._known) > self._limit:
            self._known.popitem(last=False)
