"""Makes spans where we want them: in a given trace, under a given parent, at recorded times."""

from collections.abc import Mapping, Sequence

from opentelemetry.context import Context
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    Tracer,
    set_span_in_context,
)

Attributes = Mapping[str, str | int | Sequence[str]]


class TraceIds(RandomIdGenerator):
    """Random ids, except that the next trace id can be given.

    This way a root span begins the ticket's own trace; a made-up parent would do so too, but every
    viewer would show it as a span that was lost.
    """

    def __init__(self) -> None:
        self.next_trace_id: int | None = None

    def generate_trace_id(self) -> int:
        wanted, self.next_trace_id = self.next_trace_id, None
        return super().generate_trace_id() if wanted is None else wanted

    def is_trace_id_random(self) -> bool:
        # A trace id that is derived from the record's place is the same on each delivery.
        return False


class Spans:
    """Starts spans; the current context of the caller plays no part.

    Times are in nanoseconds since the epoch; None means now.
    """

    def __init__(self, tracer: Tracer, ids: TraceIds) -> None:
        self._tracer = tracer
        self._ids = ids

    def root(
        self,
        name: str,
        kind: SpanKind,
        attributes: Attributes,
        *,
        trace_id: int | None = None,
        start_ns: int | None = None,
        links: Sequence[Link] = (),
    ) -> Span:
        """A span without a parent, in trace `trace_id` or a new one."""
        self._ids.next_trace_id = trace_id
        return self._tracer.start_span(name, Context(), kind, attributes, links, start_ns)

    def child(
        self,
        parent: SpanContext,
        name: str,
        kind: SpanKind,
        attributes: Attributes,
        start_ns: int | None = None,
    ) -> Span:
        """A span under `parent`, which may be in another process."""
        context = set_span_in_context(NonRecordingSpan(parent), Context())
        return self._tracer.start_span(name, context, kind, attributes, (), start_ns)
