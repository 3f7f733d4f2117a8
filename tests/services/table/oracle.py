"""What a person would say stands, told from the records alone and without the table's code."""

from collections.abc import Collection, Iterable

import orjson

from streamer.records.label import DELETED_AT
from tests.services.table.histories import Raw


class Person:
    """The newest answer of one ticket and task, where a person still holds it."""

    def __init__(self) -> None:
        self.newest: tuple[int, str] | None = None
        self._gone = -1
        self._top = -1

    def hear(self, records: Iterable[Raw], lost: Collection[str] = ()) -> "Person":
        """Take records in, in the log's order; labels that are `lost` are given up at a newer one.

        What the table wrote itself says nothing new, and is passed over.
        """
        for record in records:
            if record.value is None:
                self._delete(int(dict(record.headers)[DELETED_AT]))
                continue
            raw = orjson.loads(record.value)
            offset = raw["position"]["offset"]
            if offset < self._gone or raw.get("carried"):
                continue
            self._top = max(self._top, offset)
            if raw["source"] == "person" and (self.newest is None or offset >= self.newest[0]):
                self.newest = None if raw.get("released") else (offset, raw["label"])
            if self.newest and self.newest[0] < self._top and self.newest[1] in lost:
                self.newest = None
        return self

    def _delete(self, offset: int) -> None:
        self._gone = max(self._gone, offset)
        if self.newest is not None and self.newest[0] <= self._gone:
            self.newest = None
        if self._top <= self._gone:
            self._top = -1
