from collections.abc import Callable

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from streamer.observe.otlp import encoded
from streamer.records import Rule, TicketIdentity, Vote
from tests.observe.conftest import Traced

PARENT = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
PLACE = TicketIdentity("tickets", "tickets", 3, 7)


def test_the_encoder_writes_what_the_sdk_writes(traced: Callable[..., Traced]) -> None:
    service = traced(1.0)
    traces = [
        service.tracing.ticket([], PLACE.trace_id, PLACE),
        service.tracing.ticket([("traceparent", PARENT)], PLACE.trace_id, PLACE),
    ]
    with service.tracing.batch("tickets", traces, 2) as batch:
        with batch.worker_call("fast", 2) as call:
            call.answered("3")
        traces[0].identify("T-1 \u2028 ü")
        votes = (Vote("fast", "1", "billing", 0.9), Vote("slow", None, None, None, "outage"))
        traces[0].decided("intent", "billing", "workers", rule=Rule("majority", 2, 3), votes=votes)
        traces[0].headers("tickets.labels")
        traces[1].failed("unreadable")
    unsampled = [("traceparent", PARENT[:-1] + b"0")]
    service.tracing.ticket(unsampled, PLACE.trace_id, PLACE).failed("no_text")
    spans = service.spans()
    assert {span.kind.name for span in spans} == {"CONSUMER", "PRODUCER", "CLIENT", "INTERNAL"}
    ours, theirs = ExportTraceServiceRequest.FromString(encoded(spans)), encode_spans(spans)
    assert ours.SerializeToString(deterministic=True) == theirs.SerializeToString(
        deterministic=True
    )
