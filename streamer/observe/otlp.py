"""Spans as OTLP protobuf (opentelemetry/proto/trace/v1), written as bytes.

The SDK's encoder takes 60 µs for a span of nine attributes, and filling the messages by hand still
15: nearly all of that goes into attributes that were written before. These are remembered.
"""

import struct
from collections.abc import Sequence
from functools import lru_cache
from struct import Struct
from typing import Any

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.trace.v1 import trace_pb2
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import Link, SpanContext, SpanKind

from streamer.observe.spans import OpenSpan

_REMOTE = trace_pb2.SpanFlags.SPAN_FLAGS_CONTEXT_IS_REMOTE_MASK
_KNOWN = trace_pb2.SpanFlags.SPAN_FLAGS_CONTEXT_HAS_IS_REMOTE_MASK
_KINDS = {
    SpanKind.INTERNAL: trace_pb2.Span.SPAN_KIND_INTERNAL,
    SpanKind.CLIENT: trace_pb2.Span.SPAN_KIND_CLIENT,
    SpanKind.PRODUCER: trace_pb2.Span.SPAN_KIND_PRODUCER,
    SpanKind.CONSUMER: trace_pb2.Span.SPAN_KIND_CONSUMER,
}

# A field begins with its number * 8 and how it is written: 0 a varint, 1 64 bits, 2 after its
# length, 5 32 bits.
_IDS, _PARENT = b"\x0a\x10%b\x12\x08%b", b"\x22\x08%b"
_TIMES = Struct("<BQBQ")
_START, _END = 7 * 8 + 1, 8 * 8 + 1
_FLAGS, _LINK_FLAGS = Struct("<HI"), Struct("<BI")
_FLAGS_FIELD, _LINK_FLAGS_FIELD = 0x0185, 6 * 8 + 5  # the first is 16 * 8 + 5 as a varint
_UNSET = b"\x7a\x00"


def encoded(first: ReadableSpan, spans: Sequence[OpenSpan]) -> bytes:
    """A request with ended spans of one service: those of `first`, in its resource and scope."""
    resource_spans = encode_spans([first]).resource_spans[0]
    scope = resource_spans.scope_spans[0]
    in_scope = [
        _field(1, scope.scope.SerializeToString()),
        *[_field(2, _span(span)) for span in spans],
        _field(3, scope.schema_url.encode()),
    ]
    in_resource = [
        _field(1, resource_spans.resource.SerializeToString()),
        _field(2, b"".join(in_scope)),
        _field(3, resource_spans.schema_url.encode()),
    ]
    return _field(1, b"".join(in_resource))


def _span(span: OpenSpan) -> bytes:
    context, parent = span.context, span.parent
    parts = [
        _IDS % (context.trace_id.to_bytes(16), context.span_id.to_bytes(8)),
        _named(span.name, span.kind),
        _TIMES.pack(_START, span.start_time, _END, span.end_time),
        _FLAGS.pack(_FLAGS_FIELD, _flags(parent)),
        *[_attribute(key, value) for key, value in span.attributes.items()],
    ]
    if parent is not None:
        parts.append(_PARENT % parent.span_id.to_bytes(8))
    if span.links:
        parts += [_field(13, _link(link)) for link in span.links]
    parts.append(_UNSET if span.status.is_unset else _failed(span.status.description or ""))
    return b"".join(parts)


def _link(link: Link) -> bytes:
    context = link.context
    ids = _IDS % (context.trace_id.to_bytes(16), context.span_id.to_bytes(8))
    return ids + _LINK_FLAGS.pack(_LINK_FLAGS_FIELD, _flags(context))


def _flags(context: SpanContext | None) -> int:
    return _KNOWN | _REMOTE if context is not None and context.is_remote else _KNOWN


@lru_cache(maxsize=256)
def _named(name: str, kind: SpanKind) -> bytes:
    return _field(5, name.encode()) + _number(6, _KINDS[kind])


@lru_cache(maxsize=256)
def _failed(reason: str) -> bytes:
    message = _field(2, reason.encode()) if reason else b""
    return _field(15, message + _number(3, trace_pb2.Status.STATUS_CODE_ERROR))


def _attribute(key: str, value: Any) -> bytes:
    if isinstance(value, str | tuple):
        return _text(key, value)
    return _pair(key, value)


@lru_cache(maxsize=4096)
def _text(key: str, value: str | tuple[str, ...]) -> bytes:
    return _pair(key, value)


def _pair(key: str, value: Any) -> bytes:
    return _field(9, _field(1, key.encode()) + _field(2, _value(value)))


def _value(value: Any) -> bytes:
    if isinstance(value, str):
        return _field(1, value.encode("utf-8", "replace"))
    if isinstance(value, bool):
        return _number(2, value)
    if isinstance(value, int):
        return _number(3, value)
    if isinstance(value, float):
        return bytes((4 * 8 + 1,)) + struct.pack("<d", value)
    return _field(5, b"".join([_field(1, _value(item)) for item in value]))


def _field(number: int, payload: bytes) -> bytes:
    size = len(payload)
    if size < 128:
        return bytes((number * 8 + 2, size)) + payload
    return bytes((number * 8 + 2,)) + _varint(size) + payload


def _number(field: int, value: int) -> bytes:
    return bytes((field * 8,)) + _varint(value % 2**64)


def _varint(value: int) -> bytes:
    encoded_bytes = bytearray()
    while value > 127:
        encoded_bytes.append(value & 127 | 128)
        value >>= 7
    encoded_bytes.append(value)
    return bytes(encoded_bytes)
