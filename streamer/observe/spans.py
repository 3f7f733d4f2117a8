"""Makes spans where we want them: in a given trace, under a given parent, at recorded times.

The SDK's own spans cost 25 µs each to make: they are made for any thread and any use. These belong
to one event loop, have the names of the SDK's finished spans, and become such where an exporter
wants them, which costs a fifth.
"""

import time
from collections.abc import Callable, Mapping, Sequence

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from streamer.observe import semconv as s

Attributes = Mapping[str, str | int | float | Sequence[str]]

_SAMPLED = TraceFlags(TraceFlags.SAMPLED)
_UNSET = Status(StatusCode.UNSET)


class OpenSpan:
    """A span that has begun; `end` hands it to `ended`, and only the first time.

    Times are in nanoseconds since the epoch.
    """

    __slots__ = (
        "_ended",
        "attributes",
        "context",
        "end_time",
        "kind",
        "links",
        "name",
        "parent",
        "start_time",
        "status",
    )

    def __init__(
        self,
        ended: Callable[["OpenSpan"], None],
        name: str,
        kind: SpanKind,
        context: SpanContext,
        parent: SpanContext | None,
        attributes: Attributes,
        links: Sequence[Link],
        start_ns: int | None,
    ) -> None:
        self._ended: Callable[[OpenSpan], None] | None = ended
        self.name = name
        self.kind = kind
        self.context = context
        self.parent = parent
        self.attributes = dict(attributes)
        self.links = list(links)
        self.start_time = time.time_ns() if start_ns is None else start_ns
        self.end_time = 0
        self.status = _UNSET

    def failed(self, reason: str) -> None:
        """What it is about went wrong; `reason` is a code or the name of an error's class.

        Nothing after the end: what was handed over stays as it is.
        """
        if self._ended is None:
            return
        self.status = Status(StatusCode.ERROR, reason)
        self.attributes[s.ERROR_TYPE] = reason

    def end(self) -> None:
        """Now; later calls do nothing."""
        if self._ended is not None:
            ended, self._ended = self._ended, None
            self.end_time = time.time_ns()
            ended(self)


class Spans:
    """Starts spans and hands each ended one to `take`.

    Times are in nanoseconds since the epoch; None means now.
    """

    def __init__(self, resource: Resource, take: Callable[[OpenSpan], None]) -> None:
        self._resource = resource
        self._take = take
        self._scope = InstrumentationScope("streamer", schema_url=s.SCHEMA_URL)
        self._ids = RandomIdGenerator()

    def root(
        self,
        name: str,
        kind: SpanKind,
        attributes: Attributes,
        *,
        trace_id: int | None = None,
        start_ns: int | None = None,
        links: Sequence[Link] = (),
    ) -> OpenSpan:
        """A span without a parent, in trace `trace_id` or a new one."""
        trace_id = self._ids.generate_trace_id() if trace_id is None else trace_id
        context = self._context(trace_id)
        return OpenSpan(self._take, name, kind, context, None, attributes, links, start_ns)

    def child(
        self,
        parent: SpanContext,
        name: str,
        kind: SpanKind,
        attributes: Attributes,
        start_ns: int | None = None,
        links: Sequence[Link] = (),
    ) -> OpenSpan:
        """A span under `parent`, which may be in another process."""
        context = self._context(parent.trace_id)
        return OpenSpan(self._take, name, kind, context, parent, attributes, links, start_ns)

    def _context(self, trace_id: int) -> SpanContext:
        return SpanContext(trace_id, self._ids.generate_span_id(), False, _SAMPLED)

    def finished(self, span: OpenSpan) -> ReadableSpan:
        """An ended span as the SDK's exporters take it."""
        return ReadableSpan(
            span.name,
            span.context,
            span.parent,
            self._resource,
            span.attributes,
            (),
            span.links,
            span.kind,
            status=span.status,
            start_time=span.start_time,
            end_time=span.end_time,
            instrumentation_scope=self._scope,
        )
