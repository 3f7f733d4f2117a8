"""The state of every label in memory."""

from collections import OrderedDict
from collections.abc import Iterator, Mapping

from streamer.client.record import LabelRecord
from streamer.records.label import Label
from streamer.records.rank import Rank, outranked


class LabelTable(Mapping[str, Label]):
    """The state of every ticket and task, by key `<ticket id>/<task>`.

    Of `tickets.current` the last record of a key is its state. Of `tickets.labels` it is the label
    with the highest (source offset, revision), then the last in the log; offsets of different
    partitions are not compared. There a deletion removes what lay before it in the input, also
    where such a label comes later, because the judge takes its time: the newest `remember`
    deletions are known.
    """

    def __init__(self, remember: int = 100_000) -> None:
        self._labels: dict[str, tuple[Label, Rank | None]] = {}
        self._deleted: OrderedDict[str, Rank] = OrderedDict()
        self._remember = remember

    def apply(self, record: LabelRecord) -> bool:
        """Take a record in; True where it changed the state (a repeat that is alike doesn't)."""
        if record.label is None and record.value is not None:
            return False
        if not record.stands and not self._ranks(record):
            return False
        if record.label is None:
            return self._delete(record)
        self._deleted.pop(record.key, None)
        held = self.get(record.key)
        self._labels[record.key] = record.label, record.rank
        return held != record.label

    def _ranks(self, record: LabelRecord) -> bool:
        _, held = self._labels.get(record.key, (None, self._deleted.get(record.key)))
        return record.rank is None or held is None or not outranked(record.rank, held)

    def _delete(self, record: LabelRecord) -> bool:
        self._deleted.pop(record.key, None)
        if record.rank is not None and not record.stands:
            # Kept, because labels of before the deletion may still come.
            self._deleted[record.key] = record.rank
            if len(self._deleted) > self._remember:
                self._deleted.popitem(last=False)
        return self._labels.pop(record.key, None) is not None

    def of(self, ticket_id: str, task: str) -> Label | None:
        """The label of one ticket for one task."""
        return self.get(f"{ticket_id}/{task}")

    def __getitem__(self, key: str) -> Label:
        return self._labels[key][0]

    def __iter__(self) -> Iterator[str]:
        return iter(self._labels)

    def __len__(self) -> int:
        return len(self._labels)
