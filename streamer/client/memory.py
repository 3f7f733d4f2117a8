"""What was said last of each ticket and task, so that a repeat is not said again."""

from collections import OrderedDict
from typing import NamedTuple

from streamer.client.record import LabelRecord
from streamer.records.rank import Rank, outranked


class _Said(NamedTuple):
    rank: Rank
    what: tuple[str, str, str] | None


class Memory:
    """Knows the last word on the `limit` keys that were heard of last; 0.5 kB each.

    News are a higher (source offset, revision) than before, or the same with another label: a
    repeat after a crash may differ, and then the last in the log counts. So may the ticket itself,
    by its own time: in a topic that was made again another may lie at the same place. Of another
    partition all is news, since offsets say nothing there. A deletion takes the place of what lay
    before it in the input, also where such a label comes later.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._known: OrderedDict[str, _Said] = OrderedDict()

    def news(self, record: LabelRecord) -> bool:
        """Whether a label or deletion says something new; then it is remembered."""
        if record.rank is None:
            # Whoever wrote it didn't say how far it reaches.
            self._known.pop(record.key, None)
            return True
        last, held = _said(record, record.rank), self._known.get(record.key)
        if held is not None and (outranked(last.rank, held.rank) or last == held):
            return False
        self._known[record.key] = last
        self._known.move_to_end(record.key)
        if len(self._known) > self._limit:
            self._known.popitem(last=False)
        return True

    def __len__(self) -> int:
        return len(self._known)


def _said(record: LabelRecord, rank: Rank) -> _Said:
    label = record.label
    what = None if label is None else (label.decision_id, label.label, label.created_at)
    return _Said(rank, what)
