"""The typed client's table as it was before there was a topic of states: kept as it read then."""

from streamer.client.record import LabelRecord
from streamer.records.label import Label


class ReaderOfVersion1:
    """The highest (source offset, revision) of a key is its state, then the last in the log."""

    def __init__(self) -> None:
        self.labels: dict[str, Label] = {}
        self._deleted_at: dict[str, int] = {}

    def apply(self, record: LabelRecord) -> bool:
        """Take a record in; True where it changed the state."""
        held = self.labels.get(record.key)
        if record.value is None:
            return self._delete(record, held)
        if record.label is None or record.label == held:
            return False
        if held is not None and rank(record.label) < rank(held):
            return False
        if record.label.position.offset < self._deleted_at.get(record.key, 0):
            return False
        self.labels[record.key] = record.label
        return True

    def _delete(self, record: LabelRecord, held: Label | None) -> bool:
        if record.deleted_at is not None:
            known = self._deleted_at.get(record.key, 0)
            self._deleted_at[record.key] = max(record.deleted_at, known)
            if held is not None and held.position.offset > record.deleted_at:
                return False
        return self.labels.pop(record.key, None) is not None


def rank(label: Label) -> tuple[int, int]:
    return label.position.offset, label.revision
