"""Spans as OTLP protobuf (opentelemetry/proto/trace/v1), written straight into the messages.

The SDK's encoder takes 60 µs for a span of nine attributes; nearly all of that goes into finding
out what each attribute is, though few of them are ever new.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue
from opentelemetry.proto.trace.v1 import trace_pb2
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanContext, SpanKind

_REMOTE = trace_pb2.SpanFlags.SPAN_FLAGS_CONTEXT_IS_REMOTE_MASK
_KNOWN = trace_pb2.SpanFlags.SPAN_FLAGS_CONTEXT_HAS_IS_REMOTE_MASK
_KINDS = {
    SpanKind.INTERNAL: trace_pb2.Span.SPAN_KIND_INTERNAL,
    SpanKind.CLIENT: trace_pb2.Span.SPAN_KIND_CLIENT,
    SpanKind.PRODUCER: trace_pb2.Span.SPAN_KIND_PRODUCER,
    SpanKind.CONSUMER: trace_pb2.Span.SPAN_KIND_CONSUMER,
}


def encoded(spans: Sequence[ReadableSpan]) -> bytes:
    """A request with spans [1 or more] of one service: of the same resource and scope."""
    request = encode_spans(spans[:1])
    scope = request.resource_spans[0].scope_spans[0]
    del scope.spans[:]
    scope.spans.extend([_span(span) for span in spans])
    return bytes(request.SerializeToString())


def _span(span: ReadableSpan) -> trace_pb2.Span:
    context, parent = span.context, span.parent
    made = trace_pb2.Span(
        trace_id=context.trace_id.to_bytes(16),
        span_id=context.span_id.to_bytes(8),
        parent_span_id=parent.span_id.to_bytes(8) if parent else b"",
        name=span.name,
        kind=_KINDS[span.kind],
        start_time_unix_nano=span.start_time or 0,
        end_time_unix_nano=span.end_time or 0,
        attributes=[_pair(key, value) for key, value in (span.attributes or {}).items()],
        flags=_flags(parent),
    )
    if span.links:
        made.links.extend([_link(link.context) for link in span.links])
    made.status.SetInParent()
    if not span.status.is_unset:
        made.status.code = trace_pb2.Status.STATUS_CODE_ERROR
        made.status.message = span.status.description or ""
    return made


def _link(context: SpanContext) -> trace_pb2.Span.Link:
    return trace_pb2.Span.Link(
        trace_id=context.trace_id.to_bytes(16),
        span_id=context.span_id.to_bytes(8),
        flags=_flags(context),
    )


def _flags(context: SpanContext | None) -> int:
    return _KNOWN | _REMOTE if context is not None and context.is_remote else _KNOWN


def _pair(key: str, value: Any) -> KeyValue:
    if isinstance(value, str):
        return _text(key, value)
    return KeyValue(key=key, value=_value(value))


@lru_cache(maxsize=1024)
def _text(key: str, value: str) -> KeyValue:
    return KeyValue(key=key, value=AnyValue(string_value=value))


def _value(value: Any) -> AnyValue:
    if isinstance(value, str):
        return AnyValue(string_value=value)
    if isinstance(value, bool):
        return AnyValue(bool_value=value)
    if isinstance(value, int):
        return AnyValue(int_value=value)
    return AnyValue(array_value=ArrayValue(values=[_value(item) for item in value]))
