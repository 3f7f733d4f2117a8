"""The OpenTelemetry SDK, set up from its standard environment variables."""

from collections.abc import Mapping

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_ON

from streamer.errors import ConfigError
from streamer.observe.spans import TraceIds

MAX_LINKS = 128

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")


def exporter_from(environ: Mapping[str, str]) -> SpanExporter | None:
    """The OTLP/HTTP exporter that the environment asks for, or None.

    Raises `ConfigError` for a protocol other than http/protobuf.
    """
    if not any(environ.get(name) for name in _ENDPOINTS) or _off(environ):
        return None
    protocol = next((environ[name] for name in _PROTOCOLS if environ.get(name)), "http/protobuf")
    if protocol != "http/protobuf":
        raise ConfigError(
            f"{' or '.join(_PROTOCOLS)} is {protocol!r}: only http/protobuf is built in; leave it "
            "out and point the endpoint at the collector's HTTP port (4318 by default)"
        )
    return OTLPSpanExporter()


def tracer_provider(service_name: str, exporter: SpanExporter, ids: TraceIds) -> TracerProvider:
    """A provider of our own, so that nothing else in the process writes spans by accident.

    It keeps every span it is asked for: whether a ticket is sampled was decided before.
    """
    provider = TracerProvider(
        sampler=ALWAYS_ON,
        resource=_resource(service_name),
        shutdown_on_exit=False,
        id_generator=ids,
        span_limits=SpanLimits(max_links=MAX_LINKS),
    )
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider


def _off(environ: Mapping[str, str]) -> bool:
    disabled = environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    return disabled or environ.get("OTEL_TRACES_EXPORTER", "").strip().lower() == "none"


def _resource(service_name: str) -> Resource:
    found = Resource.create()
    if str(found.attributes[SERVICE_NAME]).startswith("unknown_service"):
        return found.merge(Resource({SERVICE_NAME: service_name}))
    return found
