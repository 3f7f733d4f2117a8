"""Traces of one service: decides which tickets are sampled, and writes their spans."""

import os
import time
from collections.abc import Mapping, Sequence
from typing import Protocol

from opentelemetry.sdk.trace.export import SpanExporter

from streamer.observe.batch_trace import BatchTrace
from streamer.observe.exporter import exporter_from, resource
from streamer.observe.recorder import Recorder
from streamer.observe.slowest import Milliseconds, Slowest
from streamer.observe.span_queue import SpanQueue
from streamer.observe.spans import OpenSpan, Spans
from streamer.observe.ticket_trace import Header, TicketTrace
from streamer.observe.traceparent import TRACEPARENT, TraceParent, below, incoming, unsampled
from streamer.records.identity import Location, TicketIdentity
from streamer.records.judge_request import JudgeRequest


class Incoming(Location, Protocol):
    """A Kafka record, as far as its trace goes."""

    @property
    def headers(self) -> Sequence[Header]: ...


class Tracing:
    """Follows tickets across topics. Belongs to one event loop.

    Spans go to `exporter`, or by OTLP/HTTP to where the OTEL_* variables say; with neither,
    nothing is sampled and contexts are only passed on. `sample` is the share of tickets that get
    spans where the input brings no decision; by the trace id alone, so that all services agree.
    `group` is the consumer group, for the spans.

    Raises `ConfigError` for an exporter that is not built in.
    """

    def __init__(
        self,
        service_name: str,
        sample: float,
        *,
        group: str | None = None,
        exporter: SpanExporter | None = None,
    ) -> None:
        exporter = exporter or exporter_from(os.environ)
        spans = Spans(resource(service_name), self._take)
        self._queue = None if exporter is None else SpanQueue(exporter, spans)
        self._recorder = Recorder(spans, group, enabled=self._queue is not None)
        self._slowest = Slowest()
        self._bound = _bound(sample) if self._queue is not None else _bound(0)

    def ticket(
        self,
        headers: Sequence[Header],
        trace_id: str,
        location: Location,
        received_ns: int | None = None,
    ) -> TicketTrace:
        """The trace of one ticket, continued from its `traceparent` or begun as `trace_id`.

        `location` is where the record lies that is read now: the ticket, or the judge's request.
        `received_ns` is when its batch came, in nanoseconds since the epoch. Of several valid
        `traceparent` headers the last counts.
        """
        parent = incoming(headers) if headers else None
        if parent is not None:
            if self._queue is not None and parent.sampled:
                return self._sampled(location, received_ns, parent, parent.text, parent.state)
            return TicketTrace(self._recorder, location, received_ns, parent.text, parent.state)
        if trace_id[16:] < self._bound:
            return self._sampled(location, received_ns, int(trace_id, 16), f"00-{trace_id}-", None)
        return TicketTrace(self._recorder, location, received_ns, unsampled(trace_id), None)

    def request(
        self, record: Incoming, request: JudgeRequest, *, received_ns: int | None = None
    ) -> TicketTrace:
        """The trace of a ticket that came in a judge request.

        Continued from the record's header, or from what the request itself says when somebody
        wrote the record again without its headers.
        """
        position = request.position
        identity = TicketIdentity(
            position.source, position.topic, position.partition, position.offset
        )
        headers = [(TRACEPARENT, request.traceparent.encode()), *record.headers]
        trace = self.ticket(headers, identity.trace_id, record, received_ns)
        trace.identify(request.ticket.id)
        return trace

    def record(self, record: Incoming, received_ns: int) -> TicketTrace:
        """The trace of a record of which nothing more can be read than where it lies."""
        identity = TicketIdentity(record.topic, record.topic, record.partition, record.offset)
        return self.ticket(record.headers, identity.trace_id, record, received_ns)

    def batch(self, topic: str, traces: Sequence[TicketTrace], records: int) -> BatchTrace:
        """The trace of one handler batch of so many `records`: a context manager.

        `traces` may be those of all its tickets: only the sampled ones matter.
        """
        return BatchTrace(self._recorder, topic, traces, records)

    def slow(self, task: str, ms: Milliseconds) -> list[int]:
        """The rows of tickets to follow afterwards among these latencies [N] of a task."""
        return [] if self._queue is None else self._slowest.among(task, ms)

    @property
    def made(self) -> int:
        """Spans that ended, those dropped included."""
        return 0 if self._queue is None else self._queue.made

    @property
    def dropped(self) -> Mapping[str, int]:
        """Spans that no collector has, by reason."""
        lost = {} if self._queue is None else self._queue.dropped
        return {**lost, "too_many": self._recorder.budget.refused}

    def shutdown(self, within: float = 5.0) -> None:
        """Send what is left, for at most `within` seconds. Blocks: call it in a thread."""
        if self._queue is not None:
            self._queue.shutdown(within)

    def _take(self, span: OpenSpan) -> None:
        if self._queue is not None:
            self._queue.put(span)

    def _sampled(
        self,
        location: Location,
        received_ns: int | None,
        parent: TraceParent | int,
        text: str,
        state: bytes | None,
    ) -> TicketTrace:
        received_ns = time.time_ns() if received_ns is None else received_ns
        span = self._recorder.process(location, parent, received_ns)
        context = below(text, span.context)
        return TicketTrace(self._recorder, location, received_ns, context, state, span)


def _bound(sample: float) -> str:
    """The lower half of a sampled trace id lies below it: as the SDK's TraceIdRatioBased has it."""
    least = round(sample * 2**64)
    return f"{least:016x}" if least < 2**64 else "g"
