"""The spans of one handler batch and of the calls it makes."""

from collections.abc import Sequence
from types import TracebackType

from opentelemetry.trace import SpanKind

from streamer.observe import semconv as s
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

    Leaving the context ends the tickets' own spans too, as far as they are still open, so that a
    batch that fails shows with all its sampled tickets.
    """

    def __init__(self, spans: Spans, topic: str, traces: Sequence[TicketTrace], count: int) -> None:
        self._factory = spans
        self._sampled = [trace for trace in traces if trace.sampled]
        super().__init__(self._start(topic, count) if self._sampled else ())

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
            [self._factory.child(batch, f"infer {worker}", SpanKind.CLIENT, attributes)]
        )

    def end(self, error: str | None = None) -> None:
        for trace in self._sampled:
            trace.end(error)
        super().end(error)

    def __enter__(self) -> "BatchTrace":
        return self

    def _start(self, topic: str, count: int) -> list[OpenSpan]:
        links = [link for trace in self._sampled if (link := trace.link)]
        attributes: Attributes = {
            s.MESSAGING_SYSTEM: "kafka",
            s.OPERATION_NAME: "process_batch",
            s.OPERATION_TYPE: "process",
            s.DESTINATION: topic,
            s.MESSAGE_COUNT: count,
        }
        return [
            self._factory.root(
                f"process_batch {topic}",
                SpanKind.CONSUMER,
                attributes,
                start_ns=self._sampled[0].received_ns,
                links=links[first : first + MAX_LINKS],
            )
            for first in range(0, len(links), MAX_LINKS)
        ]
