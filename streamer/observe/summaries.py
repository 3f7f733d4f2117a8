"""Sums since the last look, as records for the monitor."""

import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping

from streamer.observe.engine_view import Values
from streamer.observe.metrics import Metrics
from streamer.records.summary import Service, Summary

Counts = dict[str, dict[str, int]]
Latency = dict[str, tuple[tuple[int, int], ...]]

OF_TASKS: Mapping[str, str] = {
    "labels": "streamer_labels_total",
    "published": "streamer_published_total",
    "decisions": "streamer_decisions_total",
    "stratum": "streamer_stratum_total",
    "deferred": "streamer_deferred_total",
    "ballots": "streamer_ballots_total",
    "agreements": "streamer_agreements_total",
    "audited": "streamer_audited_total",
    "calibration_audited": "streamer_calibration_audited_total",
    "verdicts": "streamer_verdicts_total",
    "verified": "streamer_verified_total",
    "reviews": "streamer_reviews_total",
    "given_up": "streamer_audits_given_up_total",
    "republished": "streamer_republished_total",
    "segments": "streamer_segments_total",
    "routed": "streamer_routed_total",
    "unrouted": "streamer_unrouted_total",
    "segment_audited": "streamer_segment_audited_total",
}
"""Families whose first label is the task, by their short names."""

OF_PROCESS: Mapping[str, str] = {
    "dead": "streamer_dead_letters_total",
    "records": "streamer_records_total",
    "tombstones": "streamer_tombstones_total",
    "settled": "streamer_settled_total",
}

GAUGES: Mapping[str, str] = {
    "in_flight": "streamer_in_flight",
    "buffered": "streamer_buffered",
    "watermark_age_s": "streamer_watermark_age_seconds",
    "oldest_s": "streamer_oldest_record_seconds",
    "lag": "streamer_lag_records",
}

LATENCIES = {
    "ticket": "streamer_ticket_latency_seconds",
    "service": "streamer_service_latency_seconds",
}


class Summaries:
    """Differences of one process's metrics. The first look is at all since its start."""

    def __init__(
        self, service: Service, metrics: Metrics, clock: Callable[[], float] = time.time
    ) -> None:
        self._process = str(uuid.uuid4())
        self._service: Service = service
        self._metrics = metrics
        self._clock = clock
        self._looked_at = clock()
        self._sequences: dict[str | None, int] = defaultdict(int)
        self._counted: dict[tuple[str, tuple[str, ...]], float] = {}
        self._buckets: dict[tuple[str, tuple[str, ...]], tuple[int, ...]] = {}

    def look(self) -> list[Summary]:
        """One summary for the process, and one for each task that it has ever counted for."""
        now = self._clock()
        seconds, self._looked_at = now - self._looked_at, now
        # Once for all families: to read an engine is to look at every record that it works on.
        values = self._metrics.snapshot()
        counts, latency, gauges = self._counts(values), self._latencies(), dict(_gauges(values))
        return [
            Summary(
                process=self._process,
                service=self._service,
                task=task,
                sequence=self._next(task),
                at_ms=int(now * 1000),
                seconds=seconds,
                counts=counts.get(task, {}),
                gauges=gauges if task is None else {},
                latency=latency.get(task, {}),
            )
            for task in (None, *sorted({*self._metrics.tasks, *filter(None, counts)}))
        ]

    def _next(self, task: str | None) -> int:
        self._sequences[task] += 1
        return self._sequences[task]

    def _counts(self, values: Mapping[str, Values]) -> dict[str | None, Counts]:
        by_task: dict[str | None, Counts] = defaultdict(lambda: defaultdict(dict))
        for short, family in OF_TASKS.items():
            for (task, *others), count in self._new(family, values):
                by_task[task][short]["/".join(others)] = count
        for short, family in OF_PROCESS.items():
            for labels, count in self._new(family, values):
                by_task[None][short]["/".join(labels)] = count
        return by_task

    def _new(
        self, family: str, values: Mapping[str, Values]
    ) -> Iterator[tuple[tuple[str, ...], int]]:
        for labels, value in values.get(family, {}).items():
            before = self._counted.get((family, labels), 0.0)
            if value != before:
                self._counted[family, labels] = value
                yield labels, int(value - before)

    def _latencies(self) -> dict[str | None, Latency]:
        by_task: dict[str | None, Latency] = defaultdict(dict)
        for clock, family in LATENCIES.items():
            for labels, counts in self._metrics.buckets(family).items():
                task, source = labels
                earlier = self._buckets.get((family, labels), (0,) * len(counts))
                fresh = tuple(
                    (bucket, count - before)
                    for bucket, (count, before) in enumerate(zip(counts, earlier, strict=True))
                    if count != before
                )
                if fresh:
                    self._buckets[family, labels] = counts
                    by_task[task][f"{clock}/{source}"] = fresh
        return by_task


def _gauges(values_of: Mapping[str, Values]) -> Iterator[tuple[str, float]]:
    for short, family in GAUGES.items():
        if values := values_of.get(family, {}).values():
            yield short, max(values) if short == "oldest_s" else sum(values)
