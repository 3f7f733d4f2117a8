"""A ticket's way, as a search finds it."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from streamer.records.label import After, Vote
from streamer.records.times import rfc3339
from streamer.services.inspect.inspection import (
    Hop,
    Inspection,
    LatencyBreakdown,
    Occurrence,
    TaskOutcome,
)
from tests.services.monitor.web.material import label, now_ms


async def judged(ticket_id: str, since: timedelta) -> Mapping[str, Any]:
    """A search that finds a ticket which the judge has settled for one of two tasks."""
    at = now_ms()
    arrived = at - 2700
    votes = (
        Vote("topic_word", "3", "billing", 0.51),
        Vote("topic_char", "2", "refund", 0.47),
        Vote("topic_net", None, None, None, "out"),
    )
    state = label(
        ticket_id,
        label="refund",
        confidence=0.874,
        source="judge",
        votes=votes,
        judge="classifier-3",
        after=After("judge_unless_sure", 0.02),
        created_at=rfc3339(arrived - 400),
        decided_at=rfc3339(at - 12),
    )
    verdict = {"refund": 0.874, "billing": 0.101, "bug": 0.02, "question": 0.003, "shipping": 0.002}
    spent = (
        LatencyBreakdown("before Kafka", 0.4),
        LatencyBreakdown("waiting and voting", 0.052),
        LatencyBreakdown("judge", 2.636),
        LatencyBreakdown("publishing", 0.012),
    )
    waits = "the judge has 211 records before it in tickets.judge"
    asked = "decide: topic_word=billing, topic_char=refund, topic_net=out"
    return Inspection(
        ticket_id=ticket_id,
        since=rfc3339(at - int(since.total_seconds() * 1000)),
        occurrences=(Occurrence("tickets", 2, 1033, True, arrived, rfc3339(arrived - 400)),),
        outcomes=(
            TaskOutcome("topic", (state,), state, False, (verdict,), (), spent, None),
            TaskOutcome("mood", (), None, False, (), (), (), waits),
        ),
        hops=(
            Hop("ticket", None, "tickets", 2, 1033, arrived, ""),
            Hop("judge request", "topic", "tickets.judge", 0, 210, arrived + 52, asked),
            Hop("label", "topic", "tickets.labels", 1, 901, at, "refund by judge, revision 0"),
        ),
        trace_id="4bf92f3577b34da6a3ce929d0e0e4736",
        looked=(),
        complete=True,
        advice=(),
    ).to_dict()
