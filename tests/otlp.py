"""A collector of spans: takes OTLP over HTTP in both of its encodings, as real ones do."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import orjson
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span as Message

ERROR = 2
INTERNAL, SERVER, CLIENT, PRODUCER, CONSUMER = 1, 2, 3, 4, 5


@dataclass(frozen=True)
class Span:
    """One span as it came; ids are hexadecimal, `parent` is empty for a root."""

    service: str
    name: str
    kind: int
    trace: str
    id: str
    parent: str
    attributes: Mapping[str, Any]
    links: tuple[str, ...] = ()
    status: int = 0
    start: int = 0
    end: int = 0


@dataclass
class Collector:
    """What was taken so far."""

    url: str = ""
    spans: list[Span] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def take(self, body: bytes, json: bool) -> None:
        self.bodies.append(body)
        try:
            self.spans += list(_of_json(body) if json else _of_protobuf(body))
        except Exception as error:
            self.refused.append(repr(error))

    def of(self, trace: str) -> list[Span]:
        """The spans of one trace."""
        return [span for span in self.spans if span.trace == trace]

    def names(self, trace: str) -> set[str]:
        """The names of the spans of one trace."""
        return {span.name for span in self.of(trace)}


@contextmanager
def collecting() -> Iterator[Collector]:
    """A collector on a free port of the loopback interface."""
    found = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.take(body, "json" in self.headers.get("Content-Type", ""))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    found.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()


def whole(spans: list[Span], upstream: str = "") -> Span:
    """The root of a trace that has one, and every parent; its own parent is `upstream`."""
    ids = {span.id for span in spans}
    assert len(ids) == len(spans), "a span came twice"
    assert len({span.trace for span in spans}) == 1
    roots = [span for span in spans if span.parent not in ids]
    assert [(root.parent) for root in roots] == [upstream], f"{[root.name for root in roots]}"
    return roots[0]


def _of_protobuf(body: bytes) -> Iterator[Span]:
    for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
        service = _pairs(resource.resource.attributes).get("service.name", "")
        for scope in resource.scope_spans:
            yield from (_of_message(service, span) for span in scope.spans)


def _of_message(service: str, span: Message) -> Span:
    return Span(
        service,
        span.name,
        span.kind,
        span.trace_id.hex(),
        span.span_id.hex(),
        span.parent_span_id.hex(),
        _pairs(span.attributes),
        tuple(link.span_id.hex() for link in span.links),
        span.status.code,
        span.start_time_unix_nano,
        span.end_time_unix_nano,
    )


def _pairs(attributes: Any) -> dict[str, Any]:
    return {pair.key: _value(pair) for pair in attributes}


def _value(pair: KeyValue) -> Any:
    kind = pair.value.WhichOneof("value")
    if kind == "array_value":
        return tuple(item.string_value for item in pair.value.array_value.values)
    return None if kind is None else getattr(pair.value, kind)


def _of_json(body: bytes) -> Iterator[Span]:
    for resource in orjson.loads(body)["resourceSpans"]:
        known = _json_pairs(resource["resource"].get("attributes", ()))
        for scope in resource["scopeSpans"]:
            for span in scope["spans"]:
                yield Span(
                    known.get("service.name", ""),
                    span["name"],
                    span["kind"],
                    span["traceId"],
                    span["spanId"],
                    span.get("parentSpanId", ""),
                    _json_pairs(span.get("attributes", ())),
                )


def _json_pairs(attributes: Any) -> dict[str, Any]:
    return {pair["key"]: next(iter(pair["value"].values()), None) for pair in attributes}
