"""What classify counts and traces: it looks at results, and nothing that is decided hangs on it."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from itertools import combinations
from types import MappingProxyType

import numpy as np

from streamer.backends.gate import Named
from streamer.decide.disposition import PublishedGroup
from streamer.decide.predictions import ABSTAINED
from streamer.observe.batch_trace import BatchTrace
from streamer.observe.metrics import Metrics, Unrouted
from streamer.observe.tracing import Tracing
from streamer.records.answer import Answer
from streamer.records.log import ShadowVote
from streamer.records.segments import GENERAL
from streamer.records.times import milliseconds
from streamer.services.classify.arrival import Arrival
from streamer.services.classify.disposed import Disposed
from streamer.services.classify.door import Read
from streamer.services.classify.publish.outputs import TaskOutputs
from streamer.services.classify.route.segment_router import Names
from streamer.services.classify.task import ClassifyTask
from streamer.stream.handler import Record
from streamer.workers.faults import WorkerOut
from streamer.workers.wire import TextTensor
from streamer.workers.worker import WorkerAnswer, WorkerPort

UNROUTED: tuple[Unrouted, ...] = ("unsure", "far", "failed")


class Observing:
    """Counts in `metrics`, and traces by `tracing`, what the stages of a ticket came to.

    What a batch came to is looked at before it leaves: where sending fails, it was counted.
    """

    def __init__(self, metrics: Metrics, tracing: Tracing) -> None:
        self._metrics = metrics
        self._tracing = tracing

    def begin(self, tasks: Iterable[ClassifyTask], pointers: Iterable[str]) -> None:
        """Show from the start what no ticket may come to: that is a figure, too."""
        for pointer in pointers:
            self._metrics.no_text(pointer, 0)
        for task in tasks:
            if task.routes is None:
                continue
            router = task.routes.router
            self._metrics.routed_by(task.name, router.version, 0)
            for segment_id in router.segment_ids:
                self._metrics.routed(task.name, router.segmented(segment_id).name, 0)
            for reason in UNROUTED:
                self._metrics.unrouted(task.name, reason, 0)

    def on_worker(self, model: str) -> Callable[[str], None]:
        """A listener for the events of the worker of this model."""
        return self._metrics.on_worker(model)

    def counted(self, worker: WorkerPort) -> WorkerPort:
        """The same worker, whose calls are counted."""
        return _CountedWorker(worker, self._metrics)

    def batch(self, batch: Sequence[Record], read: Read) -> AbstractContextManager[BatchTrace]:
        """The trace of a batch; the tickets that were read of it are counted at once."""
        for pointer, missing in read.no_text.items():
            self._metrics.no_text(pointer, missing)
        if read.deletions:
            self._metrics.tombstone(read.deletions)
        traces = [arrival.trace for arrival in read.arrivals]
        return self._tracing.batch(batch[0].topic, traces, len(batch))

    def batch_done(
        self,
        batch: Sequence[Record],
        seen_ms: float,
        suspended: Mapping[str, bool] = MappingProxyType({}),
    ) -> None:
        """All that follows from a batch was handed over; `suspended` says by task whether what was
        promised of its rule did not hold for some of it.
        """
        for task, is_so in suspended.items():
            self._metrics.suspended(task, is_so)
        self._metrics.batch(batch[0].topic, len(batch), time.time() - seen_ms / 1000)

    def named(self, names: Names) -> None:
        """The segments of a batch's tickets."""
        self._metrics.routing(names.seconds, len(names.rows))

    def routed(self, task: ClassifyTask, arrivals: Sequence[Arrival], names: Names) -> None:
        """The routes that some tickets of the batch take for a task that has some."""
        if task.routes is None:
            return
        named, router = names.of(arrivals), task.routes.router
        self._metrics.routed_by(task.name, router.version, len(arrivals))
        for segment_id, tickets in Counter(named.segment_ids.tolist()).items():
            self._metrics.routed(task.name, router.segmented(segment_id).name, tickets)
        self._unrouted(task.name, names.failed, named)
        for row, arrival in enumerate(arrivals):
            if arrival.trace.sampled:
                segment_id = int(named.segment_ids[row])
                arrival.trace.routed(
                    task.name,
                    router.segmented(segment_id).name,
                    float(named.confidence[row]),
                    router.version,
                    task.routes.workers(segment_id),
                    names.began_ns,
                )

    def disposed(self, task: ClassifyTask, disposed: Disposed) -> None:
        """What is to become of some tickets, though they only follow another task."""
        if (budget := task.budget) is not None:
            self._metrics.budget(task.name, budget.left, budget.spent)
        vote_result = disposed.vote_result
        for votes in (*vote_result.worker_votes, *vote_result.audit_votes):
            if votes.absent is None:
                unusable = np.count_nonzero(votes.predictions.label_ids == ABSTAINED)
                if unusable:
                    self._metrics.abstained(votes.worker, "unusable", int(unusable))

    def leaving(self, outputs: TaskOutputs, seen_ms: float) -> None:
        """Tickets that are written next: those whose label is slow are followed from here on."""
        groups = list(outputs.disposition.groups())
        for group in groups:
            self._trace_labels(outputs, group)
        self._trace_deferred(outputs)
        self.disposed(outputs.task, outputs.disposed)
        for group in groups:
            self._count_labels(outputs, group, seen_ms)
        self._count_votes(outputs.task.name, outputs.disposed)

    def shadowed(self, votes: Iterable[Sequence[ShadowVote]]) -> None:
        """What versions on trial said of each ticket, or that they did not."""
        outcomes = Counter(
            (vote.worker, vote.version, vote.missing or "given") for own in votes for vote in own
        )
        for outcome, tickets in outcomes.items():
            self._metrics.shadowed(*outcome, tickets)

    def answered(self, answers: Iterable[Answer], seen_ms: float) -> None:
        """People's answers became labels."""
        now_ms = time.time() * 1000
        for answer in answers:
            answered = np.array([milliseconds(answer.at) or seen_ms])
            self._metrics.labels(answer.task, "person", answered, seen_ms, now_ms)

    def _trace_labels(self, outputs: TaskOutputs, group: PublishedGroup) -> None:
        task, rows = outputs.task, group.rows.tolist()
        latency_ms = np.nan_to_num(outputs.now_ms - outputs.created_ms[group.rows])
        for slow in self._tracing.slow(task.name, latency_ms):
            arrival = outputs.arrivals[rows[slow]]
            arrival.trace.late("slow", arrival.ticket.id, float(latency_ms[slow]))
        for row in rows:
            trace = outputs.arrivals[row].trace
            if trace.sampled:
                label = task.label_set.labels[outputs.disposition.published.label_ids[row]]
                rule = outputs.disposed.vote_result.provenance(row).rule
                votes = outputs.ballots.votes_on(row)
                trace.decided(task.name, label, group.source, rule=rule, votes=votes)

    def _trace_deferred(self, outputs: TaskOutputs) -> None:
        for row in np.flatnonzero(outputs.disposition.decide).tolist():
            trace = outputs.arrivals[row].trace
            if trace.sampled:
                why, votes = outputs.disposition.deferred, outputs.ballots.votes_on(row)
                trace.deferred(outputs.task.name, why, votes=votes)

    def _count_labels(self, outputs: TaskOutputs, group: PublishedGroup, seen_ms: float) -> None:
        task, created_ms = outputs.task, outputs.created_ms[group.rows]
        self._metrics.labels(task.name, group.source, created_ms, seen_ms, outputs.now_ms)
        label_ids = outputs.disposition.published.label_ids[group.rows].tolist()
        for label_id, tickets in Counter(label_ids).items():
            self._metrics.published(task.name, task.label_set.labels[label_id], tickets)

    def _count_votes(self, task: str, disposed: Disposed) -> None:
        """Audit votes count, too: what a worker says does not hang on why it was asked."""
        disposition, vote_result = disposed.disposition, disposed.vote_result
        if deferred := int(np.count_nonzero(disposition.decide)):
            self._metrics.deferred(task, disposition.deferred, deferred)
        metrics, audited = self._metrics, disposed.sample.uniform
        accepted = vote_result.decision.label_ids != ABSTAINED
        metrics.decisions(task, int(np.count_nonzero(accepted)), len(accepted))
        if total := int(np.count_nonzero(audited)):
            metrics.stratum(task, int(np.count_nonzero(accepted & audited)), total)
        all_votes = (*vote_result.worker_votes, *vote_result.audit_votes)
        label_ids = {votes.worker: votes.predictions.label_ids for votes in all_votes}
        given = {worker: own != ABSTAINED for worker, own in label_ids.items()}
        for worker, voted in given.items():
            metrics.ballots(task, worker, int(np.count_nonzero(voted)), len(voted))
        for first, other in combinations(label_ids, 2):
            both = given[first] & given[other]
            agreed = (label_ids[first] == label_ids[other]) & both
            counts = int(np.count_nonzero(agreed)), int(np.count_nonzero(both))
            metrics.agreements(task, first, other, *counts)

    def _unrouted(self, task: str, failed: bool, named: Named) -> None:
        general = int(np.count_nonzero(named.segment_ids == GENERAL))
        if not general:
            return
        if failed:
            self._metrics.unrouted(task, "failed", general)
            return
        far = int(np.count_nonzero(named.far))
        self._metrics.unrouted(task, "far", far)
        self._metrics.unrouted(task, "unsure", general - far)


class _CountedWorker:
    """Counts every call as it ends: who waits for a worker shows no result meanwhile."""

    def __init__(self, worker: WorkerPort, metrics: Metrics) -> None:
        self.model = worker.model
        self._worker = worker
        self._metrics = metrics

    async def answer(self, tensor: TextTensor, traceparent: str | None = None) -> WorkerAnswer:
        """The worker's. Raises what it raises."""
        began = time.monotonic()
        try:
            answer = await self._worker.answer(tensor, traceparent)
        except WorkerOut:
            self._metrics.abstained(self.model, "outage", len(tensor))
            raise
        self._metrics.called(self.model, len(tensor), time.monotonic() - began)
        return answer
