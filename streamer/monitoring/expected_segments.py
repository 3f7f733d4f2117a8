"""What the segments of a task should be like."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from streamer.decide.confidence_sequence import always_valid_interval
from streamer.monitoring import tallies
from streamer.monitoring.window import Window

FAR = 0.01
"""The share of tickets further out than a segment's `far`, the 99th percentile."""

# We choose. Of so many, the interval of a share of 95 % begins at 89 %: a fall to less is seen.
AUDITS = 300


@dataclass(frozen=True, slots=True)
class FirstAudits:
    """Of the first `total` audits of a segment the judge agreed with `hits`; the last of them are
    in the window that begins at `until_ms`.
    """

    hits: int
    total: int
    until_ms: int

    @property
    def share(self) -> float:
        return self.hits / self.total

    @property
    def low(self) -> float:
        """The lower end of the share's interval: what was seen may have been luck."""
        return float(always_valid_interval(self.hits, self.total)[0])


@dataclass(frozen=True, slots=True)
class ExpectedSegments:
    """What a task's tickets are routed by: the routing's `version`, and by the segments' numbers as
    text their `names`, their `shares` of the tickets when they were found, and of those with enough
    of them the first `audits`, which are seen and not known.
    """

    version: str
    names: Mapping[str, str]
    shares: Mapping[str, float]
    audits: Mapping[str, FirstAudits] = field(default_factory=dict)

    def called(self, number: str) -> str:
        """A segment as people know it."""
        return f"segment {number} {self.names[number]!r}"

    def audited_in(self, windows: Iterable[tuple[int, Window]]) -> "ExpectedSegments":
        """With the first `AUDITS` of each segment, where there are so many."""
        audits: dict[str, FirstAudits] = {}
        for start, window in windows:
            for number, (hits, total) in tallies.segment_audits(window).items():
                before = audits.get(number, FirstAudits(0, 0, start))
                if before.total < AUDITS:
                    audits[number] = FirstAudits(before.hits + hits, before.total + total, start)
        enough = {
            number: first for number, first in sorted(audits.items()) if first.total >= AUDITS
        }
        return replace(self, audits=enough)
