"""The spans about one ticket: which kinds there are, and what they are called."""

from functools import lru_cache

from opentelemetry.trace import SpanContext, SpanKind

from streamer.observe import semconv as s
from streamer.observe.late import LateBudget
from streamer.observe.spans import Attributes, OpenSpan, Spans
from streamer.observe.traceparent import TraceParent
from streamer.records.identity import Location


class Recorder:
    """Starts the spans of tickets for one service, a member of consumer group `group`.

    `enabled` says whether spans go anywhere. `budget` bounds those written after the fact.
    """

    def __init__(self, spans: Spans, group: str | None, enabled: bool = True) -> None:
        self.spans = spans
        self.budget = LateBudget()
        self._enabled = enabled
        self._group = group

    def process(
        self,
        location: Location,
        parent: TraceParent | int,
        start_ns: int | None,
        late: str | None = None,
    ) -> OpenSpan:
        """The span of one ticket here: under the context it came with, or root of a trace id."""
        name, attributes = f"process {location.topic}", self._location(location)
        if late is not None:
            attributes[s.LATE] = late
        if isinstance(parent, int):
            return self.spans.root(
                name, SpanKind.CONSUMER, attributes, trace_id=parent, start_ns=start_ns
            )
        return self.spans.child(parent.context(), name, SpanKind.CONSUMER, attributes, start_ns)

    def late(
        self, location: Location, traceparent: str, start_ns: int | None, why: str
    ) -> OpenSpan | None:
        """A span for an unsampled ticket after all; None when there were too many lately.

        The root of its trace: the parent in `traceparent` was not sampled either, so nobody has
        it, and the span would look like a part of something lost.
        """
        if not self.allows_late():
            return None
        return self.process(location, TraceParent(traceparent).trace_id, start_ns, why)

    def allows_late(self) -> bool:
        """Whether one more span may be written after the fact now."""
        return self._enabled and self.budget.take()

    def step(
        self,
        ticket: OpenSpan,
        name: str,
        attributes: Attributes,
        start_ns: int | None,
        kind: SpanKind = SpanKind.INTERNAL,
    ) -> None:
        """Something that was done for a ticket from `start_ns` until now."""
        self.spans.child(ticket.context, name, kind, attributes, start_ns).end()

    def send(self, ticket: OpenSpan, topic: str) -> SpanContext:
        """The context of a record that is sent to `topic` for a ticket.

        Its span ends at once: Kafka acknowledges whole batches, after the ticket's work is done.
        """
        name, attributes = _sending(topic)
        span = self.spans.child(ticket.context, name, SpanKind.PRODUCER, attributes)
        span.end()
        return span.context

    def _location(self, location: Location) -> dict[str, str | int]:
        attributes: dict[str, str | int] = {
            s.MESSAGING_SYSTEM: "kafka",
            s.OPERATION_NAME: "process",
            s.OPERATION_TYPE: "process",
            s.DESTINATION: location.topic,
            s.PARTITION: str(location.partition),
            s.OFFSET: location.offset,
        }
        return attributes if self._group is None else attributes | {s.GROUP: self._group}


@lru_cache(maxsize=64)
def _sending(topic: str) -> tuple[str, Attributes]:
    attributes = {
        s.MESSAGING_SYSTEM: "kafka",
        s.OPERATION_NAME: "send",
        s.OPERATION_TYPE: "send",
        s.DESTINATION: topic,
    }
    return f"send {topic}", attributes
