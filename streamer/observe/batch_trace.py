"""The spans of one handler batch and of the calls it makes."""

from collections.abc import Sequence
from types import MappingProxyType, TracebackType

from opentelemetry.trace import Link, SpanContext, SpanKind

from streamer.observe import semconv as s
from streamer.observe.recorder import Recorder
from streamer.observe.spans import Attributes, OpenSpan, Spans
from streamer.observe.ticket_trace import TicketTrace
from streamer.observe.traceparent import outgoing

# What collectors take by default, and the SDK too.
MAX_LINKS = 128


class _Call:
    """A context manager around spans that run together; an error on the way is noted on them."""

    def __init__(self, spans: Sequence[OpenSpan]) -> None:
        self._spans = spans

    @property
    def traceparent(self) -> str | None:
        """What to give to a server; None where nothing is sampled, since it exports whatever
        it gets.
        """
        return outgoing(self._spans[0].context) if self._spans else None

    def end(self, error: str | None = None) -> None:
        """End the spans; `error` is a code or the name of an error's class."""
        for span in self._spans:
            if error is not None:
                span.failed(error)
            span.end()
        self._spans = ()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # The name alone: an error's message may quote a ticket.
        self.end(None if kind is None else kind.__name__)


class WorkerCall(_Call):
    """One call of a worker or of the judge's model for a batch."""

    def answered(self, version: str) -> None:
        """Note which version of the model answered."""
        for span in self._spans:
            span.attributes[s.VERSION] = version

    def __enter__(self) -> "WorkerCall":
        return self


class BatchTrace(_Call):
    """One handler batch, linked to its sampled tickets; without any of those it is nothing.

    Where it has one sampled ticket it is a part of that ticket's trace, and so are the calls of
    workers and what those write; else it is a trace of its own, and the links go both ways.
    Leaving the context ends the tickets' own spans too, as far as they are still open, so that a
    batch that fails shows with all its sampled tickets.
    """

    def __init__(
        self, recorder: Recorder, topic: str, traces: Sequence[TicketTrace], records: int
    ) -> None:
        self._recorder = recorder
        self._traces = traces
        self._topic = topic
        self._count = records
        self._received_ns = traces[0].received_ns if traces else None
        sampled = [trace for trace in traces if trace.span is not None]
        super().__init__(self._start(sampled) if sampled else ())

    def worker_call(self, worker: str, rows: int) -> WorkerCall:
        """A call under this batch; the way of a span that is not there."""
        if not self._spans:
            return WorkerCall(())
        attributes: Attributes = {
            s.RPC_SYSTEM: "grpc",
            s.RPC_METHOD: "ModelInfer",
            s.WORKER: worker,
            s.ROWS: rows,
        }
        batch = self._spans[0].context
        return WorkerCall(
            [self._spans_of.child(batch, f"infer {worker}", SpanKind.CLIENT, attributes)]
        )

    def end(self, error: str | None = None) -> None:
        if error is not None and not self._spans and self._recorder.allows_late():
            self._spans = [self._one((), None, {s.LATE: "error"})]
        # Not only those of the beginning: some are written after the fact.
        for trace in self._traces:
            if trace.span is not None:
                trace.end(error)
        super().end(error)

    def __enter__(self) -> "BatchTrace":
        return self

    @property
    def _spans_of(self) -> Spans:
        return self._recorder.spans

    def _start(self, sampled: Sequence[TicketTrace]) -> list[OpenSpan]:
        alone = sampled[0].span.context if len(sampled) == 1 and sampled[0].span else None
        spans: list[OpenSpan] = []
        for first in range(0, len(sampled), MAX_LINKS):
            traces = sampled[first : first + MAX_LINKS]
            links = [link for trace in traces if (link := trace.link)]
            # More than one span can link to is one trace still, that of the first of its spans.
            spans.append(self._one(links, spans[0].context if spans else alone))
            if alone is None:
                for trace in traces:
                    trace.seen_in(spans[-1].context)
        return spans

    def _one(
        self,
        links: Sequence[Link],
        parent: SpanContext | None,
        others: Attributes = MappingProxyType({}),
    ) -> OpenSpan:
        name, start_ns = f"process_batch {self._topic}", self._received_ns
        attributes: Attributes = {
            s.MESSAGING_SYSTEM: "kafka",
            s.OPERATION_NAME: "process_batch",
            s.OPERATION_TYPE: "process",
            s.DESTINATION: self._topic,
            s.MESSAGE_COUNT: self._count,
            **others,
        }
        if parent is None:
            return self._spans_of.root(
                name, SpanKind.CONSUMER, attributes, start_ns=start_ns, links=links
            )
        return self._spans_of.child(parent, name, SpanKind.CONSUMER, attributes, start_ns, links)
