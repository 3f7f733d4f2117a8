"""The spans of one handler batch and of the calls it makes."""

from collections.abc import Awaitable, Callable, Sequence
from types import MappingProxyType, TracebackType
from typing import Protocol, TypeVar

from opentelemetry.trace import Link, SpanContext, SpanKind

from streamer.observe import semconv as s
from streamer.observe.recorder import Recorder
from streamer.observe.spans import Attributes, OpenSpan, Spans
from streamer.observe.ticket_trace import TicketTrace
from streamer.observe.traceparent import outgoing

# What collectors take by default, and the SDK too.
MAX_LINKS = 128


class Versioned(Protocol):
    """What a model answers."""

    @property
    def version(self) -> str: ...


Answer = TypeVar("Answer", bound=Versioned)


class BatchTrace:
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
        self._spans: Sequence[OpenSpan] = self._start(sampled) if sampled else ()

    async def call(
        self, worker: str, rows: int, ask: Callable[[str | None], Awaitable[Answer]]
    ) -> Answer:
        """What a worker answers about so many rows: a call under this batch.

        `ask` is given the `traceparent` for the server; None where nothing is sampled, since it
        exports whatever it gets. Raises what `ask` raises.
        """
        if not self._spans:
            return await ask(None)
        attributes: dict[str, str | int] = {
            s.RPC_SYSTEM: "grpc",
            s.RPC_METHOD: "ModelInfer",
            s.WORKER: worker,
            s.ROWS: rows,
        }
        batch = self._spans[0].context
        span = self._spans_of.child(batch, f"infer {worker}", SpanKind.CLIENT, attributes)
        try:
            answer = await ask(outgoing(span.context))
            span.attributes[s.VERSION] = answer.version
        except BaseException as error:
            span.failed(type(error).__name__)
            raise
        finally:
            span.end()
        return answer

    def __enter__(self) -> "BatchTrace":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End all spans; an error is noted on them, by its name: a message may quote a ticket."""
        name = None if kind is None else kind.__name__
        if name is not None and not self._spans and self._recorder.allows_late():
            self._spans = [self._one((), None, {s.LATE: "error"})]
        # Not only those of the beginning: some are written after the fact.
        for trace in self._traces:
            if trace.span is not None:
                trace.end(name)
        for span in self._spans:
            if name is not None:
                span.failed(name)
            span.end()
        self._spans = ()

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
