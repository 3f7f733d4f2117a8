import asyncio
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import Decision, TraceIdRatioBased
from opentelemetry.trace import SpanKind, StatusCode

from streamer.errors import ConfigError
from streamer.observe.late import LateBudget
from streamer.observe.slowest import Slowest
from streamer.observe.tracing import Tracing
from streamer.records import Ballot, JudgeRequest, Position, Rule, Ticket, TicketIdentity, Vote
from tests.observe.conftest import Collector, Traced

Make = Callable[..., Traced]

RULE = Rule("majority", 2, 3)
VOTES = (Vote("fast", "1", "billing", 0.9), Vote("slow", None, None, None, "outage"))
UPSTREAM = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-"
SAMPLED = [("traceparent", f"{UPSTREAM}01".encode())]
UNSAMPLED = [("traceparent", f"{UPSTREAM}00".encode())]


def identity(offset: int = 7) -> TicketIdentity:
    return TicketIdentity("tickets", "tickets", 3, offset)


def at(offset: int = 7) -> tuple[str, TicketIdentity]:
    return identity(offset).trace_id, identity(offset)


@dataclass
class Incoming:
    headers: list[tuple[str, bytes]]
    topic: str = "tickets.judge"
    partition: int = 1
    offset: int = 99


def judge_request(traceparent: str) -> JudgeRequest:
    return JudgeRequest(
        ticket=Ticket("T-1", "the secret text", "2026-01-01T00:00:00Z"),
        task="intent",
        label_set="abc",
        ballot=Ballot(VOTES, (None, None)),
        rule=RULE,
        decision_id=identity().decision_id("intent"),
        revision=0,
        purpose="decide",
        position=Position("tickets", "tickets", 3, 7),
        created_at="2026-01-01T00:00:00Z",
        traceparent=traceparent,
    )


