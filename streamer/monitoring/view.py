"""What the monitor shows: plain values, ready for JSON. Shares are from 0 to 1."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from streamer.records.alarm import Alarm


@dataclass(frozen=True, slots=True)
class Percentiles:
    """A path's latencies in seconds, and how many labels they are of."""

    p50: float
    p95: float
    p99: float
    of: int


@dataclass(frozen=True, slots=True)
class ShareView:
    """`hits` of `of`, as a share; `value` is None of none. `reference` is what to expect."""

    value: float | None
    hits: int
    of: int
    reference: float | None = None


@dataclass(frozen=True, slots=True)
class Promise:
    """The fidelity that a calibration promised, as the reference of what was audited since it is
    in force: from `since_ms` on, None where nothing was yet.
    """

    audited: ShareView
    since_ms: int | None


@dataclass(frozen=True, slots=True)
class SegmentView:
    """A segment: its name where it is known, its `share` of the tickets that took the route of any,
    and the `fidelity` of what was accepted there, whose reference is that of the first audits.
    """

    name: str | None
    share: ShareView
    fidelity: ShareView


@dataclass(frozen=True, slots=True)
class TaskView:
    """One task over a span of time.

    `labels` are published labels by source, `latency` percentiles by source of the time since the
    ticket's own (`service_latency`: since the service saw it). `distribution` are the published
    labels by name, `reference` their expected shares with `reference_from` saying where those come
    from; None before there are any. `agreement` is by `<one>/<other>`, `abstaining` by worker.
    `segments` are by number, `unrouted` tickets that took the general route by reason; both are
    empty of a task without segments. `promise` is None where none was made: then nobody knows what
    the fidelity should be.
    """

    tickets: int
    tickets_per_s: float
    labels: Mapping[str, int]
    coverage: ShareView
    judge_share: ShareView
    fidelity: ShareView
    deferred: Mapping[str, int]
    latency: Mapping[str, Percentiles]
    service_latency: Mapping[str, Percentiles]
    distribution: Mapping[str, int]
    reference: Mapping[str, float] | None
    reference_from: str | None
    agreement: Mapping[str, ShareView]
    abstaining: Mapping[str, ShareView]
    verified: Mapping[str, int]
    reviews: Mapping[str, int]
    segments: Mapping[str, SegmentView]
    unrouted: Mapping[str, ShareView]
    promise: Promise | None


@dataclass(frozen=True, slots=True)
class ProcessView:
    """One process of classify, judge or table as it was last heard of.

    `silent_s` is the time since then, `lost` how many of its summaries never came.
    """

    process: str
    service: str
    silent_s: float
    lost: int
    gauges: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class MonitorState:
    """Now: each task over the last `span_s` seconds, the processes, dead letters, alarms.

    `records_per_s` are records of the tickets topic; what the judge reads is not counted again.
    """

    at_ms: int
    span_s: float
    tasks: Mapping[str, TaskView]
    processes: Sequence[ProcessView]
    records_per_s: float
    dead: Mapping[str, int]
    alarms: Sequence[Alarm]
    note: str


@dataclass(frozen=True, slots=True)
class Series:
    """One task over time: windows of `step_s` seconds that begin at `starts_ms`, oldest first."""

    task: str
    step_s: float
    starts_ms: Sequence[int]
    windows: Sequence[TaskView]
