"""The spans about one ticket: which kinds there are, and what they are called."""

from opentelemetry.trace import SpanKind

from streamer.observe import semconv as s
from streamer.observe.late import LateBudget
from streamer.observe.spans import Attributes, OpenSpan, Spans
from streamer.observe.traceparent import TraceParent, outgoing
from streamer.records.identity import Place


class Recorder:
    """Starts the spans of tickets for one service, a member of consumer group `group`."""

    def __init__(self, spans: Spans, group: str | None) -> None:
        self._spans = spans
        self._group = group
        self._budget = LateBudget()

    def process(
        self, place: Place, parent: TraceParent | int, start_ns: int | None, *, late: bool = False
    ) -> OpenSpan:
        """The span of one ticket here: under the context it came with, or root of a trace id."""
        name, attributes = f"process {place.topic}", self._place(place)
        if late:
            attributes[s.LATE] = True
        if isinstance(parent, int):
            return self._spans.root(
                name, SpanKind.CONSUMER, attributes, trace_id=parent, start_ns=start_ns
            )
        return self._spans.child(parent.context(), name, SpanKind.CONSUMER, attributes, start_ns)

    def late(self, place: Place, traceparent: str, start_ns: int | None) -> OpenSpan | None:
        """A span for an unsampled ticket after all; None when there were too many lately.

        The root of its trace: the parent in `traceparent` was not sampled either, so nobody has
        it, and the span would look like a part of something lost.
        """
        if not self._budget.take():
            return None
        return self.process(place, TraceParent(traceparent).trace_id, start_ns, late=True)

    def step(
        self, ticket: OpenSpan, name: str, attributes: Attributes, start_ns: int | None
    ) -> None:
        """Something that was done for a ticket from `start_ns` until now."""
        self._spans.child(ticket.context, name, SpanKind.INTERNAL, attributes, start_ns).end()

    def send(self, ticket: OpenSpan, topic: str) -> str:
        """The `traceparent` of a record that is sent to `topic` for a ticket.

        Its span ends at once: Kafka acknowledges whole batches, after the ticket's work is done.
        """
        attributes = {
            s.MESSAGING_SYSTEM: "kafka",
            s.OPERATION_NAME: "send",
            s.OPERATION_TYPE: "send",
            s.DESTINATION: topic,
        }
        span = self._spans.child(ticket.context, f"send {topic}", SpanKind.PRODUCER, attributes)
        span.end()
        return outgoing(span.context)

    def _place(self, place: Place) -> dict[str, str | int]:
        found: dict[str, str | int] = {
            s.MESSAGING_SYSTEM: "kafka",
            s.OPERATION_NAME: "process",
            s.OPERATION_TYPE: "process",
            s.DESTINATION: place.topic,
            s.PARTITION: str(place.partition),
            s.OFFSET: place.offset,
        }
        return found if self._group is None else found | {s.GROUP: self._group}
