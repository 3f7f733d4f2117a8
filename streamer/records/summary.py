"""What one process did within about a second, for the monitor."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import orjson

from streamer.records.reading import made

Service = Literal["classify", "judge", "table"]


@dataclass(frozen=True, slots=True)
class Summary:
    """The sums of one process, for one task or (`task` None) for the process itself.

    `process` is the process's own uuid. `sequence` counts its summaries of this task from 1: a
    number that is not higher than the last is a repeat, a number left out is a summary lost.
    `at_ms` ends the span of `seconds`, in milliseconds since the epoch.

    `counts` are by the family's short name (`observe.summaries` lists them) and by the other labels
    joined by `/`, such as `decisions` -> `accepted`. They count work that is done at least once: a
    ticket that comes again counts again. `gauges` are values at `at_ms`: `lag` in records,
    `oldest_s` for the age of the oldest record that is unfinished, `in_flight`, `buffered`,
    `watermark_age_s`. `latency` holds, by `<clock>/<source>` with the clocks `ticket` and
    `service`, pairs of a bucket (`observe.histogram` has the edges) and how many labels fell into
    it.
    """

    process: str
    service: Service
    task: str | None
    sequence: int
    at_ms: int
    seconds: float
    counts: Mapping[str, Mapping[str, int]]
    gauges: Mapping[str, float]
    latency: Mapping[str, tuple[tuple[int, int], ...]]

    @property
    def key(self) -> bytes:
        """Kafka key: summaries of one process and task stay in order."""
        return f"{self.process}/{self.task or ''}".encode()

    def to_json(self) -> bytes:
        return orjson.dumps(self)

    @classmethod
    def from_json(cls, value: bytes) -> "Summary":
        """Raises `ValueError` when the value is no summary: `FieldError` names the field."""
        return made(cls, orjson.loads(value))
