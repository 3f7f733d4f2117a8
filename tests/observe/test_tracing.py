"""One trace per ticket, over all services."""

from itertools import pairwise

import pytest
from opentelemetry.sdk.trace.sampling import Decision, TraceIdRatioBased
from opentelemetry.trace import SpanKind

from streamer.observe.tracing import Tracing
from tests.observe.followed import (
    RULE,
    SAMPLED,
    UNSAMPLED,
    UPSTREAM,
    VOTES,
    Incoming,
    Make,
    at,
    attributes,
    identity,
    judge_request,
    parent_id,
    span_id,
    two_hops,
)


def test_two_hops_are_one_trace_without_gaps(traced: Make) -> None:
    classify, judge = traced(1.0, "streamer-classify"), traced(1.0, "streamer-judge")
    label = two_hops(classify.tracing, judge.tracing, [])
    spans = [s for s in classify.spans() + judge.spans() if "process_batch" not in s.name]
    by_name = {span.name: span for span in spans}
    assert len(by_name) == len(spans) == 6
    chain = [
        "process tickets",
        "send tickets.judge",
        "process tickets.judge",
        "send tickets.labels",
    ]
    for parent, child in pairwise(chain):
        assert parent_id(by_name[child]) == span_id(by_name[parent])
    assert by_name["process tickets"].parent is None
    assert parent_id(by_name["classify intent"]) == span_id(by_name["process tickets"])
    assert parent_id(by_name["judge intent"]) == span_id(by_name["process tickets.judge"])
    assert {f"{span.context.trace_id:032x}" for span in spans} == {identity().trace_id}
    last = by_name["send tickets.labels"].context
    assert label == [("traceparent", f"00-{last.trace_id:032x}-{last.span_id:016x}-01".encode())]


def test_spans_say_what_they_are_about(traced: Make) -> None:
    service = traced(1.0)
    trace = service.tracing.ticket([], *at(), received_ns=1_700_000_000_000_000_000)
    trace.identify("T-1")
    trace.decided("intent", "billing", "workers", rule=RULE, votes=VOTES)
    trace.headers("tickets.labels")
    trace.end()
    spans = {span.name: span for span in service.spans()}
    process, step, send = (
        spans[name] for name in ("process tickets", "classify intent", "send tickets.labels")
    )
    assert attributes(process) == {
        "messaging.system": "kafka",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": "tickets",
        "messaging.destination.partition.id": "3",
        "messaging.kafka.offset": 7,
        "messaging.consumer.group.name": "readers",
        "streamer.ticket.id": "T-1",
    }
    assert attributes(step) == {
        "streamer.task": "intent",
        "streamer.label": "billing",
        "streamer.source": "workers",
        "streamer.rule": "majority",
        "streamer.rule.quorum": 2,
        "streamer.votes": ("fast=billing", "slow=(outage)"),
    }
    assert (process.kind, send.kind) == (SpanKind.CONSUMER, SpanKind.PRODUCER)
    assert process.start_time == step.start_time == 1_700_000_000_000_000_000
    assert process.resource.attributes["service.name"] == "streamer-test"
    assert str(process.instrumentation_scope.schema_url).endswith("/1.44.0")


def test_a_redelivery_stays_in_its_trace(traced: Make) -> None:
    service = traced(1.0)
    for _ in range(2):
        service.tracing.ticket([], *at()).end()
    service.tracing.ticket([], *at(8)).end()
    first, again, other = service.spans()
    assert first.context.trace_id == again.context.trace_id == int(identity().trace_id, 16)
    assert first.context.span_id != again.context.span_id
    assert other.context.trace_id == int(identity(8).trace_id, 16)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 1.0])
def test_sampling_is_that_of_the_sdk(traced: Make, share: float) -> None:
    service, sampler = traced(share), TraceIdRatioBased(share)
    for offset in range(500):
        ours = service.tracing.ticket([], *at(offset)).sampled
        theirs = sampler.should_sample(None, int(identity(offset).trace_id, 16), "x").decision
        assert ours is (theirs is Decision.RECORD_AND_SAMPLE)


def test_the_decision_that_came_with_the_ticket_holds(traced: Make) -> None:
    never, always = traced(0.0), traced(1.0)
    yes, no = (
        never.tracing.ticket(SAMPLED, *at()),
        always.tracing.ticket(UNSAMPLED, *at()),
    )
    assert yes.sampled
    assert not no.sampled
    assert no.traceparent == f"{UPSTREAM}00"
    assert no.headers("tickets.labels") == UNSAMPLED
    yes.end()
    no.end()
    span = never.span("process tickets")
    assert f"{parent_id(span):016x}" == "b7ad6b7169203331"
    assert always.spans() == []


def test_unsampled_tickets_write_nothing(traced: Make) -> None:
    classify, judge = traced(0.0), traced(1.0)
    label = two_hops(classify.tracing, judge.tracing, [])
    assert classify.spans() == judge.spans() == []
    digits = identity().trace_id
    assert label == [("traceparent", f"00-{digits}-{digits[16:]}-00".encode())]


def test_without_an_exporter_contexts_pass_through() -> None:
    service = Tracing("streamer-test", 1.0)
    assert not service.ticket([], *at()).sampled
    passed = service.ticket(SAMPLED, *at())
    assert not passed.sampled
    assert passed.headers("tickets.labels") == SAMPLED
    passed.failed("unreadable")
    service.shutdown()


@pytest.mark.parametrize("first", [SAMPLED, UNSAMPLED, [*UNSAMPLED, *SAMPLED], []])
def test_a_record_never_has_two_contexts(traced: Make, first: list[tuple[str, bytes]]) -> None:
    trace = traced(0.5).tracing.ticket(first, *at())
    others = [("a", b"1"), *first, ("tracestate", b"old"), ("b", b"2")]
    headers = trace.headers("tickets.labels", others)
    assert [name for name, _ in headers] == ["traceparent", "a", "b"]


def test_the_state_of_other_vendors_goes_along(traced: Make) -> None:
    headers = [("tracestate", b"vendor=1"), *SAMPLED]
    trace = traced(0.0).tracing.ticket(headers, *at())
    assert ("tracestate", b"vendor=1") in trace.headers("tickets.labels", headers)


def test_a_request_without_headers_is_continued_from_its_own_field(traced: Make) -> None:
    service = traced(0.0)
    trace = service.tracing.request(Incoming([]), judge_request(f"{UPSTREAM}01"))
    trace.end()
    found = attributes(service.span("process tickets.judge"))
    assert found["messaging.kafka.offset"] == 99
    assert found["streamer.ticket.id"] == "T-1"
    assert trace.traceparent.startswith(UPSTREAM[:36])
