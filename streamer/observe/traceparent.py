"""The W3C `traceparent` header: which trace a record belongs to, and whether it is sampled."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from opentelemetry.trace import SpanContext, TraceFlags

TRACEPARENT = "traceparent"
TRACESTATE = "tracestate"
LENGTH = 55
STATE_BYTES = 512
STATE_MEMBERS = 32

_ODD = "13579bdf"
_FORMAT = re.compile(
    rb"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:\Z|-)"
)


class TraceParent(NamedTuple):
    """A context that came with a record: `text` is what goes on, `state` its `tracestate`."""

    text: str
    state: bytes | None = None

    @property
    def sampled(self) -> bool:
        return self.text[-1] in _ODD

    @property
    def trace_id(self) -> int:
        return int(self.text[3:35], 16)

    def context(self) -> SpanContext:
        """The same for the SDK, as the context of a span elsewhere."""
        flags = TraceFlags(int(self.text[53:], 16))
        return SpanContext(self.trace_id, int(self.text[36:52], 16), True, flags)


def incoming(headers: Sequence[tuple[str, bytes]]) -> TraceParent | None:
    """The last valid context among a record's headers: who forwards a record appends."""
    parent = state = None
    for name, value in headers:
        if name == TRACEPARENT:
            if value and _FORMAT.match(value) and (len(value) == LENGTH or value[:2] != b"00"):
                parent = value
        elif name == TRACESTATE:
            # A context without its vendors' state is valid; one beyond W3C's limits is not.
            state = value if value and _within_limits(value) else None
    if parent is None:
        return None
    # A later version is read as version 00, and goes on as that: we can't vouch for more.
    return TraceParent(f"00{parent[2:LENGTH].decode()}", state)


def _within_limits(state: bytes) -> bool:
    return len(state) <= STATE_BYTES and state.count(b",") < STATE_MEMBERS


def outgoing(context: SpanContext) -> str:
    """The header's value for one of our own spans."""
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


def below(traceparent: str, context: SpanContext) -> str:
    """As `outgoing`, of a sampled span in the trace of `traceparent`: a third of the time."""
    return f"{traceparent[:36]}{context.span_id:016x}-01"


def unsampled(trace_id: str) -> str:
    """A context without a span: no service after this one samples the trace.

    The format wants a parent that isn't zero; it is the lower half of the trace id, so that a
    redelivery carries the same.
    """
    return f"00-{trace_id}-{trace_id[16:]}-00"
