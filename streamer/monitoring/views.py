"""Windows as the monitor shows them."""

from collections.abc import Iterable, Mapping

from streamer.monitoring import tallies
from streamer.monitoring.expected import Expected
from streamer.monitoring.expected_segments import FAR, ExpectedSegments
from streamer.monitoring.tallies import Tally
from streamer.monitoring.view import (
    Percentiles,
    ProcessView,
    Promise,
    SegmentView,
    ShareView,
    TaskView,
)
from streamer.monitoring.window import Window
from streamer.observe.histogram import Histogram


def task_view(window: Window, seconds: float, expected: Expected) -> TaskView:
    """One task over a window of `seconds`."""
    counts = window.counts
    tickets = tallies.decisions(window)[1]
    spared = expected.coverage
    return TaskView(
        tickets=tickets,
        tickets_per_s=tickets / seconds,
        labels=counts.get("labels", {}),
        coverage=_share(tallies.decisions(window), expected.coverage),
        judge_share=_share(tallies.judged(window), None if spared is None else 1 - spared),
        fidelity=_share(tallies.audited(window), expected.fidelity),
        deferred=counts.get("deferred", {}),
        latency=_percentiles(window, "ticket"),
        service_latency=_percentiles(window, "service"),
        distribution=tallies.published(window),
        reference=expected.labels,
        reference_from=expected.source,
        agreement={
            pair: _share(tally, expected.agreement.get(pair))
            for pair, tally in tallies.agreements(window).items()
        },
        abstaining={worker: _share(t) for worker, t in tallies.abstentions(window).items()},
        verified=counts.get("verified", {}),
        reviews=counts.get("reviews", {}),
        segments=_segments(window, expected.segments or ExpectedSegments("", {}, {})),
        unrouted={
            reason: _share(tally, FAR if reason == "far" else None)
            for reason, tally in tallies.unrouted(window).items()
        },
        promise=_promise(expected),
    )


def process_views(window: Window, now_ms: int) -> list[ProcessView]:
    """Every process of a window, by service; the processes' own windows have them."""
    views = [
        ProcessView(
            name, heard.service, max(now_ms - heard.at_ms, 0) / 1000, heard.lost, heard.gauges
        )
        for name, heard in window.heard.items()
    ]
    return sorted(views, key=lambda view: (view.service, view.process))


def _promise(expected: Expected) -> Promise | None:
    if expected.fidelity is None:
        return None
    if expected.audits is None:
        return Promise(_share((0, 0), expected.fidelity), None)
    audits = expected.audits
    return Promise(_share((audits.hits, audits.total), expected.fidelity), audits.since_ms)


def _share(tally: Tally, reference: float | None = None) -> ShareView:
    hits, total = tally
    return ShareView(hits / total if total else None, hits, total, reference)


def _segments(window: Window, expected: ExpectedSegments) -> Mapping[str, SegmentView]:
    """Those that are expected, and those that were met besides."""
    shares, audits = tallies.segments(window), tallies.segment_audits(window)
    total = next((tickets for _, tickets in shares.values()), 0)
    return {
        number: SegmentView(
            expected.names.get(number),
            _share(shares.get(number, (0, total)), expected.shares.get(number)),
            _share(audits.get(number, (0, 0)), _first(expected, number)),
        )
        for number in {**expected.shares, **shares}
    }


def _first(expected: ExpectedSegments, number: str) -> float | None:
    first = expected.audits.get(number)
    return None if first is None else first.share


def _percentiles(window: Window, clock: str) -> Mapping[str, Percentiles]:
    return {
        path.removeprefix(f"{clock}/"): percentiles
        for path, buckets in sorted(window.latency.items())
        if path.startswith(f"{clock}/") and (percentiles := _of(buckets.items()))
    }


def _of(buckets: Iterable[tuple[str, int]]) -> Percentiles | None:
    histogram = Histogram.of({int(bucket): count for bucket, count in buckets})
    p50, p95, p99 = (histogram.percentile(q) for q in (50, 95, 99))
    if p50 is None or p95 is None or p99 is None:
        return None
    return Percentiles(p50, p95, p99, histogram.count)
