"""Tickets to follow, and what their spans say."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan

from streamer.observe.tracing import Tracing
from streamer.records import Ballot, JudgeRequest, Position, Rule, Ticket, TicketIdentity, Vote
from tests.observe.conftest import Traced

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
