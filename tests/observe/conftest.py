"""Collects spans: in memory, or behind a real OTLP/HTTP endpoint."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator

import pytest
from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from streamer.observe.tracing import Tracing


class Traced:
    """A service's tracing with the spans it wrote."""

    def __init__(self, sample: float, name: str = "streamer-test") -> None:
        self._exporter = InMemorySpanExporter()
        self.tracing = Tracing(name, sample, group="readers", exporter=self._exporter)

    def spans(self) -> list[ReadableSpan]:
        """All spans of this service, which writes no more afterwards."""
        self.tracing.shutdown()
        return list(self._exporter.get_finished_spans())

    def span(self, name: str) -> ReadableSpan:
        """The only span of this name; ends the service as `spans` does."""
        (found,) = (span for span in self.spans() if span.name == name)
        return found


@pytest.fixture
def traced() -> Iterator[Callable[..., Traced]]:
    """Makes services: `traced(sample)`."""
    made: list[Traced] = []

    def make(sample: float, name: str = "streamer-test") -> Traced:
        made.append(Traced(sample, name))
        return made[-1]

    yield make
    for one in made:
        one.tracing.shutdown()


class Collector:
    """Takes spans by OTLP/HTTP as a real collector does."""

    def __init__(self) -> None:
        self.requests: list[ExportTraceServiceRequest] = []
        self.paths: list[str] = []
        self.url = ""

    async def take(self, request: web.Request) -> web.Response:
        self.requests.append(ExportTraceServiceRequest.FromString(await request.read()))
        self.paths.append(request.path)
        return web.Response(content_type="application/x-protobuf")


@pytest.fixture
async def collector() -> AsyncIterator[Collector]:
    """A collector on a free port of the loopback interface."""
    found = Collector()
    app = web.Application()
    app.router.add_post("/{path:.*}", found.take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    found.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield found
    await asyncio.wait_for(runner.cleanup(), 10)