def attributes(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


def span_id(span: ReadableSpan) -> int:
    assert span.context is not None
    return int(span.context.span_id)


def parent_id(span: ReadableSpan) -> int:
    assert span.parent is not None
    return int(span.parent.span_id)


def two_hops(classify: Tracing, judge: Tracing, first: list[tuple[str, bytes]]) -> list[Any]:
    """A ticket goes through both services; returns the headers of the label."""
    trace = classify.ticket(first, *at())
    trace.identify("T-1")
    with classify.batch("tickets", [trace], 1):
        trace.deferred("intent", "disagreement", rule=RULE, votes=VOTES)
        sent = trace.headers("tickets.judge")
    request = judge_request(trace.traceparent)
    case = judge.request(Incoming(sent), request)
    with judge.batch("tickets.judge", [case], 1):
        case.decided("intent", "billing", "judge", rule=RULE, votes=VOTES, step="judge")
        return case.headers("tickets.labels")


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
    assert str(process.instrumentation_scope.schema_url).endswith("/1.44.0")  # type: ignore[union-attr]


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


@pytest.mark.parametrize("tickets", [1, 128, 129, 300])
def test_a_batch_links_to_all_its_sampled_tickets(traced: Make, tickets: int) -> None:
    service = traced(1.0)
    traces = [service.tracing.ticket([], *at(n)) for n in range(tickets)]
    other = service.tracing.ticket(UNSAMPLED, *at(tickets))
    with service.tracing.batch("tickets", [*traces, other], tickets + 1):
        pass
    spans = service.spans()
    batches = [span for span in spans if span.name == "process_batch tickets"]
    assert all(len(span.links) <= 128 for span in batches)
    linked = [link.context.span_id for span in batches for link in span.links]
    processed = [s for s in spans if s.name == "process tickets"]
    assert sorted(linked) == sorted(map(span_id, processed))
    assert len(linked) == tickets
    assert {attributes(span)["messaging.batch.message_count"] for span in batches} == {tickets + 1}
    assert len({span.context.trace_id for span in batches}) == 1
    first, *others = _root_first(batches)
    assert all(parent_id(span) == span_id(first) for span in others)
    if tickets == 1:
        assert parent_id(first) == span_id(processed[0])
        return
    assert first.parent is None
    known = set(map(span_id, batches))
    assert all([link.context.span_id in known for link in s.links] == [True] for s in processed)


def _root_first(spans: list[ReadableSpan]) -> list[ReadableSpan]:
    return sorted(spans, key=lambda span: span.parent is not None)


def test_a_batch_without_sampled_tickets_is_nothing(traced: Make) -> None:
    service = traced(0.0)
    trace = service.tracing.ticket([], *at())
    with service.tracing.batch("tickets", [trace], 1) as batch:
        assert batch.traceparent is None
        with batch.worker_call("fast", 1) as call:
            assert call.traceparent is None
            call.answered("1")
    assert trace.trace_headers() is None
    assert service.spans() == []


def test_worker_calls_lie_under_the_batch(traced: Make) -> None:
    service = traced(1.0)
    trace = service.tracing.ticket([], *at())
    with service.tracing.batch("tickets", [trace], 1) as batch:
        with batch.worker_call("fast", 12) as call:
            given = call.traceparent
            call.answered("3")
        assert trace.trace_headers() == {"traceparent": trace.traceparent}
    spans = {span.name: span for span in service.spans()}
    found, whole = spans["infer fast"], spans["process_batch tickets"]
    assert found.kind is SpanKind.CLIENT
    assert parent_id(found) == span_id(whole)
    assert given == f"00-{found.context.trace_id:032x}-{found.context.span_id:016x}-01"
    assert attributes(found)["streamer.worker.version"] == "3"
    assert attributes(found)["streamer.rows"] == 12


def test_a_failed_batch_shows_with_its_tickets_and_without_their_text(traced: Make) -> None:
    service = traced(1.0)
    trace = service.tracing.ticket([], *at())
    with (
        pytest.raises(ValueError, match="secret"),
        service.tracing.batch("tickets", [trace], 1) as batch,
        batch.worker_call("fast", 1),
    ):
        raise ValueError("the secret text")
    spans = service.spans()
    assert {span.name for span in spans} == {
        "process tickets",
        "process_batch tickets",
        "infer fast",
    }
    assert {span.status.status_code for span in spans} == {StatusCode.ERROR}
    assert {attributes(span)["error.type"] for span in spans} == {"ValueError"}
    assert all("secret" not in span.to_json() for span in spans)


def test_errors_of_sampled_tickets_show(traced: Make) -> None:
    service = traced(1.0)
    trace = service.tracing.ticket([], *at())
    trace.failed("unreadable")
    trace.end()
    trace.end()
    (span,) = service.spans()
    assert span.status.status_code is StatusCode.ERROR
    assert attributes(span)["error.type"] == "unreadable"
    assert "streamer.late" not in attributes(span)


@pytest.mark.parametrize("headers", [[], UNSAMPLED])
def test_errors_of_unsampled_tickets_show_too(
    traced: Make, headers: list[tuple[str, bytes]]
) -> None:
    service = traced(0.0)
    trace = service.tracing.ticket(headers, *at(), received_ns=1_700_000_000_000_000_000)
    trace.failed("unreadable")
    trace.end()
    (span,) = service.spans()
    assert f"{span.context.trace_id:032x}" == trace.traceparent[3:35]
    assert span.parent is None
    assert span.start_time == 1_700_000_000_000_000_000
    assert attributes(span)["streamer.late"] == "error"
    assert trace.headers("dead")[0][1].startswith(trace.traceparent[:36].encode())
    assert span.status.status_code is StatusCode.ERROR


def test_a_flood_of_errors_is_cut() -> None:
    moments = iter([0.1, 0.2, 0.9, 1.0, 1.1, 1.2])
    budget = LateBudget(2, clock=lambda: next(moments))
    assert [budget.take() for _ in range(6)] == [True, True, False, True, True, False]
    assert budget.refused == 2


@pytest.mark.parametrize("why", ["corrected", "slow"])
def test_a_ticket_may_be_followed_after_all(traced: Make, why: Any) -> None:
    classify, judge = traced(0.0), traced(0.0, "streamer-judge")
    trace = classify.tracing.ticket([], *at(), received_ns=1_700_000_000_000_000_000)
    with classify.tracing.batch("tickets", [trace], 1) as batch:
        assert batch.traceparent is None
        trace.late(why, "T-1", 1234.5)
        trace.late("slow", "T-2")
        trace.deferred("intent", "disagreement", rule=RULE, votes=VOTES)
        sent = trace.headers("tickets.judge")
    judge.tracing.request(Incoming(sent), judge_request(trace.traceparent)).end()
    spans = classify.spans() + judge.spans()
    by_name = {span.name: span for span in spans}
    assert set(by_name) == {
        "process tickets",
        "classify intent",
        "send tickets.judge",
        "process tickets.judge",
    }
    root = by_name["process tickets"]
    assert root.parent is None
    assert root.start_time == 1_700_000_000_000_000_000
    assert attributes(root)["streamer.late"] == why
    assert attributes(root)["streamer.ticket.id"] == "T-1"
    assert attributes(root)["streamer.latency_ms"] == 1234
    known = set(map(span_id, spans))
    assert all(span.parent is None or parent_id(span) in known for span in spans)
    assert {f"{span.context.trace_id:032x}" for span in spans} == {identity().trace_id}


def test_a_failed_batch_shows_though_nothing_in_it_is_sampled(traced: Make) -> None:
    service = traced(0.0)
    trace = service.tracing.ticket([], *at())
    with pytest.raises(ValueError, match="secret"), service.tracing.batch("tickets", [trace], 7):
        raise ValueError("the secret text")
    (span,) = service.spans()
    assert span.name == "process_batch tickets"
    assert attributes(span)["error.type"] == "ValueError"
    assert attributes(span)["messaging.batch.message_count"] == 7
    assert "secret" not in span.to_json()


def test_nothing_is_followed_where_spans_go_nowhere() -> None:
    service = Tracing("streamer-test", 0.0)
    trace = service.ticket([], *at())
    trace.late("slow")
    assert trace.span is None
    assert service.slow("intent", np.array([1.0, 9.0])) == []
    assert service.made == 0


class Interval:
    """A clock that stands until it is told to go on."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize("seed", range(5))
def test_the_slowest_of_a_steady_stream_are_a_few_in_every_interval(seed: int) -> None:
    print("seed", seed)
    some, clock = np.random.default_rng(seed), Interval()
    slowest = Slowest(few=5, every=10, clock=clock)
    found: list[list[float]] = []
    for _ in range(40):
        picked: list[float] = []
        taken: list[float] = []
        for _ in range(10):
            ms = some.exponential(100, 300)
            taken += ms.tolist()
            picked += ms[slowest.among("intent", ms)].tolist()
            clock.now += 1
        found.append(picked)
        assert len(picked) <= 5
        assert all(one >= np.quantile(taken, 0.9) for one in picked)
    assert found[0] == []
    assert 1 < np.mean([len(picked) for picked in found[1:]]) <= 5


def test_what_is_slow_is_learned_anew_after_a_backlog() -> None:
    clock = Interval()
    slowest = Slowest(few=2, every=10, clock=clock)
    assert slowest.among("intent", np.array([9000.0, 8000.0, 7000.0])) == []
    clock.now = 11
    assert slowest.among("intent", np.array([10.0, 20.0, 30.0])) == []
    clock.now = 22
    assert slowest.among("intent", np.array([15.0, 25.0, 40.0, 35.0])) == [2, 3]
    assert slowest.among("intent", np.array([99.0])) == []
    assert slowest.among("mood", np.array([])) == []


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
