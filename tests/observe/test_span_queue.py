"""How spans leave the process."""

import asyncio
import threading
from collections.abc import Sequence

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from streamer.errors import ConfigError
from streamer.observe.tracing import Tracing
from tests.observe.conftest import Collector
from tests.observe.followed import (
    at,
    identity,
    two_hops,
)


class Failing(InMemorySpanExporter):
    """A collector that holds what it is given until it may fail."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Event()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.gate.wait(30)
        return SpanExportResult.FAILURE


def test_lost_spans_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "600")
    exporter = Failing()
    service = Tracing("streamer-test", 1.0, exporter=exporter)
    for offset in range(3000):
        service.ticket([], *at(offset)).end()
    full = service.dropped["queue_full"]
    # 600 wait, and up to 512 are with the exporter.
    assert 3000 - 600 - 512 <= full <= 3000 - 600
    exporter.gate.set()
    service.shutdown(30)
    assert service.made == 3000
    assert service.dropped == {"queue_full": full, "refused": 3000 - full, "too_many": 0}


async def test_spans_reach_a_collector(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
    monkeypatch.setenv("OTEL_SERVICE_NAME", "named-by-the-operator")
    classify, judge = Tracing("streamer-classify", 1.0), Tracing("streamer-judge", 1.0)
    two_hops(classify, judge, [])
    for service in (classify, judge):
        await asyncio.to_thread(service.shutdown)
    assert set(collector.paths) == {"/v1/traces"}
    resources = [found for request in collector.requests for found in request.resource_spans]
    names = {
        pair.value.string_value
        for found in resources
        for pair in found.resource.attributes
        if pair.key == "service.name"
    }
    assert names == {"named-by-the-operator"}
    spans = [span for found in resources for scope in found.scope_spans for span in scope.spans]
    ids = {span.span_id for span in spans}
    tickets = [span for span in spans if "process_batch" not in span.name]
    assert {span.trace_id.hex() for span in tickets} == {identity().trace_id}
    assert len(tickets) == 6
    assert all(not span.parent_span_id or span.parent_span_id in ids for span in spans)
    assert all(link.span_id in ids for span in spans for link in span.links)
    assert not any(b"secret" in request.SerializeToString() for request in collector.requests)


def test_a_protocol_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4317")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    with pytest.raises(ConfigError, match="4318"):
        Tracing("streamer-test", 1.0)
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "none")
    assert not Tracing("streamer-test", 1.0).ticket([], *at()).sampled
