import numpy as np
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from streamer.observe.batch_trace import BatchTrace
from streamer.observe.otlp import encoded
from streamer.observe.recorder import Recorder
from streamer.observe.spans import OpenSpan, Spans
from streamer.observe.tracing import Tracing
from streamer.records import Rule, TicketIdentity, Vote
from streamer.workers.worker import WorkerAnswer

PARENT = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
PLACE = TicketIdentity("tickets", "tickets", 3, 7)
LONG = "x" * 300


async def answer(traceparent: str | None) -> WorkerAnswer:
    return WorkerAnswer("3", np.empty((200, 2), np.float32))


async def ended() -> tuple[Spans, list[OpenSpan]]:
    """Spans of every kind and shape that a service writes."""
    tracing = Tracing("streamer-test", 1.0, exporter=InMemorySpanExporter())
    taken: list[OpenSpan] = []
    spans = Spans(Resource.create({"service.name": "streamer-test"}), taken.append)
    tracing._recorder = Recorder(spans, "readers")
    traces = [
        tracing.ticket([], PLACE.trace_id, PLACE),
        tracing.ticket([("traceparent", PARENT)], PLACE.trace_id, PLACE),
    ]
    with BatchTrace(tracing._recorder, "tickets", traces, 2) as batch:
        await batch.call("fast", 200, answer)
        traces[0].identify("T-1 \u2028 ü")
        votes = (Vote("fast", "1", "billing", 0.9), Vote("slow", None, None, None, "outage"))
        traces[0].decided("intent", LONG, "workers", rule=Rule("majority", 2, 3), votes=votes)
        traces[0].headers("tickets.labels")
        traces[1].failed("unreadable")
    unsampled = [("traceparent", PARENT[:-1] + b"0")]
    late = tracing.ticket(unsampled, PLACE.trace_id, PLACE)
    late.deleted()
    late.failed("no_text")
    late.end()
    tracing.shutdown()
    return spans, taken


async def test_the_encoder_writes_what_the_sdk_writes() -> None:
    spans, taken = await ended()
    finished = [spans.finished(span) for span in taken]
    assert {span.kind.name for span in finished} == {"CONSUMER", "PRODUCER", "CLIENT", "INTERNAL"}
    assert any(span.links for span in finished)
    ours = ExportTraceServiceRequest.FromString(encoded(finished[0], taken))
    theirs = encode_spans(finished)
    assert ours.SerializeToString(deterministic=True) == theirs.SerializeToString(
        deterministic=True
    )
