"""Spans that are written afterwards: errors, corrections and the slowest."""

from typing import Any

import numpy as np
import pytest
from opentelemetry.trace import StatusCode

from streamer.observe.late import LateBudget
from streamer.observe.slowest import Slowest
from streamer.observe.tracing import Tracing
from tests.observe.followed import (
    RULE,
    UNSAMPLED,
    VOTES,
    Incoming,
    Make,
    at,
    attributes,
    identity,
    judge_request,
    parent_id,
    span_id,
)


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
    with classify.tracing.batch("tickets", [trace], 1):
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
