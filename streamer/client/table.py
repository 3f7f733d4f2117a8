"""The state of the labels topic in memory."""

from collections.abc import Iterator, Mapping

from streamer.client.record import LabelRecord, rank
from streamer.records.label import Label


class LabelTable(Mapping[str, Label]):
    """The state of every ticket and task, by key `<ticket id>/<task>`.

    For one key the state is the label with the highest (source offset, revision), then the last
    in the log. A deletion removes what lay before it in the input, also where such a label comes
    later: the judge takes its time.
    """

    def __init__(self) -> None:
        self._labels: dict[str, Label] = {}
        self._deleted_at: dict[str, int] = {}

    def apply(self, record: LabelRecord) -> bool:
        """Take a record in; True where it changed the state (a repeat that is alike doesn't)."""
        held = self._labels.get(record.key)
        if record.value is None:
            return self._delete(record, held)
        if record.label is None or record.label == held:
            return False
        if held is not None and rank(record.label) < rank(held):
            return False
        if record.label.position.offset < self._deleted_at.get(record.key, 0):
            return False
        self._labels[record.key] = record.label
        return True

    def _delete(self, record: LabelRecord, held: Label | None) -> bool:
        if record.deleted_at is not None:
            # Kept, because labels of before the deletion may still come.
            known = self._deleted_at.get(record.key, 0)
            self._deleted_at[record.key] = max(record.deleted_at, known)
            if held is not None and held.position.offset > record.deleted_at:
                return False
        return self._labels.pop(record.key, None) is not None

    def of(self, ticket_id: str, task: str) -> Label | None:
        """The label of one ticket for one task."""
        return self._labels.get(f"{ticket_id}/{task}")

    def __getitem__(self, key: str) -> Label:
        return self._labels[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._labels)

    def __len__(self) -> int:
        return len(self._labels)
