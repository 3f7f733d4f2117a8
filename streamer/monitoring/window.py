"""The sums of one task within one window of time."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from streamer.records.summary import Summary

Counts = Mapping[str, Mapping[str, int]]
Runs = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Heard:
    """What came of one process: the runs of sequence numbers taken, its last time and gauges."""

    service: str
    at_ms: int
    runs: Runs
    gauges: Mapping[str, float]

    @property
    def lost(self) -> int:
        """Summaries that were never taken, between the first and the last."""
        taken = sum(last - first + 1 for first, last in self.runs)
        return self.runs[-1][1] - self.runs[0][0] + 1 - taken

    def __add__(self, other: "Heard") -> "Heard":
        newer = max(self, other, key=lambda heard: (heard.at_ms, heard.runs))
        return Heard(newer.service, newer.at_ms, _joined(self.runs + other.runs), newer.gauges)


@dataclass(frozen=True, slots=True)
class Window:
    """Sums of summaries of one task, or of the processes themselves, each taken once.

    `counts` are those of the summaries, but `records` are by the service that read them: the
    judge's are tickets that classify has read before. `latency` counts by `<clock>/<source>` and
    bucket, whose number is text as JSON's keys are. `heard` is by process; it holds the sequence
    numbers taken, so that a summary that is read again is not added again, in whatever order they
    come.
    """

    counts: Counts = field(default_factory=dict)
    latency: Counts = field(default_factory=dict)
    heard: Mapping[str, Heard] = field(default_factory=dict)

    def has(self, summary: Summary) -> bool:
        """Whether it was taken already."""
        heard = self.heard.get(summary.process)
        number = summary.sequence
        return heard is not None and any(first <= number <= last for first, last in heard.runs)

    def add(self, summary: Summary) -> "Window":
        """With this summary; the same window where it was taken already."""
        if self.has(summary):
            return self
        number = summary.sequence
        heard = Heard(summary.service, summary.at_ms, ((number, number),), summary.gauges)
        latency = {
            path: {str(bucket): n for bucket, n in pairs} for path, pairs in summary.latency.items()
        }
        return self + Window(_counts(summary), latency, {summary.process: heard})

    def __add__(self, other: "Window") -> "Window":
        """Both together; of windows that do not overlap."""
        heard = dict(self.heard)
        for process, more in other.heard.items():
            earlier = heard.get(process)
            heard[process] = more if earlier is None else earlier + more
        return Window(
            _summed(self.counts, other.counts), _summed(self.latency, other.latency), heard
        )

    def to_value(self) -> dict[str, Any]:
        """As JSON can hold it."""
        heard = {
            process: [last.service, last.at_ms, last.runs, last.gauges]
            for process, last in self.heard.items()
        }
        return {"counts": self.counts, "latency": self.latency, "heard": heard}

    @classmethod
    def from_value(cls, value: Mapping[str, Any]) -> "Window":
        """What `to_value` made, before or after a way through JSON."""
        heard = {
            process: Heard(service, at_ms, tuple((a, b) for a, b in runs), gauges)
            for process, (service, at_ms, runs, gauges) in value["heard"].items()
        }
        return cls(value["counts"], value["latency"], heard)


def _counts(summary: Summary) -> Counts:
    read = summary.counts.get("records")
    if read is None:
        return summary.counts
    return {**summary.counts, "records": {summary.service: sum(read.values())}}


def _summed(one: Counts, other: Counts) -> Counts:
    if not one or not other:
        return one or other
    total = dict(one)
    for family, counts in other.items():
        sums = dict(total.get(family, {}))
        for name, count in counts.items():
            sums[name] = sums.get(name, 0) + count
        total[family] = sums
    return total


def _joined(runs: Runs) -> Runs:
    joined: list[tuple[int, int]] = []
    for first, last in sorted(runs):
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(last, joined[-1][1]))
        else:
            joined.append((first, last))
    return tuple(joined)
