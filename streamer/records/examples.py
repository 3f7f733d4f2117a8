"""One record of each kind, all about the same ticket, for documents and tests."""

from collections.abc import Mapping
from typing import Any

import orjson

from streamer.records.alarm import Alarm
from streamer.records.answer import Answer
from streamer.records.dead_letter import DeadLetter, Handled
from streamer.records.identity import TicketIdentity
from streamer.records.judge_request import Ballot, Follower, JudgeRequest
from streamer.records.label import After, Label, Position, Rule, Vote
from streamer.records.labelset import LabelSet
from streamer.records.log import AnswerLog, BallotLog, ShadowVote, VerdictLog
from streamer.records.review import Review
from streamer.records.summary import Summary
from streamer.records.ticket import Ticket

TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

_LABELS = LabelSet(("billing", "bug", "question"))
_POSITION = Position("tickets", "tickets", 3, 812)
_ID = TicketIdentity(
    _POSITION.source, _POSITION.topic, _POSITION.partition, _POSITION.offset
).decision_id("topic")
_CREATED, _DECIDED, _JUDGED = (f"2026-01-31T08:00:00.{ms}Z" for ms in ("000", "012", "480"))
_ANSWERED = "2026-01-31T08:15:00.000Z"
_VOTES = (
    Vote("topic_word", "1", "billing", 0.62),
    Vote("topic_char", "1", "question", 0.48),
    Vote("topic_net", None, None, None, abstained="outage"),
)
_BALLOT = Ballot(_VOTES, ((0.62, 0.08, 0.3), (0.41, 0.11, 0.48), None))
_RULE = Rule("majority", 2, 3)
_TICKET = Ticket(
    "4711",
    "I was charged twice. Is that right?",
    _CREATED,
    subject="Invoice",
    fields={"id": "4711", "subject": "Invoice", "text": "I was charged twice. Is that right?"},
)
_LABEL = Label(
    ticket_id="4711",
    task="topic",
    label="billing",
    confidence=0.97,
    source="judge",
    revision=0,
    final=True,
    votes=_VOTES,
    rule=_RULE,
    calibration=None,
    label_set=_LABELS.version,
    decision_id=_ID,
    position=_POSITION,
    created_at=_CREATED,
    decided_at=_JUDGED,
    judge="encoder-1",
    after=After("v3", 0.0),
)

EXAMPLES: Mapping[str, tuple[Any, ...]] = {
    "ticket": (_TICKET,),
    "label": (_LABEL,),
    "judge-request": (
        JudgeRequest(
            ticket=_TICKET,
            task="topic",
            label_set=_LABELS.version,
            ballot=_BALLOT,
            rule=_RULE,
            decision_id=_ID,
            revision=0,
            purpose="decide",
            position=_POSITION,
            created_at=_CREATED,
            traceparent=TRACEPARENT,
            followers=(Follower(("billing",), label=_LABEL),),
            candidate="billing",
            ensemble=(0.515, 0.095, 0.39),
        ),
    ),
    "dead-letter": (
        DeadLetter("no_text", "no text at the configured pointers", "tickets", 3, 813, _DECIDED),
    ),
    "handled": (Handled("replayed", 3, 77, "no_text", _ANSWERED),),
    "review": (
        Review(
            ticket=_TICKET,
            task="topic",
            labels=_LABELS.labels,
            label_set=_LABELS.version,
            reason="unsure",
            label="billing",
            confidence=0.51,
            votes=_VOTES,
            judge="encoder-1",
            decision_id=_ID,
            position=_POSITION,
            at=_JUDGED,
        ),
    ),
    "answer": (
        Answer(_ID, "4711", "topic", "billing", _LABELS.version, "kim", _ANSWERED, _POSITION),
    ),
    "log": (
        BallotLog(
            decision_id=_ID,
            ticket_id="4711",
            task="topic",
            label_set=_LABELS.version,
            position=_POSITION,
            at=_DECIDED,
            uniform=True,
            ballot=_BALLOT,
            served=3,
            rule=_RULE,
            calibration=None,
            label=None,
            confidence=None,
            source=None,
            candidate="billing",
            deferred="disagreement",
            suspended=False,
            final=False,
            mode="sequential",
            shadows=(ShadowVote(_VOTES[0].worker, "2", "billing", (0.9, 0.04, 0.06)),),
        ),
        VerdictLog(
            decision_id=_ID,
            ticket_id="4711",
            task="topic",
            label_set=_LABELS.version,
            at=_JUDGED,
            purpose="decide",
            uniform=True,
            judge="encoder-1",
            vector=(0.97, 0.01, 0.02),
            candidate="billing",
            after=After("v3", 0.0),
            published="billing",
            source="judge",
            coverage=0.98,
            truncated=True,
        ),
        AnswerLog(_ID, "4711", "topic", _LABELS.version, _ANSWERED, "billing", "kim", gold=True),
    ),
    "summary": (
        Summary(
            process="5b1f0c7e-6c0a-4f0e-9a57-2f4b8f5f1d11",
            service="classify",
            task="topic",
            sequence=42,
            at_ms=1769846400000,
            seconds=1.0,
            counts={"decisions": {"accepted": 41, "deferred": 3}, "labels": {"workers": 41}},
            gauges={},
            latency={"ticket/workers": ((28, 30), (29, 11))},
        ),
    ),
    "alarm": (
        Alarm(
            kind="judge_queue_old",
            task=None,
            subject=None,
            state="raised",
            severity="warning",
            since=_CREATED,
            at=_DECIDED,
            value=420.0,
            limit=300.0,
            text="the oldest ticket waits for the judge for 420 s",
            runbook="docs/runbooks/judge_queue_old.md",
        ),
    ),
}
"""Examples by the records' names in `schema.RECORDS`."""


def example(name: str) -> list[dict[str, Any]]:
    """The examples of a record as decoded JSON, as they are on their topic."""
    return [orjson.loads(orjson.dumps(record)) for record in EXAMPLES[name]]
