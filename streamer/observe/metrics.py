"""Counts of one service, per batch and not per ticket, for Prometheus."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Literal, Protocol, get_args

import numpy as np
import numpy.typing as npt
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import Metric

from streamer.observe.engine_view import EngineView, Values, read, read_lanes
from streamer.observe.exposition import counter, gauge, histogram
from streamer.observe.families import OWN_FAMILIES
from streamer.observe.family import MetricFamily
from streamer.observe.histogram import Histogram
from streamer.observe.model_families import chosen

Operation = Literal["poll", "send", "commit"]
Lane = Literal["main", "audits", "answers"]
TableEvent = Literal["changed", "carried", "released", "repaired", "expired"]
Unrouted = Literal["unsure", "far", "failed"]
Milliseconds = npt.NDArray[np.float64] | npt.NDArray[np.int64]

_WORKER_EVENTS = {
    "retry": "streamer_worker_retries_total",
    "refused": "streamer_worker_refused_total",
    "version": "streamer_worker_versions_total",
}
_BREAKER_EVENTS = {"opened": 1.0, "closed": 0.0}
_SYSTEM = "kafka"


class SpanCounts(Protocol):
    """What became of spans; `dropped` by reason."""

    @property
    def made(self) -> int: ...
    @property
    def dropped(self) -> Mapping[str, int]: ...


class Metrics:
    """What one service counts, for the `tasks` and `workers` of its configuration.

    Belongs to one event loop. Times that are given as moments are in milliseconds since the epoch.
    """

    def __init__(self, tasks: Iterable[str] = (), workers: Iterable[str] = ()) -> None:
        self._values: dict[str, Values] = defaultdict(partial(defaultdict, float))
        self._histograms: dict[str, dict[tuple[str, ...], Histogram]] = {
            family.name: defaultdict(partial(Histogram, _unit(family)))
            for family in OWN_FAMILIES
            if family.kind == "histogram"
        }
        self._engines: dict[str, EngineView] = {}
        self._spans: SpanCounts | None = None
        self._model: Callable[[], Iterable[Metric]] = tuple
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)
        self.tasks = tuple(tasks)
        self._begin(self.tasks, tuple(workers))

    def labels(
        self,
        task: str,
        source: str,
        ticket_ms: Milliseconds,
        seen_ms: float | Milliseconds,
        now_ms: float,
    ) -> None:
        """Labels decided at `now_ms` for tickets made at `ticket_ms` [N] and seen at `seen_ms`.

        `seen_ms` is one moment for all or [N]. Call it once per batch, task and source.
        """
        count = len(ticket_ms)
        self._add("streamer_labels_total", (task, source), count)
        self._observe("streamer_ticket_latency_seconds", (task, source), now_ms - ticket_ms)
        here = np.full(count, now_ms - seen_ms)
        self._observe("streamer_service_latency_seconds", (task, source), here)

    def published(self, task: str, label: str, count: int = 1) -> None:
        """Labels that were published, by what they say."""
        self._add("streamer_published_total", (task, label), count)

    def decisions(self, task: str, accepted: int, total: int) -> None:
        """Of so many tickets that workers voted on, the rule accepted so many."""
        self._shares("streamer_decisions_total", (task,), "accepted", "deferred", accepted, total)

    def stratum(self, task: str, accepted: int, total: int) -> None:
        """As `decisions`, of the uniform stratum alone."""
        self._shares("streamer_stratum_total", (task,), "accepted", "deferred", accepted, total)

    def ballots(self, task: str, worker: str, given: int, total: int) -> None:
        """Of so many votes that a worker was asked for, it gave so many."""
        self._shares("streamer_ballots_total", (task, worker), "given", "abstained", given, total)

    def agreements(self, task: str, worker: str, other: str, agreed: int, total: int) -> None:
        """Of so many tickets on which both workers voted, they agreed on so many."""
        self._shares("streamer_agreements_total", (task, worker, other), "yes", "no", agreed, total)

    def audited(self, task: str, calibration: str | None, agreed: int, total: int) -> None:
        """Of so many labels that the rule accepted in the uniform stratum, the judge gave these."""
        self._shares("streamer_audited_total", (task,), "yes", "no", agreed, total)
        if calibration is not None:
            labels = (task, calibration)
            self._shares("streamer_calibration_audited_total", labels, "yes", "no", agreed, total)

    def routed(self, task: str, segment: str, count: int) -> None:
        """Tickets that took the route of a segment, by its number, or the `general` one."""
        self._add("streamer_segments_total", (task, segment), count)

    def routed_by(self, task: str, version: str, count: int) -> None:
        """The same tickets by the version of the routing that was asked."""
        self._add("streamer_routed_total", (task, version), count)

    def unrouted(self, task: str, reason: Unrouted, count: int) -> None:
        """Why tickets took the general route; `routed` counts the same ones as `general`."""
        self._add("streamer_unrouted_total", (task, reason), count)

    def routing(self, seconds: float, rows: int) -> None:
        """The segments of `rows` tickets were named within `seconds`."""
        self._observe("streamer_routing_seconds", (), seconds * 1000)
        self._add("streamer_routing_rows_total", (), rows)

    def segment_audited(self, task: str, segment: str, agreed: int, total: int) -> None:
        """As `audited`, of the labels that took the route of this segment."""
        labels = (task, segment)
        self._shares("streamer_segment_audited_total", labels, "yes", "no", agreed, total)

    def deferred(self, task: str, reason: str, count: int = 1) -> None:
        """Tickets that the judge has to settle."""
        self._add("streamer_deferred_total", (task, reason), count)

    def suspended(self, task: str, is_so: bool) -> None:
        """Whether what was promised of a task's rule does not hold at present."""
        self._values["streamer_guarantee_suspended"][task,] = float(is_so)

    def dead(self, reason: str, count: int = 1) -> None:
        """Records that became dead letters."""
        self._add("streamer_dead_letters_total", (reason,), count)

    def no_text(self, pointer: str, count: int) -> None:
        """Tickets that had no text behind this pointer."""
        self._add("streamer_text_missing_total", (pointer,), count)

    def tombstone(self, count: int = 1) -> None:
        """Deletions passed on."""
        self._add("streamer_tombstones_total", (), count)

    def republished(self, task: str, count: int = 1) -> None:
        """Judge requests answered from memory."""
        self._add("streamer_republished_total", (task,), count)

    def judged(self, task: str, purpose: str, count: int = 1) -> None:
        """Verdicts of the judge."""
        self._add("streamer_verdicts_total", (task, purpose), count)

    def took(self, task: str, prompts: int, cached: int, answers: int) -> None:
        """A verdict took so many tokens of prompts, of which a cache had some, and of answers."""
        self._add("streamer_verdict_tokens_total", (task, "computed"), prompts - cached)
        self._add("streamer_verdict_tokens_total", (task, "cached"), cached)
        self._add("streamer_verdict_tokens_total", (task, "answered"), answers)

    def covered(self, task: str, coverage: npt.NDArray[np.float64], enough: int) -> None:
        """The shares [N] of a language model's probability that verdicts gave to the labels."""
        labels, count = (task,), len(coverage)
        self._shares("streamer_verdicts_covered_total", labels, "yes", "no", enough, count)
        self._observe("streamer_verdict_uncovered_ratio", labels, 1000 * (1 - coverage))

    def verified(self, task: str, verdict: str, count: int = 1) -> None:
        """Labels that the judge looked at after they were published."""
        self._add("streamer_verified_total", (task, verdict), count)

    def reviewed(self, task: str, reason: str, count: int = 1) -> None:
        """Tickets that a person is asked about."""
        self._add("streamer_reviews_total", (task, reason), count)

    def given_up(self, task: str, count: int = 1) -> None:
        """Audits that the judge had no time for."""
        self._add("streamer_audits_given_up_total", (task,), count)

    def fidelity(self, task: str, low: float, estimate: float, high: float) -> None:
        """The share of labels, accepted without the judge, that audits found it to agree with."""
        for bound, value in {"low": low, "estimate": estimate, "high": high}.items():
            self._values["streamer_fidelity"][task, bound] = value

    def abstained(self, worker: str, reason: str, count: int = 1) -> None:
        """Votes that a worker did not give."""
        self._add("streamer_abstentions_total", (worker, reason), count)

    def shadowed(self, worker: str, version: str, outcome: str, count: int) -> None:
        """So many tickets on which a shadow version was drawn: given, unusable or outage."""
        self._add("streamer_shadow_answers_total", (worker, version, outcome), count)

    def called(self, worker: str, rows: int, seconds: float) -> None:
        """A worker answered a batch of `rows` tickets within `seconds`."""
        self._add("streamer_worker_calls_total", (worker,), 1)
        self._add("streamer_worker_rows_total", (worker,), rows)
        self._observe("streamer_worker_call_seconds", (worker,), seconds * 1000)

    def worker_event(self, worker: str, event: str) -> None:
        """An event of a worker: retry, refused, version, opened or closed."""
        if event in _BREAKER_EVENTS:
            self._values["streamer_breaker_open"][worker,] = _BREAKER_EVENTS[event]
        else:
            self._add(_WORKER_EVENTS[event], (worker,), 1)

    def on_worker(self, worker: str) -> Callable[[str], None]:
        """A listener for one worker's events."""
        return partial(self.worker_event, worker)

    def budget(self, task: str, calls: float, spent: float) -> None:
        """A task's judge budget allows so many `calls` at once; `spent` of its bucket are used."""
        self._values["streamer_judge_budget_calls"][task,] = calls
        self._values["streamer_judge_budget_spent_ratio"][task,] = spent

    def judge_asked(self, outcome: str) -> None:
        """What became of a request to the judge's endpoint."""
        self._add("streamer_judge_requests_total", (outcome,), 1)

    def judge_charged(self, tokens: int) -> None:
        """The judge's endpoint charged so many tokens."""
        self._add("streamer_judge_tokens_total", (), tokens)

    def judge_capped(self, left: float, spent: float, suspended: bool) -> None:
        """Of the judge's cap so many tokens are `left`; `spent` of its bucket are used."""
        self._values["streamer_judge_tokens_left"][()] = left
        self._values["streamer_judge_tokens_spent_ratio"][()] = spent
        for task in self.tasks:
            self.suspended(task, suspended)

    def table(self, event: TableEvent, count: int = 1) -> None:
        """What the table did with labels."""
        self._add("streamer_table_total", (event,), count)

    def table_keys(self, count: int) -> None:
        """So many tickets and tasks have a label in the partitions that are held here."""
        self._values["streamer_table_keys"][()] = count

    def table_begins(self) -> None:
        """Show that a table is there before it has anything to do."""
        for event in get_args(TableEvent):
            self.table(event, 0)
        self.table_keys(0)

    def batch(self, topic: str, records: int, seconds: float) -> None:
        """A batch of `records` of `topic` was processed within `seconds`."""
        labels = (_SYSTEM, "process", topic)
        self._observe("messaging_process_duration_seconds", labels, seconds * 1000)
        self._observe("streamer_batch_records", (topic,), float(records))

    def operation(self, name: Operation, topic: str, seconds: float) -> None:
        """A call of Kafka took `seconds`."""
        labels = (_SYSTEM, name, topic)
        self._observe("messaging_client_operation_duration_seconds", labels, seconds * 1000)

    def sent(self, topic: str, count: int) -> None:
        """Records that Kafka acknowledged."""
        self._add("messaging_client_sent_messages_total", (_SYSTEM, "send", topic), count)

    def consumed(self, topic: str, count: int) -> None:
        """Records that Kafka handed out."""
        self._add("messaging_client_consumed_messages_total", (_SYSTEM, "poll", topic), count)

    def watch_engine(self, engine: EngineView, lane: Lane = "main") -> None:
        """Read this engine's counts whenever the metrics are asked for."""
        self._engines[lane] = engine

    def watch_spans(self, spans: SpanCounts) -> None:
        """Read these counts whenever the metrics are asked for."""
        self._spans = spans

    def watch_model(self, collect: Callable[[], Iterable[Metric]]) -> None:
        """Read what a model's engine says of itself whenever the metrics are asked for."""
        self._model = collect

    def snapshot(self) -> Mapping[str, Values]:
        """What counters and gauges say now, by family and labels; none that was never set.

        What is read from engines is that of the main lane alone, without the label `lane`: what a
        side lane holds back on purpose is no backlog.
        """
        main = self._engines.get("main")
        return self._values if main is None else {**self._values, **read(main)}

    def buckets(self, family: str) -> Mapping[tuple[str, ...], tuple[int, ...]]:
        """The counts of a histogram's fine buckets, by its labels."""
        return {labels: observed.counts for labels, observed in self._histograms[family].items()}

    def render(self) -> bytes:
        """Everything, in the Prometheus text format."""
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        """For prometheus_client: every family, with the values it has now."""
        watched = read_lanes(self._engines) | self._span_counts()
        for family in OWN_FAMILIES:
            yield self._metric(family, watched)
        yield from chosen(self._model())

    def _span_counts(self) -> dict[str, Values]:
        if self._spans is None:
            return {}
        dropped: Values = {(reason,): count for reason, count in self._spans.dropped.items()}
        return {
            "streamer_spans_total": {(): self._spans.made},
            "streamer_spans_dropped_total": dropped,
        }

    def _metric(self, family: MetricFamily, watched: Mapping[str, Values]) -> Metric:
        if family.kind == "histogram":
            return histogram(family, self._histograms[family.name])
        values = watched.get(family.name) or self._values[family.name]
        return counter(family, values) if family.kind == "counter" else gauge(family, values)

    def _add(self, name: str, labels: tuple[str, ...], count: int) -> None:
        self._values[name][labels] += count

    def _shares(
        self, name: str, labels: tuple[str, ...], yes: str, no: str, count: int, total: int
    ) -> None:
        self._add(name, (*labels, yes), count)
        self._add(name, (*labels, no), total - count)

    def _observe(self, name: str, labels: tuple[str, ...], ms: npt.ArrayLike) -> None:
        self._histograms[name][labels].observe(ms)

    def _begin(self, tasks: tuple[str, ...], workers: tuple[str, ...]) -> None:
        # A counter that appears with its first event hides that event from rate().
        for task in tasks:
            self._add("streamer_labels_total", (task, "workers"), 0)
            self._add("streamer_labels_total", (task, "judge"), 0)
            self.deferred(task, "disagreement", 0)
            self.verified(task, "confirmed", 0)
            self.verified(task, "corrected", 0)
            self.reviewed(task, "unsure", 0)
            self.given_up(task, 0)
        for worker in workers:
            self.worker_event(worker, "closed")
            for name in ("streamer_worker_calls_total", *_WORKER_EVENTS.values()):
                self._add(name, (worker,), 0)
        self.tombstone(0)


def _unit(family: MetricFamily) -> float:
    return 1000.0 if family.name.endswith(("_seconds", "_ratio")) else 1.0
