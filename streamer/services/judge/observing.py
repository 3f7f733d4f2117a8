"""What judge counts and traces: it looks at results, and nothing that is decided hangs on it."""

import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import AbstractContextManager

import numpy as np

from streamer.observe.batch_trace import BatchTrace
from streamer.observe.metrics import Metrics
from streamer.observe.ticket_trace import TicketTrace
from streamer.observe.tracing import Tracing
from streamer.records.judge_request import JudgeRequest
from streamer.records.times import milliseconds
from streamer.services.judge.fallbacks import Fallbacks
from streamer.services.judge.fidelity import LiveFidelity
from streamer.services.judge.publishing import Case, Results
from streamer.services.judge.verdicts import Verdicts
from streamer.stream.handler import Record


class Observing:
    """Counts in `metrics`, and traces by `tracing`, what became of judge requests.

    Verdicts are looked at before they leave: where sending fails, they were counted.
    """

    def __init__(self, metrics: Metrics, tracing: Tracing) -> None:
        self._metrics = metrics
        self._tracing = tracing
        self._fidelity = LiveFidelity()

    def batch(
        self, batch: Sequence[Record], cases: Sequence[Case]
    ) -> AbstractContextManager[BatchTrace]:
        """The trace of a batch, of which these requests are judged."""
        return self._tracing.batch(batch[0].topic, [case.trace for case in cases], len(batch))

    def batch_done(self, batch: Sequence[Record], seen_ms: float) -> None:
        """All that follows from a batch was handed over."""
        self._metrics.batch(batch[0].topic, len(batch), time.time() - seen_ms / 1000)

    def repeated(self, request: JudgeRequest) -> None:
        """A request came again, and is answered from memory."""
        self._metrics.republished(request.task)

    def given_up(self, request: JudgeRequest, trace: TicketTrace) -> None:
        """The judge had no time for an audit."""
        self._metrics.given_up(request.task)
        trace.deferred(request.task, "too_late", step="judge")

    def leaving(self, cases: Sequence[Case], verdicts: Verdicts, seen_ms: float) -> None:
        """Verdicts, of one task and backfill, that are written next.

        Those that correct, and the slowest, are followed from here on, though not sampled. A
        backfill's are neither that nor counted: the figures are about tickets as they come.
        """
        if cases[0].request.backfill is None:
            self._follow(cases, verdicts)
            self._count(cases, verdicts, seen_ms)
            if verdicts.coverage is not None:
                task = cases[0].request.task
                self._metrics.covered(task, verdicts.coverage, verdicts.covered)
            self._audits(cases, verdicts)
        for row, case in enumerate(cases):
            if case.trace.sampled:
                _called(case)
                _trace(case.trace, verdicts, row)

    def fallen_back(self, cases: Sequence[Case], fallbacks: Fallbacks, seen_ms: float) -> None:
        """Workers' labels of one task that stand in for verdicts, and are written next."""
        self._count(cases, fallbacks, seen_ms, judged=False)
        for row, case in enumerate(cases):
            if case.trace.sampled:
                _trace(case.trace, fallbacks, row)

    def _follow(self, cases: Sequence[Case], verdicts: Verdicts) -> None:
        now_ms, task = time.time() * 1000, cases[0].request.task
        created_ms = [milliseconds(case.request.created_at) or now_ms for case in cases]
        latency_ms = now_ms - np.array(created_ms)
        urgent = [row for row, case in enumerate(cases) if case.request.purpose != "audit"]
        for slow in self._tracing.slow(task, latency_ms[urgent]):
            row = urgent[slow]
            trace, ticket_id = cases[row].trace, cases[row].request.ticket.id
            trace.late("slow", ticket_id, float(latency_ms[row]))
        for row, case in enumerate(cases):
            label = verdicts.published(row)
            if label is not None and label.verdict == "corrected":
                case.trace.late("corrected", label.ticket_id, float(latency_ms[row]))

    def _count(
        self, cases: Sequence[Case], results: Results, seen_ms: float, *, judged: bool = True
    ) -> None:
        task, metrics, now_ms = cases[0].request.task, self._metrics, time.time() * 1000
        by_source: dict[str, list[float]] = defaultdict(list)
        for row, case in enumerate(cases):
            if judged:
                metrics.judged(task, case.request.purpose)
                if (usage := case.usage) is not None:
                    metrics.took(task, usage.prompts, usage.cached, usage.answers)
            if results.review(row) is not None:
                metrics.reviewed(task, "unsure")
            if (label := results.published(row)) is not None:
                metrics.published(task, label.label)
                by_source[label.source].append(milliseconds(label.created_at) or seen_ms)
                if label.verdict is not None:
                    metrics.verified(task, label.verdict)
        for source, created_ms in by_source.items():
            metrics.labels(task, source, np.array(created_ms), seen_ms, now_ms)

    def _audits(self, cases: Sequence[Case], verdicts: Verdicts) -> None:
        task = cases[0].request.task
        audits, share = self._fidelity.look(task, [case.request for case in cases], verdicts)
        for request, agreed in audits:
            self._metrics.audited(task, request.calibration, int(agreed), 1)
            if request.segment is not None:
                self._metrics.segment_audited(task, request.segment.name, int(agreed), 1)
        if share is not None:
            self._metrics.fidelity(task, share.low, share.estimate, share.high)


def _called(case: Case) -> None:
    usage = case.usage
    if usage is not None and usage.call is not None:
        case.trace.called(usage.call, usage)


def _trace(trace: TicketTrace, results: Results, row: int) -> None:
    label, review = results.published(row), results.review(row)
    if label is not None:
        rule, votes = label.rule, label.votes
        trace.decided(label.task, label.label, label.source, rule=rule, votes=votes, step="judge")
    if review is not None:
        trace.deferred(review.task, review.reason, step="judge")
