"""Traces of one service: decides which tickets are sampled, and writes their spans."""

import os
import threading
import time
from collections.abc import Sequence
from typing import Protocol

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter

from streamer.observe.batch_trace import BatchTrace
from streamer.observe.exporter import exporter_from, resource
from streamer.observe.recorder import Recorder
from streamer.observe.spans import Spans
from streamer.observe.ticket_trace import Header, TicketTrace
from streamer.observe.traceparent import TRACEPARENT, TraceParent, incoming, outgoing, unsampled
from streamer.records.identity import Place, TicketIdentity
from streamer.records.judge_request import JudgeRequest


class Incoming(Place, Protocol):
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
        self._processor = None if exporter is None else BatchSpanProcessor(exporter)
        self._spans = Spans(resource(service_name), self._take)
        self._recorder = Recorder(self._spans, group)
        self._bound = _bound(sample) if self._processor is not None else _bound(0)

    def ticket(
        self,
        headers: Sequence[Header],
        trace_id: str,
        place: Place,
        received_ns: int | None = None,
    ) -> TicketTrace:
        """The trace of one ticket, continued from its `traceparent` or begun as `trace_id`.

        `place` is where the record lies that is read now: the ticket, or the judge's request.
        `received_ns` is when its batch came, in nanoseconds since the epoch. Of several valid
        `traceparent` headers the last counts.
        """
        parent = incoming(headers) if headers else None
        if parent is not None:
            if self._processor is not None and parent.sampled:
                return self._sampled(place, received_ns, parent, parent.state)
            return TicketTrace(self._recorder, place, received_ns, parent.text, parent.state)
        if trace_id[16:] < self._bound:
            return self._sampled(place, received_ns, int(trace_id, 16), None)
        return TicketTrace(self._recorder, place, received_ns, unsampled(trace_id), None)

    def request(
        self, record: Incoming, request: JudgeRequest, *, received_ns: int | None = None
    ) -> TicketTrace:
        """The trace of a ticket that came in a judge request.

        Continued from the record's header, or from what the request itself says when somebody
        wrote the record again without its headers.
        """
        at = request.position
        identity = TicketIdentity(at.source, at.topic, at.partition, at.offset)
        headers = [(TRACEPARENT, request.traceparent.encode()), *record.headers]
        trace = self.ticket(headers, identity.trace_id, record, received_ns)
        trace.identify(request.ticket.id)
        return trace

    def batch(self, topic: str, traces: Sequence[TicketTrace], count: int) -> BatchTrace:
        """The trace of one handler batch of `count` records: a context manager.

        `traces` may be those of all its tickets: only the sampled ones matter.
        """
        return BatchTrace(self._spans, topic, traces, count)

    def shutdown(self, within: float = 5.0) -> None:
        """Send what is left, for at most `within` seconds. Blocks: call it in a thread.

        The SDK's own limit is 30 s, more than an orchestrator waits for a process to end.
        """
        if self._processor is not None:
            flush = threading.Thread(target=self._processor.shutdown, daemon=True)
            flush.start()
            flush.join(within)

    def _take(self, span: ReadableSpan) -> None:
        if self._processor is not None:
            self._processor.on_end(span)

    def _sampled(
        self,
        place: Place,
        received_ns: int | None,
        parent: TraceParent | int,
        state: bytes | None,
    ) -> TicketTrace:
        received_ns = time.time_ns() if received_ns is None else received_ns
        span = self._recorder.process(place, parent, received_ns)
        context = outgoing(span.context)
        return TicketTrace(self._recorder, place, received_ns, context, state, span)


def _bound(sample: float) -> str:
    """The lower half of a sampled trace id lies below it: as the SDK's TraceIdRatioBased has it."""
    least = round(sample * 2**64)
    return f"{least:016x}" if least < 2**64 else "g"
